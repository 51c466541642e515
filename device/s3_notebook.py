"""Which uploads are under way, in sync's own folder: a hint, so that a cut does not cost a recording's whole way again.

Losing it costs sending again, and nothing else: of what it names only those parts count that the server holds and whose
checksums are those of the file (``device/s3_upload.py``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from device.durable import write_whole

_SUFFIX: Final = ".upload.json"
_MOST_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Underway:
    """An upload that was begun: of what name, size, and parts of which size; and what the server calls it."""

    name: str
    size_bytes: int
    part_bytes: int
    upload: str


class Notebook:
    """What is noted, one file for each name. ``folder`` may be missing; ``None``: nothing is ever noted.

    Whatever the disk does here keeps nothing from being sent.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def read(self, name: str) -> Underway | None:
        """What is noted under that name; ``None``: nothing that can be read."""
        if self._folder is None:
            return None
        found = _read(self._path(self._folder, name))
        return found if found is not None and found.name == name else None

    def write(self, underway: Underway) -> None:
        """Note it, durably, in place of what was noted under its name."""
        if self._folder is None:
            return
        with suppress(OSError):  # without it the file is sent all the same, only not gone on with
            self._folder.mkdir(exist_ok=True)
            write_whole(self._path(self._folder, underway.name), json.dumps(asdict(underway)).encode())

    def drop(self, name: str) -> None:
        """Forget it; there being nothing is no error."""
        if self._folder is not None:
            with suppress(OSError):  # a note that stays names an upload that the server does not know any more
                self._path(self._folder, name).unlink(missing_ok=True)

    def beneath(self, prefix: str) -> Iterator[Underway]:
        """All that is noted under names that begin so."""
        if self._folder is None:
            return
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            found = _read(path)
            if found is not None and found.name.startswith(prefix):
                yield found

    @staticmethod
    def _path(folder: Path, name: str) -> Path:
        return folder / (hashlib.sha256(name.encode()).hexdigest()[:32] + _SUFFIX)


def _read(path: Path) -> Underway | None:
    try:
        with path.open("rb") as file:
            said = json.loads(file.read(_MOST_BYTES))
        found = Underway(**said)
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    numbers, texts = (found.size_bytes, found.part_bytes), (found.name, found.upload)
    holds = all(type(one) is int and one > 0 for one in numbers) and all(type(one) is str and one for one in texts)
    return found if holds else None
