"""The protocol of a sample: a TOML file that says what is drawn from, how many slices, how long, and from where."""

from __future__ import annotations

import tomllib
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Final, Literal

from device.recording.named import Word
from device.shapes import Shape, ShapeError, rule, then
from device.words import Consent
from provisioning.errors import UsageError
from provisioning.times import SECOND_US, parse_time

MOST_PROTOCOL_BYTES: Final = 64 * 1024
_MOST_S: Final = 24 * 3600


def _seconds(text: object) -> int:
    try:
        time_us = parse_time(str(text))
    except UsageError as problem:
        raise ValueError(problem.hint) from problem
    if time_us % SECOND_US:
        raise ValueError("must be whole seconds")
    if time_us > _MOST_S * SECOND_US:
        raise ValueError(f"must be {_MOST_S} seconds at most")
    return time_us // SECOND_US


def _some(seconds: int) -> int:
    if seconds < 1:
        raise ValueError("must be one second at least")
    return seconds


def _recorded(consent: Consent) -> Consent:
    if consent is Consent.NONE:
        raise ValueError("nothing is recorded without consent")
    return consent


if TYPE_CHECKING:
    Seconds = int
else:
    Seconds = Annotated[str | int, then(_seconds)]  # written as text, and a number from then on
Mark = Annotated[str, rule(pattern=r"^[0-9a-f]{12}$")]
Count = Annotated[int, rule(ge=1, le=10_000)]
Recorded = Annotated[Consent, then(_recorded)]


class PopulationPart(Shape):
    """Which recordings are drawn from; what is left out is no condition.

    ``since``, ``until``: days (UTC, both inclusive) on which a recording was started, by a clock that was trusted.
    ``study``, ``arm``: as the recording's label has them.
    """

    since: date | None = None
    until: date | None = None
    therapists: tuple[Mark, ...] = ()
    consent: tuple[Recorded, ...] = (Consent.SOUND, Consent.SOUND_AND_PICTURE)
    interrupted: bool = False
    study: Word | None = None
    arm: Word | None = None

    @property
    def asks_for_labels(self) -> bool:
        """Whether labels have to be opened to know who belongs to it."""
        return self.study is not None or self.arm is not None


class DrawPart(Shape):
    """How many recordings are drawn: of all, or of each therapist's. ``seed``: text; left out one is made."""

    recordings: Count | None = None
    each_therapist: Count | None = None
    seed: Annotated[str, rule(min_length=1, max_length=200)] | None = None

    def _check(self) -> None:
        if (self.recordings is None) == (self.each_therapist is None):
            raise ValueError("give recordings or each_therapist, and not both")


class SlicesPart(Shape):
    """The slices of each recording: one in each of ``each`` equal parts of what lies between both ends left out."""

    each: Annotated[int, rule(ge=1, le=20)] = 1
    length: Annotated[Seconds, then(_some)]
    skip_start: Seconds = 0
    skip_end: Seconds = 0
    sound_only: bool = False


class Protocol(Shape):
    """The whole protocol; lengths in seconds."""

    sotto_sample: Literal[1]
    population: PopulationPart = PopulationPart()
    draw: DrawPart
    slices: SlicesPart


def parse_protocol(document: bytes) -> Protocol:
    """The protocol that a TOML file holds.

    Raises:
        UsageError: it is none, or asks for what makes no sense.
    """
    if len(document) > MOST_PROTOCOL_BYTES:
        raise UsageError("that is far too long for a protocol", "give the TOML file that says what is drawn")
    try:
        return Protocol.model_validate(tomllib.loads(document.decode("utf-8")))
    except ShapeError as problem:
        first = problem.faults[0]
        key = ".".join(map(str, first.place)) or "the protocol"
        words = first.words.removeprefix("Value error, ")
        raise UsageError(f"the protocol does not hold: {key}: {words}", "see docs/research.md") from problem
    except ValueError as problem:  # of the text, or of TOML
        raise UsageError(f"the protocol cannot be read: {problem}", "write it as TOML: docs/research.md") from problem


def seed_of(text: str) -> str:
    """The seed (64 hex digits) that a text stands for: its SHA-256."""
    return sha256(text.encode()).hexdigest()
