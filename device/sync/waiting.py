"""When sync goes on: it is paused, it ends, its hours and limits, and all waiting.

A pause is an empty file in sync's own folder, so it lasts over a restart. That folder may be lost: then it is none.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from math import ceil
from pathlib import Path
from typing import Any, Final

from device.clock import MICROSECONDS, Clock
from device.durable import make_name, sync_folder
from device.notify import ALIVE, Notify
from device.sync.telling import Telling
from device.sync_schedule import Bucket, Limits
from device.sync_status import SyncState

PAUSED_NAME: Final = "paused"
_SLICE_S: Final = 0.5


class Waiting:
    """``stop``, ``pause``, ``resume`` and ``hurry`` are called from any thread, all else from the loop's."""

    def __init__(self, *, state: Path, limits: Limits, clock: Clock, telling: Telling, notify: Notify) -> None:
        """``state``: sync's own folder; it is made when it is needed."""
        self._paused = state / PAUSED_NAME
        self._limits = limits
        self._clock = clock
        self._telling = telling
        self._notify = notify
        self._bucket = Bucket()
        self._condition = threading.Condition()
        self._poked = False
        self.ending = False

    # -- from any thread ----------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """End, soon; also from a signal's handler."""
        self.ending = True

    def pause(self) -> None:
        """Send nothing from now on, after a restart neither. Erase orders still go.

        Raises:
            OSError: it will not be remembered.
        """
        self._paused.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        make_name(self._paused)
        self.hurry()

    def resume(self) -> None:
        """Send again.

        Raises:
            OSError: it will not be remembered.
        """
        with suppress(FileNotFoundError):
            self._paused.unlink()
            sync_folder(self._paused.parent)
        self.hurry()

    def hurry(self) -> None:
        """Wait no longer."""
        with self._condition:
            self._poked = True
            self._condition.notify()

    # -- from the loop ------------------------------------------------------------------------------------------------

    @property
    def is_paused(self) -> bool:
        """Whether somebody paused."""
        return self._paused.exists()

    @property
    def limit(self) -> int | None:
        """How many bytes a second may be sent now; 0: none."""
        return self._limits.bytes_per_s(self._clock.utc().astimezone(), trusted=self._clock.trusted())

    def now_s(self) -> float:
        """The monotonic clock."""
        return self._clock.now_us() / MICROSECONDS

    def unix_s(self) -> float:
        """The wall clock, by which the capture service publishes its status."""
        return self._clock.utc().timestamp()

    def rest(self, seconds: float) -> bool:
        """Wait, and publish that sync lives; ``True`` where somebody would not have it wait any longer."""
        until_s = self.now_s() + seconds
        while not (self.ending or self._poked) and (left_s := until_s - self.now_s()) > 0:
            held_up = self._telling.status.state is SyncState.HELD_UP
            told: dict[str, Any] = {"next_try_s": round(left_s, 1) if held_up else None}
            self._telling.alive(**told)
            self._notify(ALIVE)
            self.wait(until_s)
        poked, self._poked = self._poked, False
        return poked

    def wait(self, until_s: float) -> None:
        """Wait for half a second at most."""
        until_us = ceil(min(until_s, self.now_s() + _SLICE_S) * MICROSECONDS) + 1  # never a moment that is now
        with self._condition:
            self._clock.wait(self._condition, until_us)

    def reserve(self, moved_bytes: int) -> float:
        """When so many bytes may be sent, by the monotonic clock."""
        now_s = self.now_s()
        return now_s + self._bucket.wait_s(moved_bytes, limit=self.limit, now_s=now_s)
