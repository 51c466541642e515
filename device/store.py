"""The store: one folder per recording, and what may happen to it.

Only the capture process writes here (``Store``), but for a research hold; everything else reads (``StoreReader``).
Every change of a name is made durable before it counts.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.claim import claimed
from device.clock import Stamp
from device.digests import random_hex
from device.durable import sync_folder, write_whole
from device.erasing import Erasing
from device.errors import DamagedError, StoreError, StoreFullError
from device.glimpse import Glimpse, glimpse_of
from device.lived import LIVED_KIND, Lived
from device.overwriting import GoOn, mark, marked_by
from device.recording import (
    ERASE_ORDERS_NAME,
    ERASED_NAME,
    HOLD_NAME,
    MANIFEST_NAME,
    RECEIPTS_NAME,
    SESSION_NAME,
    WITHDRAWN_NAME,
    is_recording_id,
)
from device.recording.manifest import Manifest
from device.recording.receipt import RECEIPT_KIND, Receipt
from device.recording.signing import sign, verify
from device.shapes import ShapeError
from device.words import By

LIVED_NAME: Final = "lived.json"
PROBE_GLOB: Final = ".probe-*"
_TAIL_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"  # 32: each is as likely as any other
_FULL_ERRNOS: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def store_error(problem: OSError, doing: str) -> StoreError:
    """What the operating system said about the store, in our words."""
    if problem.errno in _FULL_ERRNOS:
        return StoreFullError(f"the store is full: {doing}", "free room on the store, or let the box finish its sync")
    reason = problem.strerror or "unknown error"
    return StoreError(f"the store failed: {doing}: {reason}", "check the store's disk and who may write to its folder")


@dataclass(frozen=True, slots=True)
class Listed:
    """A recording as lists show it. ``size_bytes`` is the file as it is now, also while it grows.

    ``going``: who wants it erased, as soon as that can be done. ``held``: for research, so that retention lets it be.
    ``key``: the public one that its manifest is signed by.
    """

    manifest: Manifest
    size_bytes: int
    going: By | None
    held: bool = False
    key: bytes = b""

    @property
    def withdrawn(self) -> bool:
        """Whether the client withdrew it."""
        return self.going is By.CLIENT

    @property
    def glimpse(self) -> Glimpse:
        """The same as long lists go through it."""
        return glimpse_of(self.manifest, self.key, size_bytes=self.size_bytes, going=self.going, held=self.held)


class StoreReader:
    """The folder that recordings live in, as those see it who only read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def free_bytes(self) -> int:
        """Room left for recordings, in bytes.

        Raises:
            StoreError: the store is not there.
        """
        try:
            return shutil.disk_usage(self.path).free
        except OSError as problem:
            raise store_error(problem, "its free room cannot be read") from problem

    def folder(self, recording_id: str) -> Path:
        """The folder of a recording; the id is checked, so that no name leads out of the store.

        Raises:
            StoreError: that is no id.
        """
        if not is_recording_id(recording_id):
            raise no_id()
        return self.path / recording_id

    def ids(self) -> list[str]:
        """The recordings in the store, oldest first.

        Raises:
            StoreError: the store cannot be listed.
        """
        try:
            return sorted(entry.name for entry in os.scandir(self.path) if is_recording_id(entry.name))
        except OSError as problem:
            raise store_error(problem, "it cannot be listed") from problem

    def listing(self) -> list[Listed]:
        """Every recording whose manifest can be read, newest first."""
        return [listed for recording_id in reversed(self.ids()) if (listed := self.find(recording_id)) is not None]

    def find(self, recording_id: str) -> Listed | None:
        """One recording as lists show it, or ``None`` where there is none (any more)."""
        folder = self.folder(recording_id)
        try:
            manifest, key = read_signed(folder)
            size_bytes = (folder / SESSION_NAME).stat().st_size
        except (DamagedError, OSError):
            return None
        return Listed(manifest, size_bytes, marked_by(folder), held=(folder / HOLD_NAME).exists(), key=key)

    def going(self) -> list[tuple[str, By]]:
        """Every recording that somebody wants erased, and who.

        Raises:
            StoreError: the store cannot be listed.
        """
        marked = [(recording_id, marked_by(self.path / recording_id)) for recording_id in self.ids()]
        return [(recording_id, by) for recording_id, by in marked if by is not None]

    def read_lived(self, key: bytes) -> Lived | None:
        """The lived time that was written last; ``None`` where there is none that the box with this key wrote."""
        try:
            signed = verify(LIVED_KIND, (self.path / LIVED_NAME).read_bytes())
            return Lived.model_validate(signed.payload) if signed.key == key else None
        except (DamagedError, OSError, ShapeError):
            return None


