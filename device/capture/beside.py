"""When something may be written beside a recording: while it is there, whole, and nobody wants it erased.

Nothing here waits for a take. An erasure is waited for, and while somebody writes none begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from device.capture.places import Places
from device.naming_requests import NotNamedError, Reason
from device.recording import LEDGER_NAME
from device.recording.manifest import RecordingState
from device.store import Listed, Store

_PATIENCE_S: Final = 5.0


class Beside:
    """The recordings of a store, for whoever names things. Safe to call from any thread."""

    def __init__(self, store: Store, *, places: Places, in_order: Callable[[], bool]) -> None:
        """``in_order``: whether recovery is over, which sweeps away what it takes for left half done."""
        self._store = store
        self._places = places
        self._in_order = in_order

    def find(self, recording_id: str) -> Listed:
        """The recording, if anything may be put beside it now. Its first chunk is durable, or it is not found.

        Raises:
            NotNamedError: nothing may.
        """
        if not self._in_order():
            raise NotNamedError(Reason.BUSY, "the recordings are being put in order", "try again in a minute")
        listed = self._store.find(recording_id)
        if listed is None:
            raise NotNamedError(
                Reason.GONE, "there is no such recording in the store", "take it from the list of recordings"
            )
        if listed.going is not None or recording_id in self._store.erasing.owed:
            raise NotNamedError(Reason.GOING, "that recording is being erased", "there is nothing left to name")
        return listed

    def find_closed(self, recording_id: str) -> Listed:
        """The same, if nobody else writes its manifest any more: no take, and no recovery.

        Raises:
            NotNamedError: nothing may be put there, or somebody does.
        """
        listed = self.find(recording_id)
        is_torn = (self._store.folder(recording_id) / LEDGER_NAME).exists()
        is_open = listed.manifest.state is RecordingState.OPEN or is_torn
        if is_open or self._places.is_under_way(recording_id):
            raise NotNamedError(
                Reason.NOT_CLOSED, "that recording is not over yet", "try again when its two minutes are over"
            )
        return listed

    @contextmanager
    def undisturbed(self, recording_id: str, *, patiently: bool = False) -> Iterator[Path]:
        """Its folder, while no erasure begins. ``patiently``: one under way is waited for, however long it takes.

        Raises:
            NotNamedError: nothing may be put there (any more), or an erasure takes too long.
        """
        lock = self._store.erasing.undisturbed()
        if not lock.acquire(timeout=-1 if patiently else _PATIENCE_S):
            raise NotNamedError(Reason.BUSY, "another recording is being erased just now", "try again in a minute")
        try:
            self.find(recording_id)
            yield self._store.folder(recording_id)
        finally:
            lock.release()
