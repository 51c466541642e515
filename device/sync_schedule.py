"""When sync may send, how fast, and when it tries again; pure: time and chance come in with the question.

A thousand boxes on one server are kept apart by chance alone. Each waits for a random part of a limit that doubles with
every failure ("full jitter"), so a server that comes back after an outage is not met by all of them at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final

FIRST_BACKOFF_S: Final = 2.0
MOST_BACKOFF_S: Final = 1800.0
_LONGEST_TOLD_S: Final = 86_400.0
_BYTES_PER_KBIT: Final = 125
_BURST_S: Final = 0.5

Chance = Callable[[], float]
"""A number from 0 up to 1, another one each time."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Times of a week at which another limit holds: on those days (0 is Monday), from one time of day to the other.

    Where ``end`` is not after ``start`` it lasts over midnight, and belongs to the day on which it began.
    """

    days: frozenset[int]
    start: time
    end: time

    def hold(self, local: datetime) -> bool:
        """Whether it is that time by a clock on the wall of the room."""
        now, today = local.time(), local.weekday()
        if self.start < self.end:
            return today in self.days and self.start <= now < self.end
        return (today in self.days and now >= self.start) or ((today - 1) % 7 in self.days and now < self.end)


@dataclass(frozen=True, slots=True)
class Limits:
    """How fast may be sent, in kbit/s: ``always``, and in those hours. ``None``: as fast as it goes; 0: not at all."""

    always: int | None = None
    hours: Hours | None = None
    in_hours: int | None = None

    def bytes_per_s(self, local: datetime, *, trusted: bool) -> int | None:
        """What holds now. With a clock that may be wrong it might always be office hours: the lower limit holds."""
        if self.hours is None:
            holding = self.always
        elif trusted:
            holding = self.in_hours if self.hours.hold(local) else self.always
        else:
            told = [limit for limit in (self.always, self.in_hours) if limit is not None]
            # Not at all, for ever, would be no limit but a fault: a box without a clock still syncs.
            holding = min((limit for limit in told if limit), default=None)
        return None if holding is None else holding * _BYTES_PER_KBIT


class Bucket:
    """Says how long to wait before more is sent, so that a limit is kept on the whole (a token bucket).

    What was not used up is kept for half a second: a pause is not made up for by a burst.
    """

    def __init__(self) -> None:
        self._free_s = 0.0

    def wait_s(self, moved_bytes: int, *, limit: int | None, now_s: float) -> float:
        """For how long to wait before ``moved_bytes`` may be sent; ``limit`` in bytes a second."""
        if not limit:
            self._free_s = now_s
            return 0.0
        begin_s = max(self._free_s, now_s - _BURST_S)
        self._free_s = begin_s + moved_bytes / limit
        return max(0.0, begin_s - now_s)


def backoff_s(failures: int, chance: float, *, retry_after_s: float | None = None) -> float:
    """How long to wait after so many failures in a row; what the server asked for is the least, a day the most."""
    limit_s = min(MOST_BACKOFF_S, FIRST_BACKOFF_S * 2.0 ** min(max(failures, 1) - 1, 30))
    asked_s = min(max(retry_after_s or 0.0, 0.0), _LONGEST_TOLD_S)
    return asked_s + chance * limit_s


def slow_s(chance: float) -> float:
    """How long to wait where an admin has to act first: the slow end, and still not all boxes at once."""
    return MOST_BACKOFF_S * (0.5 + chance / 2)