class Store(StoreReader):
    """The same folder for the one process that writes to it, with the key that signs what the box says."""

    def __init__(self, path: Path, *, device_key: Ed25519PrivateKey) -> None:
        super().__init__(path)
        self._device_key = device_key
        self.erasing = Erasing(path, sign=self.signed, manifest_of=manifest_of)

    def signed(self, kind: str, facts: dict[str, Any]) -> bytes:
        """Facts as a document that the box has signed."""
        return sign(kind, facts, self._device_key)

    def look(self) -> None:
        """Find out whether the store seems to be one that can be written, without writing anything.

        Raises:
            StoreError: it is missing, read-only, or somebody else's.
        """
        doing = "nothing can be written to it"
        try:
            read_only = os.statvfs(self.path).f_flag & os.ST_RDONLY
        except OSError as problem:
            raise store_error(problem, doing) from problem
        if read_only or not os.access(self.path, os.W_OK | os.X_OK):
            why = errno.EROFS if read_only else errno.EACCES
            raise store_error(OSError(why, os.strerror(why)), doing)

    def check(self) -> None:
        """Find out whether the store can be written, by writing to it.

        Raises:
            StoreError: it is missing, full, read-only, or somebody else's.
        """
        probe = self.path / PROBE_GLOB.replace("*", random_hex(4))
        try:
            probe.write_bytes(b"sotto")
            probe.unlink(missing_ok=True)
        except OSError as problem:
            raise store_error(problem, "nothing can be written to it") from problem

    def new_folder(self) -> Path:
        """Make the folder of the next recording. Its number follows the highest ever used here.

        Raises:
            StoreError: it could not be made.
        """
        try:
            used = [int(name[:6]) for name in self._names()]
            tail = "".join(_TAIL_LETTERS[byte % len(_TAIL_LETTERS)] for byte in os.urandom(10))
            folder = self.path / f"{max(used, default=0) + 1:06d}-{tail}"
            folder.mkdir(mode=0o750)
            sync_folder(self.path)
        except OSError as problem:
            raise store_error(problem, "no folder for a recording could be made") from problem
        return folder

    def _names(self) -> Iterator[str]:
        yield from self.ids()
        if (erased := self.path / ERASED_NAME).is_dir():
            yield from (path.stem for path in erased.iterdir() if is_recording_id(path.stem))

    def write_manifest(self, manifest: Manifest) -> None:
        """Sign the manifest and put it in its place, durably.

        Raises:
            StoreError: the one before, if any, is still there.
        """
        document = self.signed("manifest", manifest.model_dump(mode="json"))
        try:
            write_whole(self.folder(manifest.id) / MANIFEST_NAME, document)
        except OSError as problem:
            raise store_error(problem, "a manifest could not be written") from problem

    def mark_withdrawn(self, recording_id: str) -> None:
        """Make a withdrawal durable: whatever happens from now on, the recording ends erased unless it is unmarked."""
        try:
            mark(self.folder(recording_id), By.CLIENT)
        except OSError as problem:
            raise store_error(problem, "a withdrawal could not be marked") from problem

    def unmark_withdrawn(self, recording_id: str) -> None:
        """Take a withdrawal back."""
        folder = self.folder(recording_id)
        try:
            (folder / WITHDRAWN_NAME).unlink(missing_ok=True)
            sync_folder(folder)
        except OSError as problem:
            raise store_error(problem, "a withdrawal could not be taken back") from problem

    def mark_for_retention(self, recording_id: str) -> bool:
        """Make it durable that retention erases a recording; ``False``: it is held for research meanwhile.

        Raises:
            StoreError: it may be marked or not.
        """
        folder = self.folder(recording_id)
        with claimed(folder, otherwise=_busy()):
            if (folder / HOLD_NAME).exists():
                return False
            try:
                mark(folder, By.RETENTION)
            except OSError as problem:
                raise store_error(problem, "a recording could not be marked") from problem
        return True

    def hold(self, recording_id: str, *, at: Stamp) -> None:
        """Hold a recording for research: retention lets it be. Its client can still withdraw it.

        Any program with the device's key may do this, also while the box runs.

        Raises:
            StoreError: there is none, or it is being erased; or the hold is not durable.
        """
        folder = self._existing(recording_id)
        facts = {"recording": recording_id, "held": at.wall, "clock_trusted": at.trusted}
        with claimed(folder, otherwise=_busy()):
            if marked_by(folder) is not None:
                raise StoreError("that recording is being erased", "there is nothing left to hold")
            try:
                write_whole(folder / HOLD_NAME, self.signed("hold", facts))
            except OSError as problem:
                raise store_error(problem, "a recording could not be held") from problem

    def release(self, recording_id: str) -> None:
        """Hold a recording no longer.

        Raises:
            StoreError: there is none, or it may still be held.
        """
        folder = self._existing(recording_id)
        try:
            (folder / HOLD_NAME).unlink(missing_ok=True)
            sync_folder(folder)
        except OSError as problem:
            raise store_error(problem, "a recording could not be released") from problem

    def _existing(self, recording_id: str) -> Path:
        folder = self.folder(recording_id)
        if not folder.is_dir():
            raise StoreError("there is no such recording in the store", "take the id from the list of recordings")
        return folder

    def write_lived(self, lived: Lived) -> None:
        """Put the lived time in its place, durably.

        Raises:
            StoreError: the one before, if any, is still there.
        """
        try:
            write_whole(self.path / LIVED_NAME, self.signed(LIVED_KIND, lived.model_dump(mode="json")))
        except OSError as problem:
            raise store_error(problem, "the lived time could not be written") from problem

    def write_receipt(self, recording_id: str, receipt: Receipt) -> None:
        """Sign a receipt and put it beside its recording, durably; the one of that remote before it goes.

        Raises:
            StoreError: the recording is not there, or somebody wants it erased; or the receipt is not durable.
        """
        folder = self._existing(recording_id)
        with self.erasing.undisturbed():
            if marked_by(folder) is not None:
                raise StoreError("that recording is being erased", "there is nothing left to prove")
            try:
                place = folder / RECEIPTS_NAME
                place.mkdir(mode=0o750, exist_ok=True)
                sync_folder(folder)
                document = self.signed(RECEIPT_KIND, receipt.model_dump(mode="json"))
                write_whole(place / f"{receipt.remote}.json", document)
            except OSError as problem:
                raise store_error(problem, "a receipt could not be written") from problem

    def take_order_away(self, recording_id: str) -> None:
        """Take an erase order away that the remote has obeyed. There being none is no error.

        Raises:
            StoreError: it may still be there.
        """
        self.folder(recording_id)  # is it an id?
        with self.erasing.undisturbed():
            path = self.path / ERASE_ORDERS_NAME / f"{recording_id}.json"
            try:
                if path.parent.is_dir():
                    path.unlink(missing_ok=True)
                    sync_folder(path.parent)
            except OSError as problem:
                raise store_error(problem, "an erase order could not be taken away") from problem

    def erase(self, recording_id: str, *, by: By, at: Stamp | str, go_on: GoOn = lambda: True) -> bool:
        """Erase a recording (``device/erasing.py``); ``False``: it was put off, its header is gone, its mark stands.

        ``go_on`` is asked before each piece of the file. ``at``: a bare wall time is one that is not trusted.

        Raises:
            StoreError: it is not done. The header was overwritten all the same, where the disk let that be.
        """
        folder = self.folder(recording_id)
        try:
            return self.erasing.erase(folder, by=by, at=at if isinstance(at, Stamp) else Stamp(at), go_on=go_on)
        except OSError as problem:
            raise store_error(problem, "a recording could not be erased") from problem


def no_id() -> StoreError:
    """What to say of a name that no recording can have."""
    return StoreError("that is not the id of a recording", "take the id from the list of recordings")


def _busy() -> StoreError:
    return StoreError("another program is at that recording just now", "try again in a moment")


def read_manifest(folder: Path) -> Manifest:
    """The manifest in a recording's folder; its signature has to hold.

    Raises:
        DamagedError: there is none that holds.
    """
    return read_signed(folder)[0]


def read_signed(folder: Path) -> tuple[Manifest, bytes]:
    """The same, and the public key that it is signed by; whose that is remains to be judged by the caller.

    Raises:
        DamagedError: as ``read_manifest``.
    """
    try:
        signed = verify("manifest", (folder / MANIFEST_NAME).read_bytes())
        return Manifest.model_validate(signed.payload), signed.key
    except OSError as problem:
        raise DamagedError("a recording has no manifest", "fetch it again from the box") from problem
    except ShapeError as problem:
        raise DamagedError(
            "a manifest says things it cannot say", "use the version of sotto that wrote it"
        ) from problem


def manifest_of(folder: Path) -> Manifest | None:
    """A recording's manifest, if there is one that holds."""
    try:
        return read_manifest(folder)
    except DamagedError:
        return None
