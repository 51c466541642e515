"""The versions on a box's disk: images, the link that says which is settled, and what is remembered of updates.

    <folder>/sotto_0.2.0_arm64.squashfs    whole, or not under this name
             current                       a link to the image that is settled; the package's own where there is none
             state.json                    ``State``
    <run>/now                              a link, lost at a restart: what is mounted (``opt-sotto.mount``)

What each of them means after a cut is in ``device.updating``.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from device.claim import claimed
from device.durable import aside, forget_asides, sync_folder, write_whole
from device.errors import DamagedError, StoreError, StoreFullError, UpdateError
from device.shapes import ShapeError
from device.store import store_error
from device.updating import Staged, State, needed, version_of

CURRENT_NAME: Final = "current"
NOW_NAME: Final = "now"
STATE_NAME: Final = "state.json"
_ROOM_BYTES: Final = 64 << 20  # that stays free for all else


class VersionShelf:
    """Keeps the versions. One program at a time changes something (``mine``); any may look."""

    def __init__(self, folder: Path, run: Path) -> None:
        """``folder``: on the disk that is not read-only. ``run``: in memory."""
        self.folder = folder
        self._now = run / NOW_NAME

    @contextmanager
    def mine(self) -> Iterator[None]:
        """Have it to oneself. Raises ``StoreError``: another program has it, so an update is under way."""
        busy = StoreError("another update is under way", "`sotto update status` shows how far it is")
        with claimed(self.folder, otherwise=busy):
            yield

    # -- what there is ------------------------------------------------------------------------------------------------

    def current(self) -> str | None:
        """The image that is settled; ``None``: the package's own."""
        name = _target(self.folder / CURRENT_NAME)
        return name if name is not None and version_of(name) and (self.folder / name).exists() else None

    def now(self) -> str | None:
        """The image that is to be mounted; ``None``: the package's own."""
        target = _target(self._now)
        if target == str(self.folder / CURRENT_NAME):
            return self.current()
        name = Path(target or "").name
        return name if version_of(name) and (self.folder / name).exists() else None

    def is_trial(self) -> bool:
        """Whether another version than the settled one is to be mounted."""
        return self.now() != self.current()

    def state(self) -> State:
        """What is remembered. Raises ``DamagedError``, ``StoreError``."""
        try:
            return State.model_validate_json((self.folder / STATE_NAME).read_bytes())
        except FileNotFoundError:
            return State()
        except ShapeError as problem:
            raise DamagedError(
                "what the box remembers of its updates is damaged", f"take {STATE_NAME} away from {self.folder}"
            ) from problem
        except OSError as problem:
            raise store_error(problem, "what the box remembers of its updates cannot be read") from problem

    def check(self, staged: Staged) -> None:
        """Read an image whole. Raises ``UpdateError``: it is not what was signed; ``StoreError``: it cannot be read."""
        try:
            with (self.folder / staged.image).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                size_bytes = file.tell()
        except OSError as problem:
            raise store_error(problem, "the image cannot be read") from problem
        if (size_bytes, digest) != (staged.size_bytes, staged.sha256):
            raise UpdateError("the image is not what the clinic signed", "send it again; a card that does this is worn")

    # -- what is done, each step whole or not at all ------------------------------------------------------------------

    def remember(self, state: State) -> None:
        """Raises ``StoreError``: the former state holds."""
        try:
            write_whole(self.folder / STATE_NAME, (state.model_dump_json() + "\n").encode())
        except OSError as problem:
            raise store_error(problem, "the state of the update could not be written") from problem

    def place(self, staged: Staged, pieces: Iterable[bytes]) -> None:
        """Write an image aside, and give it its name once there are no more pieces and it is what was signed.

        Raises:
            UpdateError: it is not what was signed; nothing of it stays.
            StoreError: it cannot be written; nothing of it stays.
        """
        path = self.folder / staged.image
        try:
            if shutil.disk_usage(self.folder).free < staged.size_bytes + _ROOM_BYTES:
                raise StoreFullError("there is no room for the update", "free some room on the box's data partition")
            try:
                _write(aside(path), staged, pieces)
                aside(path).rename(path)
                sync_folder(self.folder)
            finally:
                aside(path).unlink(missing_ok=True)
        except OSError as problem:
            raise store_error(problem, "the update could not be written") from problem

    def use(self, image: str | None) -> None:
        """Have that image mounted from the next change on, until the machine starts again. Raises ``StoreError``."""
        _point(self._now, str(self.folder / (CURRENT_NAME if image in (None, self.current()) else image)))

    def settle(self, image: str) -> None:
        """From here on this is the version that is mounted, at each start. Raises ``StoreError``: the former one is."""
        _point(self.folder / CURRENT_NAME, image)
        try:
            sync_folder(self.folder)
        except OSError as problem:
            raise store_error(problem, "the update could not be settled") from problem
        self.use(image)

    def tidy(self, state: State) -> None:
        """Take away what nobody needs: older images, and what a cut left half written. Raises ``StoreError``."""
        stay = needed(state, current=self.current()) | {self.now()}
        try:
            forget_asides(self.folder)
            gone = [one for one in self.folder.iterdir() if version_of(one.name) and one.name not in stay]
            for one in gone:
                one.unlink()
            if gone:
                sync_folder(self.folder)
        except OSError as problem:
            raise store_error(problem, "older versions could not be taken away") from problem


def _write(path: Path, staged: Staged, pieces: Iterable[bytes]) -> None:
    digest, size_bytes = hashlib.sha256(), 0
    with path.open("wb") as file:
        for piece in pieces:
            digest.update(piece)
            file.write(piece)
            size_bytes += len(piece)
        file.flush()
        os.fsync(file.fileno())
    if (size_bytes, digest.hexdigest()) != (staged.size_bytes, staged.sha256):
        raise UpdateError("the image is not what the clinic signed", "send the update again")


def _target(link: Path) -> str | None:
    try:
        return str(link.readlink())
    except OSError:
        return None


def _point(link: Path, target: str) -> None:
    """Have a link point somewhere, in one step: it points to the one or to the other at every moment."""
    try:
        aside(link).unlink(missing_ok=True)
        aside(link).symlink_to(target)
        aside(link).rename(link)
    except OSError as problem:
        raise store_error(problem, "the version could not be changed") from problem
