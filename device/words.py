"""The words that everything above shares; no synonyms are used anywhere."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Consent(StrEnum):
    """What the client allowed for this session."""

    NONE = "none"
    SOUND = "sound"
    SOUND_AND_PICTURE = "sound_and_picture"

    @property
    def rank(self) -> int:
        """How much is allowed: 0 nothing, 1 sound, 2 sound and picture."""
        return _RANKS[self]

    def step(self, *, most: Consent) -> Consent:
        """The next choice of the CONSENT button: none → sound → sound and picture → none; nothing above ``most``."""
        return _BY_RANK[(self.rank + 1) % (most.rank + 1)]


_BY_RANK = tuple(Consent)
_RANKS = {consent: rank for rank, consent in enumerate(_BY_RANK)}


def least(choices: Iterable[Consent]) -> Consent:
    """The least of several people's choices, which is the one that counts; ``none`` of nobody."""
    return min(choices, key=lambda choice: choice.rank, default=Consent.NONE)


class Button(StrEnum):
    """The two buttons of the panel."""

    CONSENT = "consent"
    RECORD = "record"


class Rung(StrEnum):
    """How much is asked of the camera: the ladder for load, heat and room. The sound is not on it."""

    WHOLE = "whole"
    HALF_RATE = "half_rate"
    LOW_BITRATE = "low_bitrate"  # and half the frame rate
    NO_PICTURE = "no_picture"

    @property
    def depth(self) -> int:
        """How far down: 0 is the whole picture, 3 is none."""
        return _DEPTHS[self]

    @property
    def rate_divisor(self) -> int:
        """One in how many pictures is taken."""
        return 1 if self is Rung.WHOLE else 2

    @property
    def bitrate_divisor(self) -> int:
        """What the configured bitrate is divided by."""
        return 1 if self.depth < Rung.LOW_BITRATE.depth else 3


RUNGS = tuple(Rung)
_DEPTHS = {rung: depth for depth, rung in enumerate(RUNGS)}


class Fate(StrEnum):
    """What is to become of the recording that ended last, until its window closes."""

    KEPT = "kept"
    WITHDRAWN = "withdrawn"


class By(StrEnum):
    """Who had a recording erased: the client at the box, a therapist, or the clinic's rule of retention."""

    CLIENT = "client"
    THERAPIST = "therapist"
    RETENTION = "retention"
