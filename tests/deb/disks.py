"""A card with a whole system on it, as a disk of this machine: partitions and file systems of its own, and a kernel's.

Laid out as pi-gen lays out Raspberry Pi OS; what is in it is a Debian trixie. Its boot partition holds ext4: not every
machine's kernel knows FAT.
"""

from __future__ import annotations

import contextlib
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.deb.trees import Machine

_SECTOR: Final = 512
CARD_BYTES: Final = 14 << 30  # most of which is never written: the file has holes
_BOOT_AT, _BOOT_BYTES, _ROOT_BYTES = 8 << 20, 512 << 20, 2 << 30
DISK_ID: Final = "6c586e13"
FSTAB: Final = f"""\
proc            /proc           proc    defaults          0       0
PARTUUID={DISK_ID}-01  /boot/firmware  ext4    defaults          0       2
PARTUUID={DISK_ID}-02  /               ext4    defaults,noatime  0       1
"""


class Card(Machine):
    """A machine whose root is the second partition of ``disk``."""

    # This machine's: a partition that is made in there appears here.
    devices = 'mount --rbind /dev "$tree/dev"; mount --rbind /sys "$tree/sys"'

    def __init__(self, disk: Path, tree: Path) -> None:
        super().__init__(tree)
        self.disk = disk

    def partition(self, number: int) -> Path:
        """Its device."""
        return Path(f"{self.disk}p{number}")

    def table(self) -> list[tuple[int, int, int]]:
        """The partitions that the disk's first sector names: kind, where each begins, and how long it is, in bytes."""
        with self.disk.open("rb") as disk:
            sector = disk.read(_SECTOR)
        rows = [struct.unpack_from("<4xB3xII", sector, 446 + 16 * number) for number in range(4)]
        return [(kind, first * _SECTOR, count * _SECTOR) for kind, first, count in rows if kind]


@contextlib.contextmanager
def card(tree: Path, boot: Path, folder: Path) -> Iterator[Card]:
    """A stock card with that Debian and that boot partition; both are mounted while it is used."""
    image = folder / "card.img"
    root_at = _BOOT_AT + _BOOT_BYTES
    rows = [(0x0C, _BOOT_AT, _BOOT_BYTES), (0x83, root_at, _ROOT_BYTES), (0, 0, 0), (0, 0, 0)]
    table = b"".join(struct.pack("<4xB3xII", kind, at // _SECTOR, size // _SECTOR) for kind, at, size in rows)
    with image.open("wb") as file:
        file.write(bytes(440) + struct.pack("<IH", int(DISK_ID, 16), 0) + table + b"\x55\xaa")
        file.truncate(CARD_BYTES)
    kib = str(_ROOT_BYTES >> 10)
    run("nice", "-n", "15", "mkfs.ext4", "-q", "-L", "rootfs", "-d", tree, "-E", f"offset={root_at}", image, kib)
    disk = Path(run("losetup", "--find", "--show", image).strip())
    place = folder / "root"
    place.mkdir()
    with contextlib.ExitStack() as stack:
        stack.callback(run, "losetup", "--detach", disk)
        subprocess.run(["partx", "--delete", "--nr", "1:3", disk], check=False, stderr=subprocess.DEVNULL)  # another's
        run("partx", "--add", disk)  # not every kernel reads such tables by itself
        stack.callback(subprocess.run, ["partx", "--delete", "--nr", "1:3", disk], check=False)  # some may not be there
        run("mkfs.ext4", "-q", "-L", "bootfs", f"{disk}p1")
        run("mount", f"{disk}p2", place)
        stack.callback(run, "umount", place)
        (place / "boot/firmware").mkdir(parents=True, exist_ok=True)
        run("mount", f"{disk}p1", place / "boot/firmware")
        stack.callback(subprocess.run, ["umount", "--quiet", place / "boot/firmware"], check=False)  # a test may have
        (place / "etc/fstab").write_text(FSTAB)
        run("cp", "-r", f"{boot}/.", place / "boot/firmware")
        yield Card(disk, place)
    image.unlink()


@contextlib.contextmanager
def mounted(device: Path, place: Path) -> Iterator[Path]:
    """What is on a partition."""
    place.mkdir(exist_ok=True)
    run("mount", device, place)
    try:
        yield place
    finally:
        run("umount", place)


def run(*words: str | Path) -> str:
    """Run a program that has to succeed; what it said."""
    return subprocess.run(words, stdout=subprocess.PIPE, check=True, text=True).stdout
