"""The store: one folder per recording, and what may happen to it.

Only the capture process writes here (``Store``); everything else reads (``StoreReader``). Every change of a name is
made durable before it counts.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from device.durable import aside, sync_folder, write_all, write_whole
from device.errors import DamagedError, StoreError, StoreFullError
from device.recording import (
    ATTACHMENTS_NAME,
    MANIFEST_NAME,
    RECEIPTS_NAME,
    SESSION_NAME,
    WITHDRAWN_NAME,
    is_recording_id,
)
from device.recording.manifest import Manifest
from device.recording.signing import sign, verify

ERASED_NAME: Final = "erased"
PROBE_GLOB: Final = ".probe-*"
_TAIL_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"
_FULL_ERRNOS: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def store_error(problem: OSError, doing: str) -> StoreError:
    """What the operating system said about the store, in our words."""
    if problem.errno in _FULL_ERRNOS:
        return StoreFullError(f"the store is full: {doing}", "free room on the store, or let the box finish its sync")
    reason = problem.strerror or "unknown error"
    return StoreError(f"the store failed: {doing}: {reason}", "check the store's disk and who may write to its folder")


@dataclass(frozen=True, slots=True)
class Listed:
    """A recording as lists show it. ``size_bytes`` is the file as it is now, also while it grows."""

    manifest: Manifest
    size_bytes: int
    withdrawn: bool


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
            raise StoreError("that is not the id of a recording", "take the id from the list of recordings")
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
            manifest = read_manifest(folder)
            size_bytes = (folder / SESSION_NAME).stat().st_size
        except (DamagedError, OSError):
            return None
        return Listed(manifest, size_bytes, (folder / WITHDRAWN_NAME).exists())


class Store(StoreReader):
    """The same folder for the one process that writes to it, with the key that signs what the box says."""

    def __init__(self, path: Path, *, device_key: Ed25519PrivateKey) -> None:
        super().__init__(path)
        self._device_key = device_key

    def check(self) -> None:
        """Find out whether the store can be written.

        Raises:
            StoreError: it is missing, read-only, or somebody else's.
        """
        probe = self.path / PROBE_GLOB.replace("*", secrets.token_hex(4))
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
            tail = "".join(secrets.choice(_TAIL_LETTERS) for _ in range(10))
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
        document = sign("manifest", manifest.model_dump(mode="json"), self._device_key)
        try:
            write_whole(self.folder(manifest.id) / MANIFEST_NAME, document)
        except OSError as problem:
            raise store_error(problem, "a manifest could not be written") from problem

    def mark_withdrawn(self, recording_id: str) -> None:
        """Make a withdrawal durable: whatever happens from now on, the recording ends erased unless it is unmarked."""
        try:
            _mark_withdrawn(self.folder(recording_id))
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

    def erase(self, recording_id: str, *, by: str, at: str) -> None:
        """Erase a recording, and keep a signed certificate that it was.

        The header goes first: without it no recipient opens the rest, wherever flash keeps it. The file is then cut to
        nothing, which makes room for the certificate in a store that is full. The mark goes last, so that an erasure
        that was cut short is taken up again by ``recover``.
        """
        folder = self.folder(recording_id)
        try:
            self._erase(folder, by=by, at=at)
        except OSError as problem:
            raise store_error(problem, "a recording could not be erased") from problem

    def _erase(self, folder: Path, *, by: str, at: str) -> None:
        _mark_withdrawn(folder)
        for name in (SESSION_NAME, aside(Path(SESSION_NAME)).name):
            _overwrite_head(folder / name)
        erased = self.path / ERASED_NAME
        erased.mkdir(mode=0o750, exist_ok=True)
        sync_folder(self.path)
        certificate = erased / f"{folder.name}.json"
        if certificate.exists():  # of an erasure that was cut short; it knows what is gone by now
            sync_folder(erased)  # its name may be all that did not become durable then
        else:
            facts = {"recording": folder.name, "erased": at, "by": by, "digest": _digest_known(folder)}
            write_whole(certificate, sign("erase certificate", facts, self._device_key))
        for name in (ATTACHMENTS_NAME, RECEIPTS_NAME):
            shutil.rmtree(folder / name, ignore_errors=True)
        for entry in list(folder.iterdir()):
            if entry.name != WITHDRAWN_NAME:
                entry.unlink()
        sync_folder(folder)
        (folder / WITHDRAWN_NAME).unlink(missing_ok=True)
        folder.rmdir()
        sync_folder(self.path)


def read_manifest(folder: Path) -> Manifest:
    """The manifest in a recording's folder; its signature has to hold.

    Raises:
        DamagedError: there is none that holds.
    """
    try:
        signed = verify("manifest", (folder / MANIFEST_NAME).read_bytes())
        return Manifest.model_validate(signed.payload)
    except OSError as problem:
        raise DamagedError("a recording has no manifest", "fetch it again from the box") from problem
    except ValidationError as problem:
        raise DamagedError(
            "a manifest says things it cannot say", "use the version of sotto that wrote it"
        ) from problem


def _mark_withdrawn(folder: Path) -> None:
    # Empty on purpose: a name can still be made durable in a store that has no room for one more byte.
    write_whole(folder / WITHDRAWN_NAME, b"")


def _overwrite_head(path: Path) -> None:
    """Overwrite the header (and the first chunks) of a sealed file with zeros, durably, then cut it to nothing.

    Nothing happens where there is no such file.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        size = os.fstat(descriptor).st_size
        write_all(descriptor, bytes(min(size, 1 << 18)), 0)
        os.fsync(descriptor)
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _digest_known(folder: Path) -> str | None:
    try:
        return read_manifest(folder).digest
    except DamagedError:
        return None
