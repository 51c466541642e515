"""A disk that can be plugged in and out: a folder that is put under the mount point, and taken away again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from device.remote import SILENCE_S, Remote
from device.remote_folder import MARK_NAME, FolderRemote
from tests.remote.servers import known


@dataclass(frozen=True)
class FolderMaker:
    path: Path

    def __call__(self, *, silence_s: float = SILENCE_S) -> Remote:
        return FolderRemote(self.path)


class FolderServer:
    secrets: tuple[str, ...] = ()
    freezes = False

    def __init__(self, folder: Path) -> None:
        self._disk, self._mount = folder / "disk", folder / "mount"
        self._disk.mkdir(parents=True)
        (self._disk / MARK_NAME).touch()
        self._mount.mkdir()
        self.maker = FolderMaker(self._mount)
        self.start()

    @property
    def _mounted(self) -> bool:
        return not self._disk.exists()

    def start(self) -> None:
        if not self._mounted:
            shutil.rmtree(self._mount)
            self._disk.rename(self._mount)

    def kill(self) -> None:
        if self._mounted:
            self._mount.rename(self._disk)
            self._mount.mkdir()

    def freeze(self) -> None:
        raise AssertionError("a folder has no process")

    def thaw(self) -> None:
        raise AssertionError("a folder has no process")

    def _files(self) -> Iterator[tuple[str, Path]]:
        root = self._mount if self._mounted else self._disk
        for path in root.rglob("*"):
            if path.is_file() and path.name != MARK_NAME:
                yield str(path.relative_to(root)), path

    def held(self) -> dict[str, str]:
        return {name: known(path.read_bytes()) for name, path in self._files() if not path.name.startswith(".")}

    def unfinished(self) -> int:
        return sum(1 for _, path in self._files() if path.name.startswith("."))

    def damage(self, name: str, at: int) -> None:
        with dict(self._files())[name].open("r+b") as file:
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 1]))

    def strangers(self) -> Iterator[tuple[str, Remote]]:
        yield from ()

    def close(self) -> None:
        self.start()
