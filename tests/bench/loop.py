"""An ext4 of our own on a loop device: what really reaches a disk is counted by the kernel, and its power can be cut.

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

_SHUTDOWN: Final = 0x8004587D
_WITHOUT_LOG: Final = (2).to_bytes(4, "little")
_SECTOR_BYTES: Final = 512
_WRITTEN: Final = 6
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

    def __init__(self, folder: Path, *, size_mb: int = 8000, options: str = "") -> None:
        """``options``: of mkfs.ext4, such as ``-O fast_commit``."""
        self._image, self.place = folder / "image", folder / "mounted"
        self.place.mkdir()
        with self._image.open("wb") as image:
            image.truncate(size_mb << 20)  # room for a whole session; what is not written takes none
        _run("mkfs.ext4", "-q", "-F", *options.split(), self._image)
        self._device = Path(_run("losetup", "--find", "--show", self._image).strip())
        self._mounted = False
        self.mount()

    def mount(self) -> None:
        """Mount it; after a cut its journal is replayed."""
        _run("mount", self._device, self.place)
        self._mounted = True

    def unmount(self) -> None:
        """Take it away; what is not written yet is written, unless it was shut."""
        if self._mounted:
            _run("umount", self.place)
            self._mounted = False

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
        """Take all of it away."""
        try:
            self.unmount()
        finally:  # a device that is still in use goes when it no longer is
            _run("losetup", "--detach", self._device)
            self._image.unlink()


@contextmanager
def loop_disk(folder: Path, *, options: str = "") -> Iterator[LoopDisk]:
    """One that goes with the block."""
    disk = LoopDisk(folder, options=options)
    try:
        yield disk
    finally:
        disk.close()


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, "PATH": _PATH})
    return done.stdout
