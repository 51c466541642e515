"""What lies beside a recording in a folder on this machine: told, read, added to. Nothing there is ever replaced."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from device.durable import sync_folder
from device.recording import ATTACHMENTS_NAME
from device.recording.beside import Kind, file_name_of, kind_of, number_of
from provisioning.errors import OutputError, UnreachableError

MOST_ATTACHED_BYTES: Final = 256 * 1024
_MOST_NUMBER: Final = 999
_HINT: Final = "check that you may write there, or write it to a file with -o"


def names_beside(folder: Path) -> tuple[str, ...]:
    """The names of a recording's attachments."""
    try:
        return tuple(sorted(path.name for path in (folder / ATTACHMENTS_NAME).iterdir() if path.suffix == ".age"))
    except FileNotFoundError:
        return ()
    except OSError as problem:
        raise _unreadable(folder, problem) from problem


def read_beside(folder: Path, name: str) -> bytes:
    """One of them, sealed.

    Raises:
        UnreachableError: it is not there, cannot be read, or is far too large.
    """
    path = folder / ATTACHMENTS_NAME / name
    try:
        with path.open("rb") as file:
            data = file.read(MOST_ATTACHED_BYTES + 1)
    except OSError as problem:
        raise _unreadable(path, problem) from problem
    if len(data) > MOST_ATTACHED_BYTES:
        raise UnreachableError(f"{path} is far too large", "find out who put it there")
    return data


def put_beside(folder: Path, kind: Kind, sealed: bytes) -> str:
    """Put a sealed file beside a recording, durably, under the next number of its kind; its path.

    Raises:
        OutputError: it cannot be written.
    """
    place = folder / ATTACHMENTS_NAME
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        used = [number_of(name) for name in names_beside(folder) if kind_of(name) is kind]
        aside = place / f".{kind}-{os.getpid()}.part"
        aside.unlink(missing_ok=True)
        try:
            _write(aside, sealed)
            target = _named(aside, place, kind, max(used, default=0) + 1)
        finally:
            aside.unlink(missing_ok=True)
        sync_folder(place)
    except OSError as problem:
        raise OutputError(f"{place} cannot be written: {problem.strerror}", _HINT) from problem
    return str(target)


def _unreadable(path: Path, problem: OSError) -> UnreachableError:
    return UnreachableError(f"{path} cannot be read: {problem.strerror}", "check that you may read it")


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _named(aside: Path, place: Path, kind: Kind, number: int) -> Path:
    """Give it its name; somebody else may be quicker, and nobody's file is replaced."""
    while number <= _MOST_NUMBER:
        target = place / file_name_of(kind, number)
        try:
            target.hardlink_to(aside)
        except FileExistsError:
            number += 1
        else:
            return target
    raise OutputError(f"there are too many of that kind in {place}", "write it to a file with -o")
