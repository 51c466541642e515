"""Sends one recording to a remote and reads all of it again, byte by byte; and has one erased there.

Nothing is taken on a remote's word: that it stored a file is known once the file was read again and was the same, and
that it erased one once nothing is found under its name.

Where what is read differs, our own file is read, too: which of both is spoiled decides what is told, and to whom. What
the remote spoiled is erased there, where that is allowed, and sent once more; what is spoiled here is told and never
called verified.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import BinaryIO, Final

from device.errors import DamagedError, PutOffError, RemoteAbsentError, RemoteError
from device.recording import MANIFEST_NAME, SESSION_NAME
from device.recording.copied import Copied, Copying
from device.recording.layout import ORDER_NAME
from device.recording.manifest import Manifest
from device.remote import Pace, Remote

_TIMES: Final = 2  # so often is sent what the remote spoils, before it is told
_PIECE_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Paces:
    """Told of the bytes that are about to move: while something is sent, and while it is read again."""

    sending: Pace
    verifying: Pace


class Sending:
    """What is done at a remote. Raises what a remote raises, and what is said with each method; nothing else."""

    def __init__(self, remote: Remote, paces: Paces) -> None:
        self._remote = remote
        self._paces = paces
        self.spoiled = 0  # how often the remote's copy was found to be another than what was sent

    def send_recording(self, path: Path, folder: str, manifest: Manifest) -> Copied:
        """Have the recording at ``path`` held in ``folder``, and read it again; what is there.

        It may still be another than ours: then the remote keeps spoiling it, or lets nothing be replaced.

        Raises:
            PutOffError: also where the recording is not here any more.
            DamagedError: our own file is not what the manifest says.
        """
        name = f"{folder}/{SESSION_NAME}"
        for attempt in range(1, _TIMES + 1):
            with _opened(path) as file:
                self._remote.put(name, file, pace=self._paces.sending)
            copied = self._read_again(name, manifest)
            if copied.is_of(manifest):
                return copied
            self.spoiled += 1
            with _opened(path) as file:
                self._check_own(file, manifest)
            if attempt == _TIMES or not self._erased(folder):
                break
        return copied

    def _read_again(self, name: str, manifest: Manifest) -> Copied:
        copying = Copying(manifest)
        with suppress(RemoteAbsentError):  # it said that it had stored it: that is a copy of no bytes
            for piece in self._remote.read(name, pace=self._paces.verifying):
                copying.take(piece)
        return copying.end()

    def _check_own(self, file: BinaryIO, manifest: Manifest) -> None:
        copying = Copying(manifest)
        while piece := file.read(_PIECE_BYTES):
            self._paces.verifying(0)
            copying.take(piece)
        if not copying.end().is_of(manifest):
            raise DamagedError(
                f"recording {manifest.id} is not what the box wrote: its file here was altered",
                "look at the store's disk; `sotto-clinic verify` says where it was altered. It is kept, not synced",
            )

    def _erased(self, folder: str) -> bool:
        try:
            self._remote.erase(folder)
        except RemoteError:
            return False  # it may not, or it is locked: what is there stays as it is
        return True

    def send_beside(self, path: Path, folder: str, names: Iterable[str]) -> dict[str, str]:
        """Have the smaller files of the recording at ``path`` held, and read them again; the digest of each.

        Raises:
            RemoteError: also where one is not there, or another, when it is read again.
        """
        return {name: self._send_file(path / name, f"{folder}/{name}") for name in names}

    def _send_file(self, path: Path, name: str) -> str:
        with _opened(path) as file:
            digest = file_digest(file, "sha256").hexdigest()  # of this file, whatever replaces it meanwhile
            for _ in range(_TIMES):
                file.seek(0)
                self._remote.put(name, file, replace=True, pace=self._paces.sending)
                if self._digest_at(name) == digest:
                    return digest
                self.spoiled += 1
        raise _spoils()

    def _digest_at(self, name: str) -> str | None:
        digest = sha256()
        try:
            for piece in self._remote.read(name, pace=self._paces.verifying):
                digest.update(piece)
        except RemoteAbsentError:
            return None
        return digest.hexdigest()

    def send_line(self, name: str, line: bytes) -> None:
        """Have a line of the audit log held. One that is there is let be: each has a name of its own."""
        self._remote.put(name, io.BytesIO(line), pace=self._paces.sending)

    def erase(self, folder: str, order: Path) -> bool:
        """Have a recording erased, or, where that is refused, have the signed order held beside it for the clinic.

        ``True``: it is erased there. ``False``: the order is there.

        Raises:
            RemoteError: it refuses both, or does not do what it says.
        """
        try:
            self._remote.erase(folder)
        except RemoteError:
            self._send_file(order, f"{folder}/{ORDER_NAME}")
            return False
        for name in (SESSION_NAME, MANIFEST_NAME):
            if any(True for _ in self._first(f"{folder}/{name}")):
                raise RemoteError(
                    "the remote says that it erased a recording, and still has it",
                    "ask whoever looks after the remote; the order is given again by itself",
                )
        return True

    def _first(self, name: str) -> Iterator[bytes]:
        """The first piece, if there is anything under that name, be it nothing but a name."""
        try:
            yield next(self._remote.read(name, end=1, pace=self._paces.verifying), b"")
        except RemoteAbsentError:
            return


def _opened(path: Path) -> io.BufferedReader:
    try:
        return path.open("rb")
    except FileNotFoundError as problem:
        raise PutOffError("what was to be sent is not here any more", "nothing: it was erased") from problem
    except OSError as problem:
        raise unread(problem) from problem


def unread(problem: OSError) -> DamagedError:
    """It is our own disk that fails, not the remote."""
    reason = problem.strerror or "unknown error"
    return DamagedError(f"a recording cannot be read here: {reason}", "look at the store's disk")


def _spoils() -> RemoteError:
    return RemoteError(
        "the remote does not keep what is sent to it: read again, it is not the same",
        "ask whoever looks after the remote; the recordings are safe here, and nothing is deleted",
    )
