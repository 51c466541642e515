"""The time of a fleet: one monotonic clock for every box in every process, as fast as whoever leads the fleet says.

It is a file of a few numbers that all map: from which moment of the machine's own clock on, which moment of the boxes'
clock, and how many of their seconds pass in one of ours. The wall clock stays the machine's: the server's is, too.

It waits for those who cannot keep pace (as ``device.clock.PacedClock`` does): each process notes there how many of its
boxes do something, and whoever leads has time run slower while they are many. Else one machine that plays a thousand
would have them all come late, and at once, where a thousand machines come when they are due.
"""

from __future__ import annotations

import mmap
import struct
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_COUNT: Final = struct.Struct("@q")
_PIECE: Final = struct.Struct("@qqd")  # machine's nanoseconds, boxes' microseconds, speed
_PIECES: Final = 64  # the newest counts; one that is read is never the one that is written next
_UP_AT: Final = 2048
_MOST_WORKERS: Final = 64
_SIZE: Final = 4096
_LONGEST_S: Final = 1.0  # of one wait: the speed may have changed meanwhile


class FleetClock:
    """Implements ``device.clock.Clock``. ``start`` makes the file; the others only read it."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _SIZE)

    @classmethod
    def start(cls, path: Path, *, speed: float) -> FleetClock:
        """A clock that stands at zero now."""
        path.write_bytes(bytes(_SIZE))
        made = cls(path)
        made.go_on(speed)
        return made

    def go_on(self, speed: float) -> None:
        """Run so many times as fast as the machine from now on; ``0``: stand still."""
        count = self._count()
        now_us = self.now_us() if count else 0
        _PIECE.pack_into(self._map, 8 + count % _PIECES * _PIECE.size, time.monotonic_ns(), now_us, speed)
        _COUNT.pack_into(self._map, 0, count + 1)

    def _count(self) -> int:
        return int(_COUNT.unpack_from(self._map, 0)[0])

    def _piece(self) -> tuple[int, int, float]:
        place = 8 + (self._count() - 1) % _PIECES * _PIECE.size
        anchor_ns, base_us, speed = _PIECE.unpack_from(self._map, place)
        return anchor_ns, base_us, speed

    def note_up(self, worker: int, boxes: int) -> None:
        """So many boxes of that process do something at this moment."""
        _COUNT.pack_into(self._map, _UP_AT + worker * _COUNT.size, boxes)

    @property
    def up(self) -> int:
        """How many boxes do something at this moment."""
        return sum(_COUNT.unpack_from(self._map, _UP_AT + worker * _COUNT.size)[0] for worker in range(_MOST_WORKERS))

    @property
    def speed(self) -> float:
        return self._piece()[2]

    def now_us(self) -> int:
        anchor_ns, base_us, speed = self._piece()
        return base_us + int((time.monotonic_ns() - anchor_ns) / 1000 * speed)

    def now_s(self) -> float:
        return self.now_us() / 1e6

    def utc(self) -> datetime:
        return datetime.now(UTC)

    def trusted(self) -> bool:
        return True

    def wait(self, condition: threading.Condition, until_us: int | None) -> None:
        if until_us is None:
            condition.wait(_LONGEST_S)
        elif (left_us := until_us - self.now_us()) > 0:
            condition.wait(min(_LONGEST_S, left_us / 1e6 / max(self.speed, 1e-3)))

    def keep_pace(self, who: str, until_us: int | None) -> None:
        """It waits for nobody."""
