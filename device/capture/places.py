"""Where what is named now belongs: which recording runs, whose window is open, and which are not over yet.

Told by the recorder, as its takes go on; asked by whoever seals what the page names. Nothing here is ever waited for by
a take.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from device.words import Consent


@dataclass(frozen=True, slots=True)
class Begun:
    """A recording has its folder, and its first chunk is durable. ``therapist``: who was checked in when it began."""

    recording: str
    therapist: str | None
    consent: Consent


@dataclass(slots=True)
class _Take:
    recording: str | None = None
    settled: bool = False


class Places:
    """The takes of a recorder, as far as names go. Safe to call from any thread; only ``current`` waits."""

    def __init__(self) -> None:
        self.on_begun: Callable[[Begun], None] = lambda _begun: None  # must neither wait nor fail: a writer calls it
        self._condition = threading.Condition()
        self._takes: dict[int, _Take] = {}

    def started(self, ordinal: int) -> None:
        """RECORD was pressed."""
        with self._condition:
            self._takes[ordinal] = _Take()

    def begun(self, ordinal: int, begun: Begun) -> None:
        """There is a recording."""
        with self._condition:
            if ordinal in self._takes:
                self._takes[ordinal].recording = begun.recording
            self.on_begun(begun)
            self._condition.notify_all()

    def settled(self, ordinal: int) -> None:
        """Its window has closed: what is named from now on belongs to another."""
        with self._condition:
            if ordinal in self._takes:
                self._takes[ordinal].settled = True
            self._condition.notify_all()

    def over(self, ordinal: int) -> None:
        """Nothing is left to do for it, or it never began."""
        with self._condition:
            self._takes.pop(ordinal, None)
            self._condition.notify_all()

    def current(self, *, patience_s: float) -> str | None:
        """The recording that runs, or whose window is open; ``None``: there is none.

        One that has only been started is waited for, as long as ``patience_s`` allows.
        """
        with self._condition:
            self._condition.wait_for(lambda: not self._is_starting(), patience_s)
            newest = self._newest()
            return None if newest is None else newest.recording

    def is_under_way(self, recording_id: str) -> bool:
        """Whether somebody may still write to its manifest: it runs, is being sealed, or its window is open."""
        with self._condition:
            return any(take.recording == recording_id for take in self._takes.values())

    def _is_starting(self) -> bool:
        newest = self._newest()
        return newest is not None and newest.recording is None

    def _newest(self) -> _Take | None:
        """The newest whose window is open; a settled one that is newer than it there cannot be."""
        newest = next(reversed(self._takes.values()), None)
        return None if newest is None or newest.settled else newest
