"""Reminds capture who works in the room: what the page was told outlives a restart of either program, and a reboot.

Capture forgets it with the machine's memory, so without this a therapist who checked in this morning would record what
is nobody's after a power cut at noon, and would have to look at the page to notice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from device.errors import AdminError
from device.naming_requests import Asked, Named, NotNamedError, OnDuty, ask_naming
from device.people.duty import Duty
from device.status import read_status
from device.web.house import is_stale

_EVERY_S: Final = 5.0


class Reminder:
    """Looks again and again whether capture knows what the page knows, on a thread of its own, until it is closed."""

    def __init__(
        self,
        run: Path,
        *,
        held: Callable[[float], Duty | None],
        unix_s: Callable[[], float],
        ask: Callable[[Asked, Path], Named] = ask_naming,
        every_s: float = _EVERY_S,
    ) -> None:
        """``held``: who is checked in, as the page knows it; ``unix_s``: the wall clock that both are told by."""
        self._run = run
        self._held = held
        self._unix_s = unix_s
        self._ask = ask
        self._every_s = every_s
        self._differed: tuple[str | None, str | None] | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._look_again, name="reminder", daemon=True)

    def start(self) -> None:
        """Begin, once."""
        self._thread.start()

    def close(self) -> None:
        """End; what is being asked is waited for. Also where it never began, or was cut short while it did."""
        self._closing.set()
        if self._thread.is_alive():  # one that is told to end before it has quite begun looks at nothing any more
            self._thread.join()

    def _look_again(self) -> None:
        while not self._closing.wait(self._every_s):
            # Capture is away, or cannot note it; or the people are being written to. The page tells of each by itself.
            with suppress(AdminError, NotNamedError):
                self.look()

    def look(self) -> None:
        """Look once. What differs twice in a row is told: of a check-in under way one knows before the other.

        Raises:
            AdminError, NotNamedError: it could not be told.
        """
        status, now_s = read_status(self._run), self._unix_s()
        if status is None or is_stale(status, unix_s=now_s):
            return
        held = self._held(now_s)
        wanted = None if held is None else held.mark
        differs = None if wanted == status.on_duty else (wanted, status.on_duty)
        before, self._differed = self._differed, differs
        if differs is None or differs != before:
            return
        if held is not None:
            self._ask(OnDuty(by=held.mark, therapist=held.mark, for_s=max(1, int(held.until_s - now_s))), self._run)
        elif status.on_duty is not None:
            self._ask(OnDuty(by=status.on_duty, therapist=None), self._run)
