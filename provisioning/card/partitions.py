"""Where Raspberry Pi OS has its boot partition: the first of an MBR table (pi-gen, export-image/prerun.sh)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from provisioning.errors import UsageError

TABLE_BYTES: Final = 512
_SECTOR_BYTES: Final = 512
_ENTRIES_AT: Final = 446
_FAT32: Final = (0x0B, 0x0C)
_LINUX: Final = 0x83
_HINT: Final = "give an unpacked image of Raspberry Pi OS Lite (64-bit, trixie), or a card with it"


@dataclass(frozen=True)
class Extent:
    """A part of a disk, in bytes."""

    offset_bytes: int
    size_bytes: int

    @property
    def end_bytes(self) -> int:
        """Where it ends."""
        return self.offset_bytes + self.size_bytes


def boot_partition(table: bytes, *, disk_bytes: int) -> Extent:
    """The boot partition by a disk's first sector.

    Raises:
        UsageError: this is no such image, or the disk is smaller than its partitions.
    """
    if len(table) < TABLE_BYTES or table[510:512] != b"\x55\xaa":
        raise UsageError("there is no partition table here", _HINT)
    rows = [_entry(table, number) for number in range(4)]
    (boot_kind, boot), (root_kind, root) = rows[0], rows[1]
    if boot_kind not in _FAT32 or root_kind != _LINUX:
        raise UsageError("the partitions here are not those of Raspberry Pi OS", _HINT)
    if max(boot.end_bytes, root.end_bytes) > disk_bytes:
        raise UsageError(
            "the partitions here end beyond the disk", "it was not written whole, or is no card of that size"
        )
    return boot


def _entry(table: bytes, number: int) -> tuple[int, Extent]:
    kind, first, count = struct.unpack_from("<4xB3xII", table, _ENTRIES_AT + 16 * number)
    return kind, Extent(first * _SECTOR_BYTES, count * _SECTOR_BYTES)
