"""The store as the page reads it, again and again: a manifest whose file is still the same is not verified anew.

A file is the same while the system says so of its number, its size and its times: a manifest is only ever replaced
whole (``device/durable.py``), which gives it another number, and nobody can set the time of its last change (ctime)
back.
"""

from __future__ import annotations

import os
import threading
from typing import Final

from device.errors import DamagedError
from device.overwriting import marked_among
from device.recording import HOLD_NAME, MANIFEST_NAME, SESSION_NAME, is_recording_id
from device.recording.manifest import Manifest
from device.store import Listed, StoreReader, no_id, read_signed

_NO_GROUPS: Final[dict[str, tuple[str, ...]]] = {"digest_groups": ()}

_Same = tuple[int, int, int, int]
_Read = tuple[Manifest, bytes]  # and the public key that it is signed by


class RememberingReader(StoreReader):
    """A store's reader that remembers the manifests it has verified. Safe for many threads.

    The manifests it gives have no digests of groups: with picture these are hundreds for each recording, and whoever
    compares them takes the signed document itself.
    """

    def __init__(self, *, of: StoreReader) -> None:
        super().__init__(of.path)
        self._place = str(of.path)
        self._known: dict[str, tuple[_Same, _Read]] = {}
        self._lock = threading.Lock()

    def ids(self) -> list[str]:
        """The recordings in the store, oldest first; what is gone from there is forgotten here.

        Raises:
            StoreError: the store cannot be listed.
        """
        ids = super().ids()
        with self._lock:
            for gone in self._known.keys() - set(ids):
                del self._known[gone]
        return ids

    def find(self, recording_id: str) -> Listed | None:
        """One recording as lists show it, or ``None`` where there is none (any more).

        Raises:
            StoreError: that is no id.
        """
        if not is_recording_id(recording_id):
            raise no_id()
        # One look at the folder says all that a name alone says: a list of thousands is made of little else.
        try:
            with os.scandir(f"{self._place}/{recording_id}") as entries:
                found = {entry.name: entry for entry in entries}
            facts = found[MANIFEST_NAME].stat()
            size_bytes = found[SESSION_NAME].stat().st_size
            same = facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns
            manifest, key = self._read(recording_id, same)
        except (KeyError, DamagedError, OSError):
            return None
        return Listed(manifest, size_bytes, marked_among(found), held=HOLD_NAME in found, key=key)

    def _read(self, recording_id: str, same: _Same) -> _Read:
        """What was verified when the file was the same, or is now. One replaced meanwhile is read again next time."""
        with self._lock:
            known = self._known.get(recording_id)
        if known is not None and known[0] == same:
            return known[1]
        manifest, key = read_signed(self.folder(recording_id))
        read = (manifest.model_copy(update=_NO_GROUPS) if manifest.digest_groups else manifest, key)
        with self._lock:
            self._known[recording_id] = (same, read)
        return read
