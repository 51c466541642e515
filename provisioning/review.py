"""What a supervisor or therapist says of a recording: notes at their moments, a growth edge, a plan, ratings.

One JSON document, sealed to whoever is to read it, written by the reader and by `sotto-clinic note` alike
(docs/review.md). It lies beside the recording as ``review-001.age``, or is a file of its own.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final, Literal

from device.age.identities import Identity
from device.age.opening import decrypt
from device.age.recipients import Recipient
from device.age.sealing import encrypt
from device.errors import DamagedError
from device.recording import is_recording_id
from device.shapes import Hidden, Shape, ShapeError, rule, then
from provisioning.errors import UsageError

MOST_DOCUMENT_BYTES: Final = 64 * 1024
MOST_SEALED_BYTES: Final = 96 * 1024  # what a box takes (device/attachments.py)
MOST_TEXT_LETTERS: Final = 4000
_STEP_BYTES: Final = 4096  # so that the size of the sealed file hardly tells how much was written


def _written(text: str) -> str:
    """Anything that a person can write. Emoji and other scripts need letters that are not "printable"."""
    if not text.strip() or any(unicodedata.category(one) in {"Cc", "Cs"} and one not in "\n\t" for one in text):
        raise ValueError("must be written in letters")
    return text


def _on_one_line(text: str) -> str:
    if "\n" in text or "\t" in text or text != text.strip():
        raise ValueError("must be on one line, without spaces around it")
    return _written(text)


def _recording_id(text: str) -> str:
    if not is_recording_id(text):
        raise ValueError("must be the id of a recording")
    return text


def _day(text: str) -> str:
    if date.fromisoformat(text).isoformat() != text:
        raise ValueError("must be a day like 2026-11-30")
    return text


# Whoever uses one of these puts ``Hidden`` around it: what is in it never shows in a line of a log.
Text = Annotated[str, rule(min_length=1, max_length=MOST_TEXT_LETTERS), then(_written)]
Tag = Annotated[str, rule(min_length=1, max_length=60), then(_on_one_line)]
Moment = Annotated[str, rule(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$")]
Us = Annotated[int, rule(ge=0, le=1_000_000_000_000)]


class Note(Shape):
    """Something said of a moment of the recording, or of the time up to ``until_us``; ``at_us`` null: of all of it."""

    at_us: Us | None
    until_us: Us | None = None
    text: Hidden[Text]
    tags: Annotated[tuple[Tag, ...], rule(max_length=20)] = ()

    def _check(self) -> None:
        if self.until_us is not None and (self.at_us is None or self.until_us < self.at_us):
            raise ValueError("until_us must not be before at_us")


class Plan(Shape):
    """What the therapist practises until ``next_date``, when it is looked at again."""

    text: Hidden[Text]
    next_date: Annotated[str, rule(pattern=r"^\d{4}-\d\d-\d\d$"), then(_day)] | None = None


class Ratings(Shape):
    """The items of a rubric, by their ids; null: not rated."""

    rubric: Annotated[str, rule(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    items: Annotated[dict[str, int | None], rule(max_length=100)]


class Review(Shape):
    """A review. ``by``: the mark of whose it is; ``at``: UTC by their own clock."""

    sotto_review: Literal[1] = 1
    recording: Annotated[str, then(_recording_id)]
    by: Annotated[str, rule(pattern=r"^[0-9a-f]{12}$")]
    at: Moment
    notes: Annotated[tuple[Note, ...], rule(max_length=500)] = ()
    growth_edge: Hidden[Text | None] = None
    plan: Plan | None = None
    ratings: Ratings | None = None

    def _check(self) -> None:
        if not (self.notes or self.growth_edge or self.plan or self.ratings):
            raise ValueError("there is nothing in it")


def parse_review(document: bytes) -> Review:
    """The review that a document holds.

    Raises:
        DamagedError: it is none that is known here.
    """
    try:
        return Review.model_validate_json(b"" if len(document) > MOST_DOCUMENT_BYTES else document)
    except ShapeError as problem:
        raise DamagedError(
            "this is not a review that is known here", "use the version of sotto-clinic that it was written with"
        ) from problem


def seal_review(review: Review, recipients: Sequence[Recipient]) -> bytes:
    """A review as an age file for these recipients.

    Raises:
        UsageError: it is too long, or there are too many to read it.
        AgeError: it cannot be sealed to these recipients together.
    """
    document = review.model_dump_json().encode()
    document += b" " * (-len(document) % _STEP_BYTES)
    sealed = io.BytesIO()
    encrypt(io.BytesIO(document), sealed, recipients)
    if len(document) > MOST_DOCUMENT_BYTES or len(sealed.getvalue()) > MOST_SEALED_BYTES:
        raise UsageError("the review is too long", "write it as two, or seal it to fewer people")
    return sealed.getvalue()


def open_review(sealed: bytes, identities: Sequence[Identity]) -> Review:
    """The review in an age file.

    Raises:
        AgeError: it is no age file, is damaged, or none of the identities opens it.
        DamagedError: there is no review in it that is known here.
    """
    opened = io.BytesIO()
    decrypt(io.BytesIO(sealed), opened, identities)
    return parse_review(opened.getvalue())
