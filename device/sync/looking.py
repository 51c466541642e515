"""What sync finds in the store: recordings, their receipts, erase orders; and whether the capture service runs.

Sync only reads. What was looked at before is looked at again only where a file of it changed: a look at a thousand
recordings is a thousand listings of a folder.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

from device.audit import newest_line
from device.belonging import beside_of, digest_of
from device.errors import DamagedError, StoreError
from device.lived import Lived, age_us
from device.overwriting import marked_by
from device.recording import ATTACHMENTS_NAME, ERASE_ORDERS_NAME, MANIFEST_NAME, RECEIPTS_NAME, is_recording_id
from device.recording.chain import AUDIT_NAME
from device.recording.erasure import ORDER_KIND, EraseOrder
from device.recording.manifest import Manifest, RecordingState
from device.recording.receipt import RECEIPT_KIND, Receipt
from device.recording.signing import verify
from device.shapes import ShapeError
from device.status import STALE_AFTER_S, Status, read_status
from device.store import StoreReader
from device.sync_queue import Order, Standing
from device.words import Consent

_SUFFIX: Final = ".json"

_Seen: TypeAlias = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class _Known:
    seen: _Seen
    standing: Standing | None
    manifest: Manifest | None
    key: bytes | None


class Looking:
    """Looks at the store and at the published status, again and again."""

    def __init__(self, store: StoreReader, *, run: Path, remote: str) -> None:
        self._store = store
        self._run = run
        self._remote = remote
        self._known: dict[str, _Known] = {}

    def standing(self) -> tuple[Standing, ...]:
        """Every recording whose manifest holds.

        Raises:
            StoreError: the store cannot be listed.
        """
        ids = self._store.ids()
        self._known = {one: known for one, known in self._known.items() if one in set(ids)}
        lived = None
        found = []
        for recording_id in ids:
            with suppress(OSError, DamagedError, ShapeError):  # it has only begun, or goes at this moment
                known = self._look(recording_id)
                if known.standing is None or known.manifest is None or known.key is None:
                    continue
                lived = lived or self._store.read_lived(known.key)
                found.append(replace(known.standing, age_us=_age_us(lived, known.manifest)))
        return tuple(found)

    def _look(self, recording_id: str) -> _Known:
        folder = self._store.folder(recording_id)
        seen = _seen(folder)
        known = self._known.get(recording_id)
        if known is None or known.seen != seen:
            known = self._known[recording_id] = self._read(folder, seen)
        return known

    def _read(self, folder: Path, seen: _Seen) -> _Known:
        signed = verify("manifest", (folder / MANIFEST_NAME).read_bytes())
        manifest = Manifest.model_validate(signed.payload)
        standing = Standing(
            recording=folder.name,
            started=manifest.started,
            size_bytes=manifest.size_bytes,
            digest=manifest.digest,
            is_open=manifest.state is RecordingState.OPEN,
            is_going=marked_by(folder) is not None,
            sound_only=manifest.consent is Consent.SOUND,
            starred=bool(manifest.bookmarks_us),
            beside={name: digest_of(folder / name) for name in beside_of(folder)},
            receipt=self._receipt(folder, signed.key),
        )
        return _Known(seen, standing, manifest, signed.key)

    def _receipt(self, folder: Path, key: bytes) -> Receipt | None:
        """The receipt of this remote, where the box that signed the manifest signed it."""
        try:
            signed = verify(RECEIPT_KIND, (folder / RECEIPTS_NAME / f"{self._remote}{_SUFFIX}").read_bytes())
            receipt = Receipt.model_validate(signed.payload)
        except (DamagedError, OSError, ShapeError):
            return None
        return receipt if signed.key == key and receipt.remote == self._remote else None

    def orders(self) -> tuple[Order, ...]:
        """The erase orders that wait. One that does not hold is an order all the same: its name says for what."""
        folder = self._store.path / ERASE_ORDERS_NAME
        found = []
        for path in sorted(folder.glob(f"*{_SUFFIX}")) if folder.is_dir() else ():
            if is_recording_id(path.stem):
                with suppress(FileNotFoundError):
                    found.append(Order(path.stem, _started(path)))
        return tuple(found)

    def order_path(self, recording_id: str) -> Path:
        """Where the signed order is."""
        return self._store.path / ERASE_ORDERS_NAME / f"{recording_id}{_SUFFIX}"

    def folder(self, recording_id: str) -> Path:
        """Where a recording is."""
        return self._store.folder(recording_id)

    def manifest(self, recording_id: str) -> Manifest | None:
        """What its manifest said when it was looked at last."""
        known = self._known.get(recording_id)
        return None if known is None else known.manifest

    def may_leave(self, recording_id: str, *, unix_s: float) -> bool:
        """Whether a recording that is being sent may go on leaving the room at this very moment."""
        status, folder = self.status(unix_s=unix_s), self._store.folder(recording_id)
        if status is None or recording_id in {window_of(status), status.recording.id if status.recording else None}:
            return False
        return (folder / MANIFEST_NAME).exists() and marked_by(folder) is None

    def status(self, *, unix_s: float) -> Status | None:
        """What capture publishes; ``None`` where that is too old to be believed."""
        status = read_status(self._run)
        return status if status is not None and abs(unix_s - status.published_unix_s) <= STALE_AFTER_S else None

    def audit_line(self) -> tuple[int, bytes] | None:
        """The newest line of the audit log and its number; ``None`` where there is no log."""
        try:
            return newest_line(self._store.path / AUDIT_NAME)
        except StoreError:
            return None


def window_of(status: Status) -> str | None:
    """The recording whose window is open, so that nothing of it may leave the room."""
    return status.last.id if status.last is not None and status.last.window_left_s > 0 else None


def _seen(folder: Path) -> _Seen:
    """What tells whether anything in a recording's folder changed."""
    found = []
    for place in (folder, folder / ATTACHMENTS_NAME, folder / RECEIPTS_NAME):
        with suppress(FileNotFoundError, NotADirectoryError):
            for entry in os.scandir(place):
                about = entry.stat()
                found.append((f"{place.name}/{entry.name}", about.st_ino, about.st_mtime_ns, about.st_size))
    return tuple(sorted(found))


def _started(path: Path) -> str | None:
    try:
        return EraseOrder.model_validate(verify(ORDER_KIND, path.read_bytes()).payload).started
    except (DamagedError, ShapeError):
        return None


def _age_us(lived: Lived | None, manifest: Manifest) -> int:
    if lived is None:
        return 0
    return age_us(lived, manifest.id, boot=manifest.boot, started_monotonic_us=manifest.started_monotonic_us)
