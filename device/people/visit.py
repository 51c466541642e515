"""Visits: somebody who proved who they are, for as long as the box believes it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from device.people.person import Person

_MINUTE_S: Final = 60.0
_HOUR_S: Final = 60 * _MINUTE_S


class Kind(StrEnum):
    """How somebody is known again."""

    PAGE = "page"  # a browser's cookie
    PROGRAM = "program"  # a bearer token, got by key login
    KIOSK = "kiosk"  # the cookie of a tablet that was handed to the client


class Stage(StrEnum):
    """How far a browser has come. Whoever is not wholly in is a stranger to every page but those of signing in."""

    PASSWORD_GIVEN = "password given"  # noqa: S105  # the name of a stage: the second factor is still to come
    ENROLLING = "enrolling"  # the password is chosen, the second factor is to be set up
    IN = "in"


@dataclass(frozen=True, slots=True)
class Lives:
    """How long a visit lasts: without being used, and at all, in seconds."""

    idle_s: float
    most_s: float


LIVES: Final = {
    Kind.PAGE: Lives(30 * _MINUTE_S, 12 * _HOUR_S),
    Kind.PROGRAM: Lives(_HOUR_S, _HOUR_S),
    Kind.KIOSK: Lives(30 * _MINUTE_S, 2 * _HOUR_S),
}
HALF_WAY: Final = Lives(10 * _MINUTE_S, 20 * _MINUTE_S)


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit. ``session`` names it, to list and to end it; it is never the token that proves it.

    ``what``: what the visitor's browser or program calls itself; in the kiosk, the measure that was handed over.
    Moments are seconds since 1970 by the wall clock.
    """

    person: Person
    kind: Kind
    stage: Stage
    session: str
    what: str
    made_s: float
    seen_s: float
    ends_s: float


def is_over(lives: Lives, *, made_s: float, seen_s: float, now_s: float) -> bool:
    """Whether a visit is over.

    One from the future is over, too: the wall clock was set back, and nobody knows how long it has lasted.
    """
    return now_s < made_s - _MINUTE_S or now_s >= made_s + lives.most_s or now_s >= seen_s + lives.idle_s


def lives_of(kind: Kind, stage: Stage) -> Lives:
    """How long such a visit lasts."""
    return LIVES[kind] if stage is Stage.IN else HALF_WAY
