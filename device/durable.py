"""Writing so that a power cut leaves either the old file or the new one, whole."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_ASIDE_SUFFIX: Final = ".new"


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable: a rename is not before this (fsync(2), notes)."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def aside(path: Path) -> Path:
    """Where a file is written before it gets its name."""
    return path.with_name(path.name + _ASIDE_SUFFIX)


def forget_asides(folder: Path) -> None:
    """Take away what a cut left of files that never got their names.

    Raises:
        OSError: some of it stays.
    """
    for entry in list(folder.glob(f"*{_ASIDE_SUFFIX}")):
        entry.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes) -> None:
    """Replace ``path`` by ``data``: written aside, synced, renamed, the folder synced.

    Raises:
        OSError: the old file is then still there.
    """
    beside = aside(path)
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)
    sync_folder(path.parent)


def write_private(path: Path, pieces: Iterable[bytes]) -> None:
    """The same with what only its owner may read, piece by piece: it never had other rights, under any name.

    Raises:
        OSError: the old file is then still there.
    """
    beside = aside(path)
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)
    sync_folder(path.parent)


def write_all(descriptor: int, data: bytes, offset: int) -> None:
    """``pwrite`` until every byte is handed over: a short write is not an error, and not the end either."""
    view = memoryview(data)
    while view:
        done = os.pwrite(descriptor, view, offset)
        view, offset = view[done:], offset + done


def make_name(path: Path) -> None:
    """An empty file, durable when this returns; one that is there already is made durable and keeps what it holds.

    Nothing but a name is written, so that it can be made in a store without room for one more byte, and one sync is
    all that it takes: somebody pressed a button and believes the light.

    Raises:
        OSError: it may be there or not.
    """
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640))
    sync_folder(path.parent)
