"""Looks after the clinic's list of people while the page runs: at its start, and then again and again."""

from __future__ import annotations

import threading
from typing import Final

from device.people.from_clinic import FromClinic

_EVERY_S: Final = 5.0


class Attendant:
    """Looks on a thread of its own, until it is closed; where people are made on the page there is nothing to do.

    The first look is over before anybody is served: who left while the page did not run finds no way in.
    """

    def __init__(self, from_clinic: FromClinic | None, *, every_s: float = _EVERY_S) -> None:
        self._from_clinic = from_clinic
        self._every_s = every_s
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._look_again, name="attendant", daemon=True)

    def start(self) -> None:
        """Begin, once."""
        if self._from_clinic is not None:
            self._from_clinic.look()
            self._thread.start()

    def close(self) -> None:
        """End; a look under way is waited for. Also where it never began."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()

    def _look_again(self) -> None:
        while self._from_clinic is not None and not self._closing.wait(self._every_s):
            self._from_clinic.look()  # what is wrong stands on the page, and is told by `sotto check`
