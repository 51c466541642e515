"""Small texts beside a recording, sealed to its recipients before they reach the disk: its label, and notes.

<store>/<id>/attachments/label.age       one, replaced by the next
                         note-001.age    …  numbered as they come

Each is an ordinary age file with the text as UTF-8 in it. Nothing here opens one again.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

from device.age.recipients import Recipient
from device.age.sealing import encrypt
from device.durable import sync_folder, write_whole
from device.errors import StoreError
from device.recording import ATTACHMENTS_NAME
from device.store import store_error

MOST_TEXT_BYTES: Final = 4096
MOST_NOTES: Final = 200
_NOTE: Final = re.compile(r"note-([0-9]{3})\.age")


class Kind(StrEnum):
    """What a small text is to its recording."""

    LABEL = "label"
    NOTE = "note"


def attach(folder: Path, kind: Kind, text: str, recipients: Sequence[Recipient]) -> str:
    """Seal ``text`` and make it durable beside the recording in ``folder``; its file's name.

    Raises:
        StoreError: it is too long, there are too many, or it cannot be written; what was there before still is.
        AgeError: it cannot be sealed to these recipients.
    """
    content = text.encode()
    if not 0 < len(content) <= MOST_TEXT_BYTES:
        raise StoreError("a label or note is empty or too long", f"let it be {MOST_TEXT_BYTES} bytes at most")
    sealed = io.BytesIO()
    encrypt(io.BytesIO(content), sealed, recipients)
    place = folder / ATTACHMENTS_NAME
    try:
        place.mkdir(mode=0o750, exist_ok=True)
        sync_folder(folder)
        name = "label.age" if kind is Kind.LABEL else _next_note(place)
        write_whole(place / name, sealed.getvalue())
    except OSError as problem:
        raise store_error(problem, "a label or note could not be kept") from problem
    return name


def _next_note(place: Path) -> str:
    used = [int(match[1]) for path in place.iterdir() if (match := _NOTE.fullmatch(path.name))]
    number = max(used, default=0) + 1
    if number > MOST_NOTES:
        raise StoreError("this recording has too many notes", f"keep it to {MOST_NOTES}")
    return f"note-{number:03d}.age"
