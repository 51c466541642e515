"""Keeps what waits for the next recording (``device/waiting.py``): puts it there, leaves it, lets it go.

Of the two files of one that waits the plain facts come first and go last: without the sealed file they are nothing, and
the next start sweeps them away. What has its name beside a recording already, because a cut came before the one here
was taken away, is one file under two names; that tells it apart from everything that still waits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from device.clock import Stamp
from device.digests import random_hex
from device.durable import forget_asides, sync_folder, write_whole
from device.errors import StoreError
from device.overwriting import overwrite_file
from device.recording import ATTACHMENTS_NAME
from device.recording.beside import Kind
from device.store import store_error
from device.waiting import ORDERED_SUFFIX, WAITING_NAME, Waiting, is_ordered_erased, read_waiting

MOST_WAITING: Final = 400


@contextmanager
def _told(doing: str) -> Iterator[None]:
    """What the disk says, in our words."""
    try:
        yield
    except OSError as problem:
        raise store_error(problem, doing) from problem


class WaitingRoom:
    """What waits in one store. Safe to call from any thread."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._left: set[str] = set()  # also where the disk let that not be written down

    @property
    def folder(self) -> Path:
        """Where the sealed files are."""
        return self._store / WAITING_NAME

    def all(self) -> tuple[Waiting, ...]:
        """All that waits, and all that was left, oldest first."""
        return tuple(
            one.model_copy(update={"left": True}) if one.name in self._left else one
            for one in read_waiting(self._store)
        )

    def find(self, name: str) -> Waiting | None:
        """One of them."""
        return next((one for one in self.all() if one.name == name), None)

    def ordered(self) -> tuple[Waiting, ...]:
        """Those that were left and that somebody ordered to be erased."""
        return tuple(one for one in self.all() if is_ordered_erased(self._store, one.name))

    def tidy(self) -> None:
        """Finish what a cut left half done; to be called once, before anything else.

        Raises:
            StoreError: some of it stays.
        """
        with self._lock, _told("what waits could not be put in order"):
            if not self.folder.is_dir():
                return
            forget_asides(self.folder)
            linked = [path for path in self.folder.glob("*.age") if path.stat().st_nlink > 1]
            placed = self._beside_recordings() if linked else set()
            for path in linked:
                if path.stat().st_ino in placed:
                    self._forget(path.name)
            for path in (*self.folder.glob("*.json"), *self.folder.glob(f"*{ORDERED_SUFFIX}")):
                if not path.with_suffix(".age").exists():
                    path.unlink()

    def put(self, kind: Kind, sealed: bytes, *, by: str, at: Stamp) -> str:
        """Keep a sealed file until a recording begins; its name. A label takes the place of this person's one before.

        Raises:
            StoreError: there are too many, or it is not durable.
        """
        one = Waiting(
            name=f"{kind}-{random_hex(6)}.age",
            kind=kind,
            by=by,
            sealed=at.wall,
            clock_trusted=at.trusted,
            boot=at.boot or "",
            monotonic_us=at.monotonic_us or 0,
        )
        before = self.all()
        if len(before) >= MOST_WAITING:
            raise StoreError(
                "too much waits for a recording already",
                "put it beside one, or have some of it erased at the box: sotto erase",
            )
        with self._lock, _told("what was given could not be kept"):
            self.folder.mkdir(mode=0o750, exist_ok=True)
            sync_folder(self._store)
            self._write_facts(one)
            write_whole(self.folder / one.name, sealed)
            for label in before if kind is Kind.LABEL else ():
                if label.kind is Kind.LABEL and label.by == by and not label.left:
                    self._forget(label.name)
        return one.name

    def leave(self, chosen: Iterable[Waiting]) -> None:
        """Have those wait for no recording any more; they stay. That holds at once.

        Raises:
            StoreError: a restart of the service would not know of it.
        """
        with self._lock:
            chosen = [one for one in chosen if not one.left]
            self._left.update(one.name for one in chosen)
            with _told("what waits could not be left"):
                for one in chosen:
                    self._write_facts(one.model_copy(update={"left": True}))

    def place(self, one: Waiting, link: Callable[[Path], str]) -> str:
        """Have ``link`` give it its name beside a recording, and forget it here; that name.

        Raises:
            StoreError: it is not there, and waits here as before; or it is there, and here it is left until the next
                start, which takes it away.
        """
        with self._lock:
            name = link(self.folder / one.name)
            self._left.add(one.name)  # whatever comes, it is not put beside another one as well
            with _told("what was put beside a recording could not be taken from what waits"):
                self._forget(one.name)
        return name

    def erase(self, one: Waiting) -> None:
        """Overwrite it and take it away.

        Raises:
            StoreError: it may still be there.
        """
        with self._lock, _told("what waited could not be erased"):
            path = self.folder / one.name
            if path.exists() and path.stat().st_nlink == 1:  # else it lies beside a recording, and is that one's
                overwrite_file(path)
            self._forget(one.name)

    def _forget(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)
        sync_folder(self.folder)
        for suffix in (".json", ORDERED_SUFFIX):
            (self.folder / name).with_suffix(suffix).unlink(missing_ok=True)
        self._left.discard(name)

    def _write_facts(self, one: Waiting) -> None:
        write_whole((self.folder / one.name).with_suffix(".json"), one.model_dump_json().encode())

    def _beside_recordings(self) -> set[int]:
        """The numbers (inodes) of all that lies beside a recording."""
        return {path.stat().st_ino for path in self._store.glob(f"*/{ATTACHMENTS_NAME}/*.age")}
