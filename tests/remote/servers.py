"""What every kind of clinic server has to offer to the contract suite; the kinds are listed in ``conftest.py``."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from device.remote import SILENCE_S, Remote

ROOT = Path(__file__).parent.parent.parent
MIB = 1 << 20


class Maker(Protocol):
    """Makes remotes of one server. It can be pickled, so that another process (``uploader.py``) makes its own."""

    def __call__(self, *, silence_s: float = SILENCE_S) -> Remote: ...


class Server(Protocol):
    """A real server on this machine that a test may harm, and what it really holds, seen behind the remote's back.

    ``maker``: remotes with the right credentials. ``secrets``: texts that no error may show (keys, and what this
    server says in its own words). ``freezes``: whether there is a process that can fall silent.
    """

    maker: Maker
    secrets: tuple[str, ...]
    freezes: bool

    def start(self) -> None:
        """Serve what is held, at the same place as before; returns once it answers."""

    def kill(self) -> None:
        """As when somebody pulls the plug. Harmless when it is not running."""

    def freeze(self) -> None:
        """Fall silent: connections stay, nothing is answered."""

    def thaw(self) -> None:
        """Go on."""

    def held(self) -> dict[str, str]:
        """Every file that somebody who looks at the server sees under its name, and what it is (``known``)."""

    def unfinished(self) -> int:
        """How many files are under way there."""

    def damage(self, name: str, at: int) -> None:
        """Turn one bit of what is held."""

    def strangers(self) -> Iterator[tuple[str, Remote]]:
        """Remotes that this server or this box has to refuse for good, and a word of the advice that each gives."""

    def close(self) -> None:
        """Leave nothing behind: no process, no file."""


def some_bytes(size: int, seed: int = 1) -> bytes:
    """Bytes like those of a sealed recording: no two seeds have anything in common."""
    return random.Random(seed).randbytes(size)


def known(data: bytes) -> str:
    """Bytes in a word, so that a test that fails does not print 40 MiB."""
    return f"{len(data)} bytes, {hashlib.sha256(data).hexdigest()}"
