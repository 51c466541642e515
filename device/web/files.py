"""Opening a file of a recording for reading, with no way out of its folder."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.store import store_error

_PIECE_BYTES: Final = 1 << 16
# Not there, or something else in its place: a link (ELOOP), a file where a folder should be.
_ABSENT_ERRNOS: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO})


@dataclass(frozen=True, slots=True)
class Opened:
    """A regular file that was opened; whoever holds this closes ``file``."""

    file: io.FileIO
    size_bytes: int
    changed_ns: int


def open_inside(folder: Path, name: str) -> Opened | None:
    """The file of that name right in ``folder``; ``None`` where there is none, or anything but a regular file.

    Neither the folder nor the file is followed if it is a link, whoever may have put it there.

    Raises:
        StoreError: it is there and cannot be read.
    """
    try:
        return _open_inside(folder, name)
    except OSError as problem:
        if problem.errno in _ABSENT_ERRNOS:
            return None
        raise store_error(problem, "a recording cannot be read") from problem


def _open_inside(folder: Path, name: str) -> Opened | None:
    inside = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=inside)
    finally:
        os.close(inside)
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
