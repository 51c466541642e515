"""Runs a program of ours on a disk that tells what it was asked (``disk.c``), and reads what it told."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from struct import Struct
from typing import Any

SOURCE = Path(__file__).with_name("disk.c")
ROOT = Path(__file__).parents[2]
_LINE = Struct("=IiQQII")
_PATIENCE_S = 300


class Kind(IntEnum):
    """Kinds of calls; the same numbers as in ``disk.c``."""

    CREATE = 1
    WRITE = 2
    SIZE = 3
    SYNC = 4
    SYNC_FOLDER = 5
    RENAME = 6
    UNLINK = 7
    MKDIR = 8
    RMDIR = 9
    LINK = 10
    OPEN = 11
    READ = 12
    MARK = 13
    UNKNOWN = 14
    SYMLINK = 15
    ASIDE = 16


CHANGES = (
    Kind.CREATE,
    Kind.WRITE,
    Kind.SIZE,
    Kind.SYNC,
    Kind.SYNC_FOLDER,
    Kind.RENAME,
    Kind.UNLINK,
    Kind.MKDIR,
    Kind.RMDIR,
    Kind.LINK,
    Kind.SYMLINK,
    Kind.OPEN,
    Kind.ASIDE,
)


class What(IntEnum):
    """What goes wrong with a call."""

    FAIL = 0
    SHORT = 1
    STALL = 2


@dataclass(frozen=True, slots=True)
class Call:
    """One call that changed something, or tried to; paths are relative to the store.

    ``at``: the offset of a write, the new size of SIZE, the end of what is set ASIDE. ``error``: only a sync that
    failed is in the log with one.
    """

    kind: Kind
    path: str
    inode: int = 0
    at: int = 0
    data: bytes = b""
    error: int = 0

    @property
    def target(self) -> str:
        """Of RENAME and LINK: the other name."""
        return self.data.decode()

    @property
    def mark(self) -> dict[str, Any]:
        """Of MARK: what the program said."""
        said: dict[str, Any] = json.loads(self.data)
        return said


def build_shim(folder: Path) -> Path:
    """Compile the shim; the library that a program is to load before all others."""
    library = folder / "disk.so"
    gcc = ["gcc", "-shared", "-fPIC", "-O2", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-pthread"]
    subprocess.run([*gcc, "-o", library, SOURCE], check=True)
    return library


def run_on(library: Path, store: Path, log: Path, command: list[str]) -> str:
    """Run a program on the disk; what it printed. It must succeed."""
    disk = {"LD_PRELOAD": str(library), "DISK_STORE": str(store.resolve()), "DISK_LOG": str(log)}
    run = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **disk},
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE_S,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def read_log(log: Path, store: Path) -> list[Call]:
    """The calls in order."""
    return list(_calls(log.read_bytes(), str(store.resolve())))


def _calls(data: bytes, store: str) -> Iterator[Call]:
    at = 0
    while at < len(data):
        kind, error, inode, where, path_bytes, data_bytes = _LINE.unpack_from(data, at)
        at += _LINE.size
        path = data[at : at + path_bytes].decode()
        at += path_bytes
        body = data[at : at + data_bytes]
        at += data_bytes
        if Kind(kind) is Kind.UNKNOWN:
            raise AssertionError(f"the model of the disk knows nothing of {body.decode()} ({path})")
        if Kind(kind) in (Kind.RENAME, Kind.LINK):
            body = _inside(body.decode(), store).encode()
        yield Call(Kind(kind), _inside(path, store), inode, where, body, error)


def _inside(path: str, store: str) -> str:
    return path.removeprefix(store).removeprefix("/")


class Disk:
    """The disk, as the program that runs on it can speak to it; without the shim it hears nothing."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None)
        self.is_there = "DISK_LOG" in os.environ

    def mark(self, **said: Any) -> None:
        """Put a note into the log."""
        text = json.dumps(said).encode()
        self._library.disk_mark(text, ctypes.c_size_t(len(text)))

    def fault(
        self,
        nth: int,
        *,
        kinds: tuple[Kind, ...] = CHANGES,
        what: What = What.FAIL,
        error: int = 0,
        lasting: bool = False,
    ) -> None:
        """Have the ``nth`` call of those kinds from now on go wrong (0: none). ``error``: of a stall, milliseconds."""
        bits = sum(1 << kind for kind in kinds)
        self._library.disk_fault(bits, nth, int(lasting), int(what), error)

    @property
    def hits(self) -> int:
        """How many calls went wrong."""
        return int(self._library.disk_hits())
