"""Opening a file of a recording for reading, or listing what lies beside it, with no way out of its folder."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.store import store_error

_PIECE_BYTES: Final = 1 << 16
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Not there, or something else in its place: a link (ELOOP), a file where a folder should be.
_ABSENT_ERRNOS: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO})


@dataclass(frozen=True, slots=True)
class Opened:
    """A regular file that was opened; whoever holds this closes ``file``."""

    file: io.FileIO
    size_bytes: int
    changed_ns: int


def open_inside(folder: Path, name: str, *, within: str | None = None) -> Opened | None:
    """The file of that name right in ``folder``; ``None`` where there is none, or anything but a regular file.

    ``within``: the name of the folder right in ``folder`` that the file is in. None of them is followed if it is a
    link, whoever may have put it there.

    Raises:
        StoreError: it is there and cannot be read.
    """
    try:
        return _open_inside(folder, name, within)
    except OSError as problem:
        if problem.errno in _ABSENT_ERRNOS:
            return None
        raise store_error(problem, "a recording cannot be read") from problem


def sizes_inside(folder: Path, within: str) -> dict[str, int]:
    """The regular files of the folder ``within`` right in ``folder``, and their sizes in bytes; none of it is a link.

    Raises:
        StoreError: it is there and cannot be read.
    """
    try:
        with _inside(folder, within) as inside, os.scandir(inside) as entries:
            names = sorted(entry.name for entry in entries if entry.is_file(follow_symlinks=False))
            sizes = [(name, _size(name, inside)) for name in names]
    except OSError as problem:
        if problem.errno in _ABSENT_ERRNOS:
            return {}
        raise store_error(problem, "what lies beside a recording cannot be listed") from problem
    return {name: size_bytes for name, size_bytes in sizes if size_bytes is not None}


def _size(name: str, inside: int) -> int | None:
    """A file's size, unless it has just been replaced or taken away."""
    try:
        return os.stat(name, dir_fd=inside, follow_symlinks=False).st_size
    except FileNotFoundError:
        return None


@contextmanager
def _inside(folder: Path, within: str | None) -> Iterator[int]:
    """A folder of the store, opened without following a link, or the one ``within`` it."""
    inside = os.open(folder, _FOLDER)
    try:
        if within is not None:
            outer, inside = inside, os.open(within, _FOLDER, dir_fd=inside)
            os.close(outer)
        yield inside
    finally:
        os.close(inside)


def _open_inside(folder: Path, name: str, within: str | None) -> Opened | None:
    with _inside(folder, within) as inside:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=inside)
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        os.close(descriptor)
        return None
    return Opened(io.FileIO(descriptor, "rb"), facts.st_size, facts.st_mtime_ns)


def pieces(file: io.FileIO, length: int) -> Iterator[bytes]:
    """The next ``length`` bytes of ``file``, which is closed after them or when nobody wants more."""
    with file:
        while length > 0 and (piece := file.read(min(length, _PIECE_BYTES))):
            length -= len(piece)
            yield piece
