"""Who works in the room, as the page says: whose mark stands in the manifests of the recordings that begin meanwhile.

It ends by itself, by the monotonic clock. It outlives a restart of the service, in a folder of memory, and no reboot:
then the page says it anew.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from device.errors import StoreError
from device.shapes import Shape, ShapeError, rule

DUTY_NAME: Final = "on-duty.json"
_MICROSECONDS: Final = 1_000_000


class _Kept(Shape):
    therapist: Annotated[str, rule(pattern=r"^[0-9a-f]{12}$")]
    boot: str
    until_us: int


@dataclass(frozen=True, slots=True)
class _Checked:
    therapist: str
    until_us: int


class Duty:
    """Who works in the room. Safe to call from any thread; only ``begin`` and ``end`` write."""

    def __init__(self, run: Path | None = None, *, boot: str = "") -> None:
        """``run``: the folder of memory; ``None``: nothing is kept (a rehearsal is over before anybody comes back)."""
        self._path = None if run is None else run / DUTY_NAME
        self._boot = boot
        self._lock = threading.Lock()
        self._checked = self._read()

    def therapist(self, now_us: int) -> str | None:
        """The mark of who works in the room now; ``None``: nobody does. Never waits for a disk."""
        checked = self._checked
        return None if checked is None or now_us >= checked.until_us else checked.therapist

    def begin(self, therapist: str, *, now_us: int, for_s: int) -> None:
        """Somebody works here from now on, until another does, ``end``, or the time is over.

        Raises:
            StoreError: it cannot be written down; whoever worked here still does.
        """
        until_us = now_us + for_s * _MICROSECONDS
        with self._lock:
            kept = _Kept(therapist=therapist, boot=self._boot, until_us=until_us)
            self._write(kept.model_dump_json())
            self._checked = _Checked(therapist, until_us)

    def end(self) -> None:
        """Nobody works here any more; that holds at once, also where it cannot be written down.

        Raises:
            StoreError: a restart of the service would not know of it.
        """
        with self._lock:
            self._checked = None
            self._write("")

    def _write(self, content: str) -> None:
        if self._path is None:
            return
        beside = self._path.with_name(self._path.name + ".new")
        try:
            beside.write_text(content, encoding="utf-8")
            beside.rename(self._path)
        except OSError as problem:
            reason = problem.strerror or "unknown error"
            raise StoreError(
                f"who works in the room cannot be written down: {reason}", "check the folder that box.run names"
            ) from problem

    def _read(self) -> _Checked | None:
        try:
            kept = None if self._path is None else _Kept.model_validate_json(self._path.read_bytes())
        except (OSError, ShapeError):
            return None
        return None if kept is None or kept.boot != self._boot else _Checked(kept.therapist, kept.until_us)
