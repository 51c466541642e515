"""Small files beside a recording, sealed before they reach the disk: its label, notes, measures; and clips and reviews,
which come here sealed.

<store>/<id>/attachments/label.age       one, replaced by the next
                         note-001.age    …  numbered as they come; likewise measure-001.age, clip-001.age,
                         review-001.age

Each is an ordinary age file. Nothing here opens one again.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from device.age.header import read_header
from device.age.recipients import Recipient
from device.age.sealing import encrypt
from device.durable import sync_folder, write_whole
from device.errors import StoreError
from device.recording import ATTACHMENTS_NAME
from device.recording.beside import Kind, file_name_of, kind_of, number_of
from device.store import store_error

MOST_BYTES: Final = {
    Kind.LABEL: 4096,
    Kind.NOTE: 24 * 1024,
    Kind.MEASURE: 32 * 1024,
    Kind.CLIP: 96 * 1024,
    Kind.REVIEW: 96 * 1024,
}
MOST_OF_A_KIND: Final = {Kind.LABEL: 1, Kind.NOTE: 200, Kind.MEASURE: 100, Kind.CLIP: 50, Kind.REVIEW: 100}


class TooManyError(StoreError):
    """There are as many attachments of that kind beside the recording as there can be."""


def seal(kind: Kind, content: bytes, recipients: Sequence[Recipient]) -> bytes:
    """``content`` as an age file, in memory.

    Raises:
        StoreError: it is empty or too long.
        AgeError: it cannot be sealed to these recipients.
    """
    _check_length(kind, content)
    sealed = io.BytesIO()
    encrypt(io.BytesIO(content), sealed, recipients)
    return sealed.getvalue()


def attach(folder: Path, kind: Kind, sealed: bytes) -> str:
    """Make an age file durable beside the recording in ``folder``; its name.

    Raises:
        StoreError: there are too many, or it cannot be written; what was there before still is.
    """
    try:
        name = _new_name(folder, kind)
        write_whole(folder / ATTACHMENTS_NAME / name, sealed)
    except OSError as problem:
        raise store_error(problem, "an attachment could not be kept") from problem
    return name


def link(waiting: Path, folder: Path, kind: Kind) -> str:
    """Give an age file that waits in the same store its name beside the recording in ``folder``, durably; that name.

    It then has both names, and is one file: a cut leaves nothing out and nothing twice. A label that is there already
    is newer, and stays.

    Raises:
        StoreError: there are too many, or the name is not durable.
    """
    try:
        name = _new_name(folder, kind)
        place = folder / ATTACHMENTS_NAME
        if kind is not Kind.LABEL or not (place / name).exists():
            (place / name).hardlink_to(waiting)
        sync_folder(place)
    except OSError as problem:
        raise store_error(problem, "an attachment could not be put beside a recording") from problem
    return name


def check_sealed(kind: Kind, sealed: bytes) -> None:
    """Look whether what somebody brought begins as an age file does. To whom it is sealed nobody here can tell.

    Raises:
        StoreError: it is empty or too long.
        AgeError: it is none.
    """
    _check_length(kind, sealed)
    read_header(io.BytesIO(sealed))


def _check_length(kind: Kind, content: bytes) -> None:
    if not 0 < len(content) <= MOST_BYTES[kind]:
        raise StoreError(f"a {kind} is empty or too long", f"let it be {MOST_BYTES[kind]} bytes at most")


def _new_name(folder: Path, kind: Kind) -> str:
    """The name of the next attachment of that kind; the folder for it is there."""
    place = folder / ATTACHMENTS_NAME
    place.mkdir(mode=0o750, exist_ok=True)
    sync_folder(folder)
    used = [number_of(path.name) for path in place.iterdir() if kind_of(path.name) is kind]
    number = max(used, default=0) + 1
    if kind is not Kind.LABEL and number > MOST_OF_A_KIND[kind]:
        raise TooManyError(f"this recording has too many of them: {kind}", f"keep it to {MOST_OF_A_KIND[kind]}")
    return file_name_of(kind, number)
