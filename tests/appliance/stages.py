"""A build in stages: each is a folder, made once and kept until something it is made from changes.

A stage is made aside and gets its name when it is whole, so a build that was cut short goes on where it was. What every
stage took is appended to ``timings.log`` in the cache.
"""

from __future__ import annotations

import inspect
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fcntl import LOCK_EX, flock
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Final

_KEY: Final = "KEY"


@dataclass(frozen=True)
class Stage:
    """A step of the build. ``make`` fills the empty folder it is given and may read the folders of ``needs``.

    ``inputs`` are the files (a folder counts with all that is in it) and the words the result depends on; the text of
    ``make`` itself counts too.
    """

    name: str
    make: Callable[[Stage, Path], None]
    inputs: tuple[Path | str, ...] = ()
    needs: tuple[Stage, ...] = ()
    folder: Path = field(default=Path(), kw_only=True)

    @cached_property
    def key(self) -> str:
        """The digest of everything this is made from."""
        digest = sha256(inspect.getsource(self.make).encode())
        for part in (*(need.key for need in self.needs), *_texts(self.inputs)):
            data = part.encode() if isinstance(part, str) else part
            digest.update(len(data).to_bytes(8, "little") + data)
        return digest.hexdigest()

    @property
    def is_built(self) -> bool:
        """Whether the folder holds just this."""
        key = self.folder / _KEY
        return key.exists() and key.read_text() == self.key

    def of(self, name: str) -> Path:
        """The folder of the stage ``name`` that this one stands on."""
        return next(need.folder for need in self.needs if need.name == name)

    def build(self) -> None:
        """Make this, and before it what it needs, unless it is there already."""
        if self.is_built:
            return
        for need in self.needs:
            need.build()
        started_s = time.monotonic()
        _say(f"{self.name}: building")
        fresh = self.folder.with_name(f"{self.name}.new")
        remove(fresh)
        fresh.mkdir(parents=True)
        self.make(self, fresh)
        (fresh / _KEY).write_text(self.key)
        remove(self.folder)
        fresh.rename(self.folder)
        took_s = time.monotonic() - started_s
        _say(f"{self.name}: {took_s:.1f} s")
        note_time(self.folder.parent, f"build {self.name}", took_s)


def build_all(target: Stage) -> Path:
    """Build ``target`` and return its folder; of two builds at once, the second waits for the first."""
    with _alone_in(target.folder.parent):
        target.build()
    return target.folder


def forget_all(cache: Path) -> None:
    """Take away what was built, once nobody builds there; the lock stays, so that it is one and the same for all."""
    with _alone_in(cache):
        for path in cache.iterdir():
            if path.is_dir():
                remove(path)


def note_time(cache: Path, what: str, took_s: float) -> None:
    """Keep a line about how long ``what`` took."""
    with (cache / "timings.log").open("a") as log:
        log.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {what} {took_s:.2f} s\n")


def remove(folder: Path) -> None:
    """Take a folder away, if it is there."""
    if folder.exists():
        shutil.rmtree(folder)


@contextmanager
def _alone_in(cache: Path) -> Iterator[None]:
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        flock(lock, LOCK_EX)
        yield


def _texts(inputs: Iterable[Path | str]) -> Iterable[str | bytes]:
    for part in inputs:
        if isinstance(part, str):
            yield part
            continue
        files = sorted(path for path in part.rglob("*") if path.is_file()) if part.is_dir() else [part]
        for file in files:
            if "__pycache__" not in file.parts:
                yield f"{file.relative_to(part.parent)} {file.stat().st_mode & 0o111:o}"
                yield file.read_bytes()


def _say(text: str) -> None:
    sys.stderr.write(f"appliance: {text}\n")
    sys.stderr.flush()
