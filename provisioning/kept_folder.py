"""A folder of recordings that is no remote: a box's store, what was pulled, a stick. Read as a remote is.

Nothing is shown of a recording that is marked as withdrawn: it is to be erased.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from device.errors import RemoteAwayError
from device.recording import (
    ATTACHMENTS_NAME,
    MANIFEST_NAME,
    REWRAPPED_NAME,
    SESSION_NAME,
    WITHDRAWN_NAME,
    is_recording_id,
)
from device.remote import Held, Pace, absent, at_once
from provisioning.read_only import ReadOnly

_PIECE_BYTES: Final = 1 << 20


def holds_recordings(folder: Path) -> bool:
    """Whether a folder is one of recordings; one that cannot be read is none."""
    try:
        return any(is_recording_id(entry.name) and entry.is_dir() for entry in folder.iterdir())
    except OSError:
        return False


class KeptFolder(ReadOnly):
    """Recordings in folders of their own beneath ``path`` (``device.remote.Remote``, read only)."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, name: str, *, start: int = 0, end: int | None = None, pace: Pace = at_once) -> Iterator[bytes]:
        with _ours(), self._open(name) as descriptor:
            while end is None or start < end:
                length = _PIECE_BYTES if end is None else min(_PIECE_BYTES, end - start)
                pace(length)
                piece = os.pread(descriptor, length, start)
                if not piece:
                    return
                start += len(piece)
                yield piece

    def names(self, folder: str) -> Iterator[Held]:
        with _ours():
            ids = sorted(entry.name for entry in self._path.iterdir() if is_recording_id(entry.name))
            for recording in ids:
                if folder in ("", recording) and not (self._path / recording / WITHDRAWN_NAME).exists():
                    yield from self._names(recording)

    def close(self) -> None:
        """Nothing is open between two calls."""

    def _names(self, recording: str) -> Iterator[Held]:
        top = self._path / recording
        found = sorted((top / ATTACHMENTS_NAME).glob("*.age"))
        for path in (*found, top / MANIFEST_NAME, top / REWRAPPED_NAME, top / SESSION_NAME):
            if path.is_file() and not path.is_symlink():
                yield Held(str(path.relative_to(self._path)), path.stat().st_size)

    @contextmanager
    def _open(self, name: str) -> Iterator[int]:
        try:
            descriptor = os.open(self._path / name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError as problem:
            raise absent() from problem
        try:
            yield descriptor
        finally:
            os.close(descriptor)


@contextmanager
def _ours() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise RemoteAwayError(f"the folder cannot be read: {problem.strerror}", "check that you may read it") from (
            problem
        )
