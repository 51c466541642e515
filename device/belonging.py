"""The smaller files that belong to a recording and go to the remote with it: sync sends them, retention looks at the
same ones. Nothing goes from the box while one of them is not known to be there as it is here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from device.digests import sha256_of_file
from device.recording import ATTACHMENTS_NAME, MANIFEST_NAME
from device.recording.beside import ASKED_NAMES

_ATTACHMENT_SUFFIX: Final = ".age"


def beside_of(folder: Path) -> Iterator[str]:
    """Their names beneath the recording's folder: its manifest, what is asked for, and what is sealed beside it.

    Raises:
        OSError: the folder cannot be read.
    """
    yield MANIFEST_NAME
    yield from (name for name in sorted(ASKED_NAMES.values()) if (folder / name).exists())
    with suppress(FileNotFoundError), os.scandir(folder / ATTACHMENTS_NAME) as entries:
        names = sorted(entry.name for entry in entries if entry.name.endswith(_ATTACHMENT_SUFFIX))
        yield from (f"{ATTACHMENTS_NAME}/{name}" for name in names)


def digest_of(path: Path) -> str:
    """The SHA-256 of a file (hex).

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return sha256_of_file(file).hexdigest()
