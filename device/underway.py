"""A file under way to a remote that is made of files: what it is called until it is whole, and where it can go on.

What a cut left may be half of another file, hold less than its size says (a server that lost its power), or be one that
the last connection still writes to. So what is there is compared at many places before it is built upon, and the last
of it, as much as may have been in flight, is sent again.

Places are enough: of two recordings each chunk differs, because each has a key of its own. What they miss, a server's
disk that lost a block, is found when the recording is read again (``device/remote.py``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import BinaryIO, Final

from device.errors import StoreError

PIECE_BYTES: Final = 1 << 20
IN_FLIGHT_BYTES: Final = 4 << 20  # sent and not yet acknowledged, at most: with a step back as long, 9 of the 16 MiB
_ANEW_BELOW_BYTES: Final = 1 << 20  # not worth a question
_END_BYTES: Final = 64 << 10
_PLACE_BYTES: Final = 4 << 10
_PLACES: Final = 14
_LONGEST: Final = 200  # of 255 that a file system allows

ReadAt = Callable[[int, int], bytes]
"""The bytes of a file under way from there on, that many; fewer where it ends."""


def hidden(file: str) -> str:
    """What the file is called beside its place while it is under way: it begins with a dot, as no name does."""
    known = file if len(file) <= _LONGEST else hashlib.sha256(file.encode()).hexdigest()
    return f".sotto-{known}.part"


def size_of(file: BinaryIO) -> int:
    """How long a file is that can be sought.

    Raises:
        StoreError: this side's disk fails, not the remote's.
    """
    try:
        return file.seek(0, 2)
    except OSError as problem:
        raise _unreadable() from problem


def piece_of(file: BinaryIO, start: int, length: int) -> bytes:
    """That part of a file, all of it.

    Raises:
        StoreError: as ``size_of``, or the file became shorter.
    """
    try:
        file.seek(start)
        piece = file.read(length)
    except OSError as problem:
        raise _unreadable() from problem
    if len(piece) != length:
        raise _unreadable()
    return piece


def goes_on_at(file: BinaryIO, *, size_bytes: int, there_bytes: int, read_at: ReadAt) -> int:
    """From where ``file`` has to be sent when ``there_bytes`` are there already; 0: nothing there is a part of it."""
    if size_bytes < _ANEW_BELOW_BYTES or there_bytes > size_bytes:
        return 0
    start = max(0, there_bytes - IN_FLIGHT_BYTES) // PIECE_BYTES * PIECE_BYTES
    return start if all(_same(file, place, read_at) for place in _places(start)) else 0


def _places(end: int) -> list[tuple[int, int]]:
    """Where to look, up to there: both ends, and places between."""
    if end <= 2 * _END_BYTES:
        return [(0, end)]
    step = end // (_PLACES + 1)
    between = [(step * number, _PLACE_BYTES) for number in range(1, _PLACES + 1)]
    return [(0, _END_BYTES), (end - _END_BYTES, _END_BYTES), *between]


def _same(file: BinaryIO, place: tuple[int, int], read_at: ReadAt) -> bool:
    start, length = place
    return piece_of(file, start, length) == read_at(start, length)


def _unreadable() -> StoreError:
    return StoreError("a file could not be read while it was being sent", "look at the disk of this box")
