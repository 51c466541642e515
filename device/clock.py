"""Time, handed in by whoever runs the show: nothing below the roof asks the machine for it.

Order and duration come from the monotonic clock; the wall clock is only ever written down beside them, with a flag
that says whether it can be believed.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

MICROSECONDS = 1_000_000
# One of these is there once a time server was heard: systemd-timesyncd's own (systemd-timesyncd.service(8)), or what
# sotto-clock.service leaves when chrony says so (docs/machine.md).
_SYNCHRONISED = (Path("/run/systemd/timesync/synchronized"), Path("/run/sotto-clock/heard"))
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """The time of one process. Safe to call from any thread; nothing here blocks but ``wait``."""

    def now_us(self) -> int:
        """Microseconds since some fixed moment; never goes back, whatever happens to the wall clock."""

    def utc(self) -> datetime:
        """The wall clock, which may be wrong."""

    def trusted(self) -> bool:
        """Whether the wall clock is known to have been set."""

    def wait(self, condition: threading.Condition, until_us: int | None) -> None:
        """Wait on a held condition until it is notified or the time has come (``None``: until notified).

        May return early; whoever waits asks again.
        """

    def keep_pace(self, who: str, until_us: int | None) -> None:
        """``who`` has come so far that a time that waits may run to ``until_us`` (``None``: for ever)."""


def wait_until(clock: Clock, until_us: int) -> None:
    """Wait until then by that clock."""
    condition = threading.Condition()
    with condition:
        while clock.now_us() < until_us:
            clock.wait(condition, until_us)


def wire_time(moment: datetime) -> str:
    """A moment as manifests and pages write it: UTC, ISO 8601, milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def boot_id() -> str:
    """Which boot of the machine this is: monotonic times compare only within one (random(4))."""
    return _BOOT_ID.read_text(encoding="ascii").strip()


@dataclass(frozen=True, slots=True)
class Stamp:
    """A moment as signed documents hold it: what the wall clock said, and what can be believed whatever it said."""

    wall: str
    trusted: bool = False
    boot: str | None = None
    monotonic_us: int | None = None


def stamp(clock: Clock, boot: str) -> Stamp:
    """This moment."""
    return Stamp(wire_time(clock.utc()), clock.trusted(), boot, clock.now_us())


class SystemClock:
    """The machine's own clocks. ``heard``: files one of which is there once a time server was heard."""

    def __init__(self, heard: Sequence[Path] = _SYNCHRONISED) -> None:
        self._heard = tuple(map(str, heard))

    def now_us(self) -> int:
        return time.monotonic_ns() // 1000

    def utc(self) -> datetime:
        return datetime.now(UTC)

    def trusted(self) -> bool:
        return any(os.path.exists(path) for path in self._heard)  # noqa: PTH110  # asked twice a second

    def wait(self, condition: threading.Condition, until_us: int | None) -> None:
        if until_us is None:
            condition.wait()
        elif (left_us := until_us - self.now_us()) > 0:
            condition.wait(left_us / MICROSECONDS)

    def keep_pace(self, who: str, until_us: int | None) -> None:
        """Real time waits for nobody."""


class PacedClock:
    """Time that runs ``speed`` times as fast as the machine's, and waits for those who cannot keep pace.

    A rehearsal at twenty times the speed asks more of the machine than a box ever will. Time then stands still until
    the slowest has come after it, so that a slow machine makes the rehearsal longer instead of making it lose sound
    that a real microphone would have delivered in good time.
    """

    def __init__(self, *, speed: float, start: datetime, real_s: Callable[[], float] = time.monotonic) -> None:
        self._speed = speed
        self._start = start
        self._real_s = real_s
        self._lock = threading.Lock()
        self._anchor_s = real_s()
        self._base_us = 0
        self._latest_us = 0
        self._limits: dict[str, int] = {}

    def now_us(self) -> int:
        with self._lock:
            return self._now_us()

    def _now_us(self) -> int:
        real_s = self._real_s()
        now_us = self._base_us + int((real_s - self._anchor_s) * MICROSECONDS * self._speed)
        limit_us = min(self._limits.values(), default=now_us)
        if now_us > limit_us:
            # Time stands still here: what has passed outside is forgotten, not caught up with later. A limit that was
            # passed before it was set stops time where it is; it never goes back.
            now_us = self._base_us = max(self._latest_us, limit_us)
            self._anchor_s = real_s
        self._latest_us = now_us
        return now_us

    def keep_pace(self, who: str, until_us: int | None) -> None:
        with self._lock:
            self._now_us()
            if until_us is None:
                self._limits.pop(who, None)
            else:
                self._limits[who] = until_us

    def utc(self) -> datetime:
        return datetime.fromtimestamp(self._start.timestamp() + self.now_us() / MICROSECONDS, tz=UTC)

    def trusted(self) -> bool:
        return True

    def wait(self, condition: threading.Condition, until_us: int | None) -> None:
        if until_us is None:
            condition.wait()
        elif (left_us := until_us - self.now_us()) > 0:
            condition.wait(max(left_us / MICROSECONDS / self._speed, 0.0005))
