"""What proves that a remote holds a recording, as the page reads it again and again: what is still the same is not
verified, and not digested, anew.

Receipts are only ever replaced whole (``device/durable.py``), which changes their folder. A file beside it is
the same while the system says so of its number, its size and its times, as a manifest is (``device/remembering.py``).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from device.belonging import beside_of
from device.recording import RECEIPTS_NAME
from device.recording.receipt import Receipt
from device.retaining import digests_beside, read_receipts

_Same = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """What was found when both were the same."""

    receipts_same: _Same = ()
    receipts: tuple[Receipt, ...] = ()
    beside_same: _Same | None = None
    beside: Mapping[str, str] | None = None


_NOTHING = _Known()


class Proofs:
    """Remembers what it has verified and digested. Safe for many threads."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._lock = threading.Lock()

    def receipts(self, folder: Path, key: bytes) -> tuple[Receipt, ...]:
        """The receipts beside the recording in ``folder`` that are signed by ``key``, as its manifest has to be."""
        place = _of_folder(folder / RECEIPTS_NAME)
        if place is None:  # there are none, or they went in this very moment
            return ()
        same = (key, *place)
        with self._lock:
            known = self._known.get(folder.name, _NOTHING)
        if known.receipts_same == same:
            return known.receipts
        receipts = read_receipts(folder, key)
        with self._lock:
            known = self._known.get(folder.name, _NOTHING)
            self._known[folder.name] = replace(known, receipts_same=same, receipts=receipts)
        return receipts

    def digests(self, folder: Path) -> Mapping[str, str] | None:
        """``DigestsOf`` (``device/retaining.py``)."""
        try:
            same = tuple(_of_file(folder, name) for name in beside_of(folder))
        except OSError:
            return None
        with self._lock:
            known = self._known.get(folder.name, _NOTHING)
        if known.beside_same == same:
            return known.beside
        beside = digests_beside(folder)
        with self._lock:
            known = self._known.get(folder.name, _NOTHING)
            self._known[folder.name] = replace(known, beside_same=same, beside=beside)
        return beside

    def forget_all_but(self, ids: set[str]) -> None:
        """Let go of what is not in the store any more."""
        with self._lock:
            for gone in self._known.keys() - ids:
                del self._known[gone]


def _of_folder(place: Path) -> tuple[int, ...] | None:
    try:
        facts = place.stat()
    except OSError:
        return None
    return facts.st_ino, facts.st_mtime_ns, facts.st_ctime_ns


def _of_file(folder: Path, name: str) -> tuple[str, int, int, int, int]:
    facts = (folder / name).stat()
    return name, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns
