"""The protocol of a sample: a TOML file that says what is drawn from, how many slices, how long, and from where."""

from __future__ import annotations

import tomllib
from datetime import date
from hashlib import sha256
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from device.recording.named import Word
from device.words import Consent
from provisioning.errors import UsageError
from provisioning.times import SECOND_US, parse_time

MOST_PROTOCOL_BYTES: Final = 64 * 1024
_MOST_S: Final = 24 * 3600


def _seconds(text: object) -> object:
    try:
        time_us = parse_time(str(text))
    except UsageError as problem:
        raise ValueError(problem.hint) from problem
    if time_us % SECOND_US:
        raise ValueError("must be whole seconds")
    return time_us // SECOND_US


def _recorded(consent: Consent) -> Consent:
    if consent is Consent.NONE:
        raise ValueError("nothing is recorded without consent")
    return consent


Seconds = Annotated[int, BeforeValidator(_seconds), Field(ge=0, le=_MOST_S)]
Mark = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
Count = Annotated[int, Field(strict=True, ge=1, le=10_000)]
Recorded = Annotated[Consent, AfterValidator(_recorded)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PopulationPart(_Part):
    """Which recordings are drawn from; what is left out is no condition.

    ``since``, ``until``: days (UTC, both inclusive) on which a recording was started, by a clock that was trusted.
    ``study``, ``arm``: as the recording's label has them.
    """

    since: date | None = None
    until: date | None = None
    therapists: tuple[Mark, ...] = ()
    consent: tuple[Recorded, ...] = (Consent.SOUND, Consent.SOUND_AND_PICTURE)
    interrupted: bool = Field(default=False, strict=True)
    study: Word | None = None
    arm: Word | None = None

    @property
    def asks_for_labels(self) -> bool:
        """Whether labels have to be opened to know who belongs to it."""
        return self.study is not None or self.arm is not None


class DrawPart(_Part):
    """How many recordings are drawn: of all, or of each therapist's. ``seed``: text; left out one is made."""

    recordings: Count | None = None
    each_therapist: Count | None = None
    seed: Annotated[str, Field(min_length=1, max_length=200)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.recordings is None) == (self.each_therapist is None):
            raise ValueError("give recordings or each_therapist, and not both")
        return self


class SlicesPart(_Part):
    """The slices of each recording: one in each of ``each`` equal parts of what lies between both ends left out."""

    each: Annotated[int, Field(strict=True, ge=1, le=20)] = 1
    length: Annotated[Seconds, Field(ge=1)]
    skip_start: Seconds = 0
    skip_end: Seconds = 0
    sound_only: bool = Field(default=False, strict=True)


class Protocol(_Part):
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
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        key = ".".join(map(str, first["loc"])) or "the protocol"
        words = str(first["msg"]).removeprefix("Value error, ")
        raise UsageError(f"the protocol does not hold: {key}: {words}", "see docs/research.md") from problem
    except ValueError as problem:  # of the text, or of TOML
        raise UsageError(f"the protocol cannot be read: {problem}", "write it as TOML: docs/research.md") from problem


def seed_of(text: str) -> str:
    """The seed (64 hex digits) that a text stands for: its SHA-256."""
    return sha256(text.encode()).hexdigest()
