"""Files of a box that are exchanged together: whatever is cut, all of them are the former ones, or all of them the new.

<folder>/underway.json   which files are being exchanged, and for what; there only while they are
         former/         what stood there before, whole, under a number each

``begin`` makes the former ones durable before anything changes. From then on ``put`` brings the new and ``put_back``
the former ones, as often as it takes, also after a cut, until ``end`` leaves it at what is there.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from device.durable import aside, sync_folder, write_whole
from device.errors import DamagedError

_UNDERWAY: Final = "underway.json"
_FORMER: Final = "former"
_NEW_MODE: Final = 0o644


@dataclass(frozen=True, slots=True)
class Put:
    """A file that is to hold that; it keeps the owner and the rights of the one before."""

    path: Path
    content: bytes


class Exchange:
    """Exchanges files, by one caller at a time. ``folder``: its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._former = folder / _FORMER
        self._underway = folder / _UNDERWAY

    def underway(self) -> str | None:
        """For what files are being exchanged; ``None``: nothing is under way.

        Raises:
            DamagedError: what was under way cannot be read.
        """
        told = self._read()
        return None if told is None else str(told["why"])

    def begin(self, why: str, puts: Sequence[Put]) -> None:
        """Keep what stands there now; nothing is exchanged yet. Raises ``OSError``."""
        shutil.rmtree(self._former, ignore_errors=True)
        self._former.mkdir(mode=0o700)
        known = [_kept(put.path, self._former / str(number)) for number, put in enumerate(puts)]
        sync_folder(self._former)
        files = [{"path": str(put.path), "known": there} for put, there in zip(puts, known, strict=True)]
        write_whole(self._underway, json.dumps({"why": why, "files": files}).encode())

    def put(self, puts: Sequence[Put]) -> None:
        """Exchange them; after ``begin`` with the same. Raises ``OSError``: some may be new by then."""
        for number, put in enumerate(puts):
            _placed(put.path, put.content, like=self._former / str(number))

    def end(self) -> None:
        """What is there stays. Raises ``OSError``."""
        self._underway.unlink(missing_ok=True)
        sync_folder(self._folder)
        self.forget()

    def forget(self) -> None:
        """Take away former files that nobody needs any more, while nothing is under way."""
        shutil.rmtree(self._former, ignore_errors=True)

    def put_back(self) -> None:
        """The former ones are there again; nothing, where nothing is under way.

        Raises:
            DamagedError: what was under way cannot be read.
            OSError: some are not there yet; it can be tried again.
        """
        told = self._read()
        for number, one in enumerate([] if told is None else told["files"]):
            path, former = Path(one["path"]), self._former / str(number)
            with suppress(FileNotFoundError):
                aside(path).unlink()
            if one["known"]:
                _placed(path, former.read_bytes(), like=former)
            elif path.exists():
                path.unlink()
                sync_folder(path.parent)

    def _read(self) -> dict[str, Any] | None:
        try:
            told: dict[str, Any] = json.loads(self._underway.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError as problem:
            raise DamagedError(
                "what was being exchanged cannot be read", "compare the files in /etc/sotto with the clinic's"
            ) from problem
        return told


def _kept(path: Path, former: Path) -> bool:
    """Keep a copy of a file, durably, with its owner and rights; whether there is one."""
    try:
        content, facts = path.read_bytes(), path.stat()
    except FileNotFoundError:
        return False
    _written(former, content, facts)
    return True


def _placed(path: Path, content: bytes, *, like: Path) -> None:
    facts = like.stat() if like.exists() else None
    beside = aside(path)
    with suppress(FileNotFoundError):
        beside.unlink()
    _written(beside, content, facts)
    beside.rename(path)
    sync_folder(path.parent)


def _written(path: Path, content: bytes, facts: os.stat_result | None) -> None:
    """A new file, durable, that nobody could read before it had its owner and rights."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        if facts is not None and os.geteuid() == 0:
            os.fchown(file.fileno(), facts.st_uid, facts.st_gid)
        os.fchmod(file.fileno(), _NEW_MODE if facts is None else facts.st_mode & 0o7777)
        file.flush()
        os.fsync(file.fileno())
