"""Taking a recording off the disk: the mark that it has to go, its bytes, and its names, each step durable by itself.

THE MARK is an empty file whose name says who wants the recording gone. From the moment it is durable a cut at any point
ends in an erased recording: whoever starts next takes the erasure up (``device/recovery.py``).

THE BYTES. The header goes first: the file's key stands there and nowhere else, sealed to the recipients, so without it
nobody opens the rest, wherever flash keeps an old copy. Then all is overwritten from the end, a piece at a time, and
each piece is cut off once its zeros are durable: memory stays small, no other writer waits behind more than one piece,
an erasure that was cut short goes on where it was, and a full store has room again after the first one. Where the disk
refuses to overwrite, the file is still cut and unlinked, which gives its blocks back; punching a hole would do no more.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from device.durable import aside, make_name, sync_folder, write_all
from device.recording import MANIFEST_NAME, SESSION_NAME, WITHDRAWN_NAME
from device.recording.erasure import How, worse
from device.words import By

MARKS: Final[Mapping[By, str]] = {
    By.CLIENT: WITHDRAWN_NAME,
    By.THERAPIST: "erase.therapist",
    By.RETENTION: "erase.retention",
}
_HEAD_BYTES: Final = 1 << 18  # more than the header to 32 post-quantum recipients takes
_PIECE_BYTES: Final = 1 << 21

_Done = TypeVar("_Done", How, How | None)

GoOn = Callable[[], bool]
"""Whether the next piece may be overwritten now. Asked before each."""


def mark(folder: Path, by: By) -> None:
    """Make it durable that a recording has to go.

    Raises:
        OSError: it may be marked or not.
    """
    make_name(folder / MARKS[by])


def marked_by(folder: Path) -> By | None:
    """Who wants the recording gone; ``None``: nobody. The client's word counts before any other."""
    return next((by for by, name in MARKS.items() if (folder / name).exists()), None)


def marked_among(names: Container[str]) -> By | None:
    """The same, of a recording in whose folder there are these names."""
    return next((by for by, name in MARKS.items() if name in names), None)


def overwrite_header(folder: Path) -> How:
    """Overwrite the head of the sealed file, durably, under whichever of its names it stands."""
    how = How.ABSENT
    for path in _sealed(folder):
        how = worse(how, _overwrite(path, _overwrite_head))
    return how


def overwrite_rest(folder: Path, *, go_on: GoOn) -> How | None:
    """Overwrite and take away all that a recording consists of, but its manifest and its marks; ``None``: put off.

    A file that cannot be overwritten is taken away all the same.

    Raises:
        OSError: a name could not be taken away.
    """
    how = How.ABSENT
    for path in (*_sealed(folder), *_others(folder)):
        done = _overwrite(path, lambda descriptor: _overwrite_from_the_end(descriptor, go_on=go_on))
        if done is None:
            return None
        how = worse(how, done)
    for path in (*_sealed(folder), *_others(folder)):
        path.unlink(missing_ok=True)
    for inner in _folders(folder):
        inner.rmdir()
    sync_folder(folder)
    return how


def overwrite_file(path: Path) -> None:
    """Overwrite one small file and take its name away; the caller makes the latter durable.

    Raises:
        OSError: its name could not be taken away.
    """
    _overwrite(path, lambda descriptor: _overwrite_from_the_end(descriptor, go_on=lambda: True))
    path.unlink(missing_ok=True)


def remove(folder: Path) -> None:
    """Take the rest of the folder away: the manifest, then the marks, then the folder.

    Raises:
        OSError: as long as a mark is there, it is taken up again.
    """
    _overwrite(folder / MANIFEST_NAME, lambda descriptor: _overwrite_from_the_end(descriptor, go_on=lambda: True))
    (folder / MANIFEST_NAME).unlink(missing_ok=True)
    sync_folder(folder)
    for name in MARKS.values():
        (folder / name).unlink(missing_ok=True)
    folder.rmdir()
    sync_folder(folder.parent)


def _sealed(folder: Path) -> tuple[Path, Path]:
    path = folder / SESSION_NAME
    return path, aside(path)


def _others(folder: Path) -> list[Path]:
    """Every file beside the sealed one, in folders within it too; not the manifest, and not the marks."""
    stay = {folder / name for name in (MANIFEST_NAME, SESSION_NAME, *MARKS.values())}
    found = (Path(place) / name for place, _, names in os.walk(folder) for name in names)
    return sorted(path for path in found if path not in stay)


def _folders(folder: Path) -> list[Path]:
    """The folders within it, innermost first."""
    return [Path(place) / name for place, names, _ in os.walk(folder, topdown=False) for name in names]


def _overwrite(path: Path, overwrite: Callable[[int], _Done]) -> _Done | How:
    """Have a file overwritten; whatever the disk refuses is no reason not to take its name away afterwards."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return How.ABSENT
    except OSError:
        return How.CUT
    try:
        return overwrite(descriptor)
    finally:
        os.close(descriptor)


def _overwrite_head(descriptor: int) -> How:
    end = min(os.fstat(descriptor).st_size, _HEAD_BYTES)
    return _zero(descriptor, 0, end) if end else How.ABSENT


def _overwrite_from_the_end(descriptor: int, *, go_on: GoOn) -> How | None:
    end = os.fstat(descriptor).st_size
    how = How.ABSENT
    while end > 0:
        if not go_on():
            return None
        start = (end - 1) // _PIECE_BYTES * _PIECE_BYTES
        how = worse(how, _zero(descriptor, start, end))
        with suppress(OSError):  # what cannot be cut off is overwritten all the same, and its name is taken away
            os.ftruncate(descriptor, start)
        end = start
    return how


def _zero(descriptor: int, start: int, end: int) -> How:
    """Overwrite a part with zeros, durably; what fails at one place keeps no other from being overwritten."""
    how = How.OVERWRITTEN
    for at in range(start, end, _HEAD_BYTES):
        try:
            write_all(descriptor, bytes(min(_HEAD_BYTES, end - at)), at)
        except OSError:
            how = How.CUT
    try:
        os.fsync(descriptor)
    except OSError:
        how = How.CUT
    return how
