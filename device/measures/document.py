"""What is sealed of an answered measure: a JSON document that says by itself what was asked and what was answered.

It is complete without the measure's own file, so that somebody who opens it years later needs nothing else. It names
nobody: whose session it was stands in the label of the recording, which is sealed as well.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Annotated, Final, Literal

from device.errors import DamagedError
from device.measures.measure import Item, Measure, Moment
from device.measures.scoring import Answers, scores_of
from device.shapes import Shape, ShapeError, rule

FORMAT: Final = 1
MOST_DOCUMENT_BYTES: Final = 32 * 1024
MOST_PEOPLE: Final = 12


class About(Shape):
    """Which measure it was. ``digest``: the SHA-256 of its definition, so that two of one version are told apart."""

    id: str
    version: str
    language: str
    title: str
    digest: str


class Answered(Shape):
    """One item that was asked. ``value`` as it was chosen, before anything is reversed; ``None``: rather not said."""

    item: str
    text: str
    value: int | None
    words: str | None  # of the choice; on a line there are none
    least: int
    most: int


class ScoredPart(Shape):
    """One score, as ``device.measures.scoring.Scored``."""

    id: str
    name: str
    value: int | float | None
    least: int | float
    most: int | float
    band: str | None
    missing: int


class Measured(Shape):
    """The whole document. Moments are UTC by the clock of the box; ``clock_trusted`` says what that is worth.

    ``by``: the mark of the therapist who handed the tablet over; ``person``: which of several in the room answered.
    """

    kind: Literal["sotto-measure"] = "sotto-measure"
    format: Literal[1] = FORMAT
    measure: About
    moment: Moment
    by: str
    person: Annotated[int, rule(ge=1, le=MOST_PEOPLE)]
    started: str
    finished: str
    clock_trusted: bool
    answers: tuple[Answered, ...]
    scores: tuple[ScoredPart, ...]


def measured(
    measure: Measure, answers: Answers, *, by: str, person: int, started: str, finished: str, clock_trusted: bool
) -> Measured:
    """The document of these answers; every item that has one is in it, in the order in which they are asked."""
    return Measured(
        measure=About(
            id=measure.id,
            version=measure.version,
            language=measure.language,
            title=measure.title,
            digest=digest_of(measure),
        ),
        moment=measure.moment,
        by=by,
        person=person,
        started=started,
        finished=finished,
        clock_trusted=clock_trusted,
        answers=tuple(_answered(measure, item, answers[item.id]) for item in measure.items if item.id in answers),
        scores=tuple(ScoredPart(**asdict(score)) for score in scores_of(measure, answers)),
    )


def to_bytes(document: Measured) -> bytes:
    """The document as it is sealed."""
    return document.model_dump_json().encode()


def from_bytes(data: bytes) -> Measured:
    """The document that was sealed, for those who can open it.

    Raises:
        DamagedError: that is none.
    """
    try:
        return Measured.model_validate_json(data)
    except ShapeError as problem:
        raise DamagedError("that is no answered measure", "open another attachment") from problem


def digest_of(measure: Measure) -> str:
    """The SHA-256 of a definition; comments and spaces in its file do not count."""
    return hashlib.sha256(measure.model_dump_json().encode()).hexdigest()


def most_bytes(measure: Measure) -> int:
    """How large the document of a measure can become, whatever is answered."""
    longest: dict[str, int | None] = {item.id: _longest(measure, item) for item in measure.items}
    moment = "2000-01-01T00:00:00.000Z"
    whole = measured(
        measure, longest, by="0" * 12, person=MOST_PEOPLE, started=moment, finished=moment, clock_trusted=False
    ).model_dump_json()
    bands = sum(max((len(band.text.encode()) for band in score.bands), default=0) for score in measure.scores)
    numbers = 16 * (len(measure.items) + len(measure.scores))  # "null" can be longer than what was chosen
    return len(whole.encode()) + bands + numbers


def _longest(measure: Measure, item: Item) -> int:
    scale = measure.scale_of(item)
    if scale.kind == "line":
        return scale.most
    return max(scale.choices, key=lambda one: len(one.text.encode()) + len(str(one.value))).value


def _answered(measure: Measure, item: Item, value: int | None) -> Answered:
    scale = measure.scale_of(item)
    words = None if value is None else scale.text_of(value)
    return Answered(item=item.id, text=item.text, value=value, words=words, least=scale.least, most=scale.most)
