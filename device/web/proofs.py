"""What proves that a remote holds a recording, as the page reads it again and again: what is still the same is not
verified anew.

Receipts are only ever replaced whole (``device/durable.py``), which changes their folder; so is a manifest, which gets
another number.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from device.errors import DamagedError
from device.recording import MANIFEST_NAME, RECEIPTS_NAME
from device.recording.receipt import Receipt
from device.recording.signing import verify
from device.retaining import read_receipts


@dataclass(frozen=True, slots=True)
class Proof:
    """The receipts that are signed by the ``key`` that signed the manifest; no key: that cannot be read."""

    key: bytes = b""
    receipts: tuple[Receipt, ...] = ()


class Proofs:
    """Remembers what it has verified. Safe for many threads."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, ...], Proof]] = {}
        self._lock = threading.Lock()

    def of(self, folder: Path) -> Proof:
        """What proves that a remote holds the recording in ``folder``."""
        try:
            same = _same(folder)
            with self._lock:
                known = self._known.get(folder.name)
            if known is not None and known[0] == same:
                return known[1]
            key = verify("manifest", (folder / MANIFEST_NAME).read_bytes()).key
        except (OSError, DamagedError):  # it went in this very moment
            return Proof()
        proof = Proof(key, read_receipts(folder, key))
        with self._lock:
            self._known[folder.name] = same, proof
        return proof

    def forget_all_but(self, ids: set[str]) -> None:
        """Let go of what is not in the store any more."""
        with self._lock:
            for gone in self._known.keys() - ids:
                del self._known[gone]


def _same(folder: Path) -> tuple[int, ...]:
    manifest = (folder / MANIFEST_NAME).stat()
    try:
        receipts = (folder / RECEIPTS_NAME).stat().st_mtime_ns
    except FileNotFoundError:
        receipts = 0
    return manifest.st_ino, manifest.st_size, manifest.st_mtime_ns, manifest.st_ctime_ns, receipts
