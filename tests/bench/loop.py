"""An ext4 of our own on a loop device: what really reaches a disk is counted by the kernel, and its power can be cut.

It is made and mounted as a box's data partition is, by the very words (``tests/data_partition.py``).
Only root may. ``shut`` is ext4's own way to stop at once (``EXT4_IOC_SHUTDOWN``, without flushing its log): nothing
that is not yet on the device ever gets there, as at a power cut, and the next mount replays the journal. What it cannot
show is a card that lies about a flush, or tears a sector. Sources: ext4's ``ext4.h``; Documentation/block/stat.rst.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.data_partition import made_with, mounted_with

_SHUTDOWN: Final = 0x8004587D
_WITHOUT_LOG: Final = (2).to_bytes(4, "little")
_SECTOR_BYTES: Final = 512
_WRITTEN: Final = 6
_SIZE_BYTES: Final = 8 << 30
# Few inodes, and all written when it is made: else the kernel does that later, and it would count as ours.
_EAGER: Final = ("-N", "4096", "-E", "lazy_itable_init=0,lazy_journal_init=0")
PROGRAMS: Final = ("losetup", "mkfs.ext4", "mount", "umount")
_PATH: Final = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def why_not() -> str:
    """Why there can be none here; nothing where there can."""
    if os.geteuid() != 0:
        return "only root can make a loop device"
    missing = [name for name in PROGRAMS if shutil.which(name, path=_PATH) is None]
    if missing:
        return f"{', '.join(missing)} not installed"
    probe = subprocess.run(["losetup", "--find"], capture_output=True, check=False, env={"PATH": _PATH})
    return "" if probe.returncode == 0 else "this machine has no loop device to give"


class LoopDisk:
    """The file system at ``place``; mounted on return."""

    def __init__(self, folder: Path, *, image: Path | None = None) -> None:
        """``image``: a disk that is there already; none: a new one."""
        self.image, self.place = folder / "image" if image is None else image, folder / "mounted"
        self.place.mkdir()
        if image is None:
            with self.image.open("wb") as made:
                made.truncate(_SIZE_BYTES)  # room for a whole session; what is not written takes none
            _run("mkfs.ext4", *made_with(), *_EAGER, self.image)
        self._device = Path(_run("losetup", "--find", "--show", self.image).strip())
        try:
            _run("mount", "-o", mounted_with(), self._device, self.place)
        except subprocess.CalledProcessError:
            _run("losetup", "--detach", self._device)
            raise

    def shut(self) -> None:
        """Cut it off, now."""
        place = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(place, _SHUTDOWN, _WITHOUT_LOG)
        finally:
            os.close(place)

    def written_bytes(self) -> int:
        """How much has reached the device so far."""
        stat = Path(f"/sys/block/{self._device.name}/stat").read_text().split()
        return int(stat[_WRITTEN]) * _SECTOR_BYTES

    def settle(self) -> None:
        """Have all of it written that waits."""
        _run("sync", "-f", self.place)

    def close(self) -> None:
        """Take all of it away. What another mount namespace still has of it goes with that."""
        try:
            _run("umount", self.place)
        finally:
            _run("losetup", "--detach", self._device)
            self.image.unlink()


@contextmanager
def loop_disk(folder: Path) -> Iterator[LoopDisk]:
    """A new one, which goes with the block."""
    disk = LoopDisk(folder)
    try:
        yield disk
    finally:
        disk.close()


@contextmanager
def after_cut(disk: LoopDisk, folder: Path) -> Iterator[Path]:
    """Where a disk that was shut is mounted anew, its journal replayed: a copy of it, on a device of its own.

    The one that was shut may live on in somebody's mount namespace, and to mount it again would be to get that.
    """
    copy = folder / "image"
    _run("cp", "--sparse=always", disk.image, copy)
    seen = LoopDisk(folder, image=copy)
    try:
        yield seen.place
    finally:
        seen.close()


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, "PATH": _PATH})
    return done.stdout
