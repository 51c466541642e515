"""How fast something moves, over the last seconds: what a person asks who waits for it. Pure; time comes in."""

from __future__ import annotations

from collections import deque
from typing import Final

from device.clock import MICROSECONDS

OVER_US: Final = 10 * MICROSECONDS
_LEAST_US: Final = MICROSECONDS
_APART_US: Final = MICROSECONDS // 4


class Pace:
    """Bytes that moved, and when; what is older than ten seconds no longer counts."""

    def __init__(self) -> None:
        self._marks: deque[tuple[int, int]] = deque()  # (moment, all that had moved by then)
        self._moved_bytes = 0

    def begin(self, now_us: int) -> None:
        """Something new moves from now on."""
        self._marks = deque([(now_us, 0)])
        self._moved_bytes = 0

    def moved(self, moved_bytes: int, now_us: int) -> None:
        """So many bytes more have moved."""
        self._moved_bytes += moved_bytes
        if not self._marks or now_us - self._marks[-1][0] >= _APART_US:
            self._marks.append((now_us, self._moved_bytes))
        while len(self._marks) > 1 and self._marks[1][0] <= now_us - OVER_US:
            self._marks.popleft()

    def bytes_per_s(self, now_us: int) -> int | None:
        """How fast it moves; ``None`` before there is a second to judge by, or where nothing moves."""
        if not self._marks:
            return None
        began_us, before_bytes = self._marks[0]
        if (passed_us := now_us - began_us) < _LEAST_US:
            return None
        return (self._moved_bytes - before_bytes) * MICROSECONDS // passed_us
