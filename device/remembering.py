"""The store as the page reads it, again and again: a manifest whose file is still the same is not verified anew.

A file is the same while the system says so of its number, its size and its times: a manifest is only ever replaced
whole (``device/durable.py``), which gives it another number, and nobody can set the time of its last change (ctime)
back.

What is remembered of each recording is what long lists choose and tell by (``device/glimpse.py``). Whole manifests are
remembered of a hundred: a page shows fifty, and memory must not grow with the store.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from struct import Struct
from typing import Final, NamedTuple

from device.errors import DamagedError
from device.glimpse import Glimpse, Packing, glimpse_of
from device.overwriting import marked_among
from device.recording import HOLD_NAME, MANIFEST_NAME, SESSION_NAME, is_recording_id
from device.recording.manifest import Manifest
from device.store import Listed, StoreReader, no_id, read_signed
from device.words import By

MOST_MANIFESTS: Final = 100
_NO_GROUPS: Final[dict[str, tuple[str, ...]]] = {"digest_groups": ()}
_STAMP: Final = Struct("<QQqq")

_Read = tuple[Manifest, bytes]  # and the public key that it is signed by


class _Seen(NamedTuple):
    """A recording's folder at one look: the stamp of its manifest, and what names and sizes say."""

    stamp: bytes
    size_bytes: int
    going: By | None
    held: bool


class RememberingReader(StoreReader):
    """A store's reader that remembers the manifests it has verified. Safe for many threads.

    The manifests it gives have no digests of groups: with picture these are hundreds for each recording, and whoever
    compares them takes the signed document itself.
    """

    def __init__(self, *, of: StoreReader) -> None:
        super().__init__(of.path)
        self._place = str(of.path)
        self._known: dict[str, bytes] = {}  # packed glimpses; each begins with its stamp
        self._packing = Packing()
        self._recent: OrderedDict[str, tuple[bytes, _Read]] = OrderedDict()
        self._lock = threading.Lock()

    def ids(self) -> list[str]:
        """The recordings in the store, oldest first; what is gone from there is forgotten here.

        Raises:
            StoreError: the store cannot be listed.
        """
        ids = super().ids()
        with self._lock:
            for gone in self._known.keys() - ids:
                del self._known[gone]
                self._recent.pop(gone, None)
        return ids

    def find(self, recording_id: str) -> Listed | None:
        """One recording as lists show it, or ``None`` where there is none (any more).

        Raises:
            StoreError: that is no id.
        """
        try:
            seen = self._look(recording_id)
            manifest, key = self._read(recording_id, seen.stamp)
        except (KeyError, DamagedError, OSError):
            return None
        return Listed(manifest, seen.size_bytes, seen.going, held=seen.held, key=key)

    def glimpse(self, recording_id: str) -> Glimpse | None:
        """The same recording as long lists go through it; ``None`` also where the folder holds another's manifest.

        Raises:
            StoreError: that is no id.
        """
        try:
            stamp, size_bytes, going, held = self._look(recording_id)
            packed = self._known.get(recording_id)
            if packed is not None and packed.startswith(stamp):
                return self._packing.unpack(
                    packed, recording_id=recording_id, size_bytes=size_bytes, going=going, held=held
                )
            manifest, key = self._read(recording_id, stamp)
        except (KeyError, DamagedError, OSError):
            return None
        if manifest.id != recording_id:
            return None
        return glimpse_of(manifest, key, size_bytes=size_bytes, going=going, held=held)

    def _look(self, recording_id: str) -> _Seen:
        """One look at the folder says all that a name alone says: a list of thousands is made of little else.

        Raises:
            StoreError: that is no id.
            KeyError, OSError: it is not there, or has no manifest or file.
        """
        if not is_recording_id(recording_id):
            raise no_id()
        with os.scandir(f"{self._place}/{recording_id}") as entries:
            found = {entry.name: entry for entry in entries}
        facts = found[MANIFEST_NAME].stat()
        stamp = _STAMP.pack(facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
        return _Seen(stamp, found[SESSION_NAME].stat().st_size, marked_among(found), HOLD_NAME in found)

    def _read(self, recording_id: str, stamp: bytes) -> _Read:
        """What was verified when the file was the same, or is now. One replaced meanwhile is read again next time."""
        with self._lock:
            known = self._recent.get(recording_id)
            if known is not None and known[0] == stamp:
                self._recent.move_to_end(recording_id)
                return known[1]
        manifest, key = read_signed(self.folder(recording_id))
        read = (manifest.model_copy(update=_NO_GROUPS) if manifest.digest_groups else manifest, key)
        with self._lock:
            self._remember(recording_id, stamp, read)
        return read

    def _remember(self, recording_id: str, stamp: bytes, read: _Read) -> None:
        packed = self._packing.pack(*read, stamp=stamp) if read[0].id == recording_id else None
        if packed is None:
            self._known.pop(recording_id, None)
        else:
            self._known[recording_id] = packed
        self._recent[recording_id] = (stamp, read)
        self._recent.move_to_end(recording_id)
        if len(self._recent) > MOST_MANIFESTS:
            self._recent.popitem(last=False)
