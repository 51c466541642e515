"""Moments and lengths of a recording as people write them: ``15m``, ``1h2m``, ``10:00``, ``1:02:03``, ``90``."""

from __future__ import annotations

import re
from typing import Final

from provisioning.errors import UsageError

SECOND_US: Final = 1_000_000
_MOST_S: Final = 1_000_000  # eleven days; whatever is longer is a slip of the keyboard
_NUMBER: Final = r"[0-9]{1,9}"
_SECONDS: Final = rf"{_NUMBER}(?:\.[0-9]{{1,6}})?"
_UNITS: Final = re.compile(rf"(?:({_NUMBER})h)?(?:({_NUMBER})m)?(?:({_SECONDS})s)?")
_COLONS: Final = re.compile(rf"(?:({_NUMBER}):)??(?:({_NUMBER}):)?({_SECONDS})")


def parse_time(text: str) -> int:
    """A moment or length in microseconds.

    Raises:
        UsageError: it is written in no way that is known here.
    """
    words = text.strip().lower()
    match = _COLONS.fullmatch(words) or (_UNITS.fullmatch(words) if words else None)
    if match is None:
        raise _unknown(text)
    hours, minutes, seconds = match.groups()
    if match.re is _COLONS and (_is_over(seconds, minutes) or _is_over(minutes, hours)):
        raise _unknown(text)
    time_us = (int(hours or 0) * 3600 + int(minutes or 0) * 60) * SECOND_US + _us(seconds or "0")
    if time_us > _MOST_S * SECOND_US:
        raise _unknown(text)
    return time_us


def _is_over(part: str | None, larger: str | None) -> bool:
    """Whether ``part`` is more than 59 although a larger unit stands before it: 1:75 is a slip, 75 is not."""
    return part is not None and larger is not None and float(part) >= 60


def _us(seconds: str) -> int:
    whole, _, fraction = seconds.partition(".")
    return int(whole) * SECOND_US + int(fraction.ljust(6, "0"))


def _unknown(text: str) -> UsageError:
    return UsageError(f"{text[:40]!r} is not a time", "write it like 15m, 90s, 1h2m, 10:00, 1:02:03, or as seconds: 90")


def format_time(time_us: int) -> str:
    """A moment or length as people read it, to the second below: ``0:07``, ``50:12``, ``1:02:03``."""
    minutes, seconds = divmod(time_us // SECOND_US, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
