"""Power cuts below the file system: rebuilds a disk as it would be had the power gone at one instant.

QEMU's ``blklogwrites`` driver writes a log of every write and flush that a guest's disk saw (the format is that of the
kernel's dm-log-writes). A write is safe once a flush followed it, or when it was a forced one; what came after the last
flush is dropped, or kept by lot, as a disk with a volatile cache would.
"""

from __future__ import annotations

import random
import struct
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path
from typing import BinaryIO, Final, Literal

SECTOR_BYTES: Final = 512  # what the log is told to count in
_ENTRY: Final = struct.Struct("<QQQQ")
_PATIENCE_S: Final = 120.0  # an e2fsck was seen that never ended


class Flag(IntFlag):
    """What kind of entry it is (drivers/md/dm-log-writes.c)."""

    FLUSH = 1
    FORCED = 2
    DISCARD = 4


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing the disk was told: ``sectors`` of data, kept at ``data_at`` of the log, go to ``sector``."""

    sector: int
    sectors: int
    flags: int
    data_at: int


def entries(log: Path) -> Iterator[Entry]:
    """What the log holds so far, in order; it may still be growing, and is zeros where nothing was written yet."""
    with log.open("rb") as file:
        at = SECTOR_BYTES  # the first sector is the log's own
        while True:
            file.seek(at)
            head = file.read(_ENTRY.size)
            if len(head) < _ENTRY.size or not any(head):
                return
            sector, sectors, flags, _ = _ENTRY.unpack(head)
            yield Entry(sector, sectors, flags, at + SECTOR_BYTES)
            at += SECTOR_BYTES * (1 if flags & Flag.DISCARD else 1 + sectors)


def read_data(log: Path, entry: Entry) -> bytes:
    """What was written with an entry."""
    with log.open("rb") as file:
        file.seek(entry.data_at)
        return file.read(entry.sectors * SECTOR_BYTES)


def last_before_a_flush(log: Path, seen: int) -> int:
    """How much had been seen just before the last flush of ``seen`` entries: no moment loses more than that one."""
    flushes = [number for number, entry in enumerate(entries(log)) if number < seen and entry.flags & Flag.FLUSH]
    return flushes[-1] if flushes else seen


def replay(
    base: Path, log: Path, cut: Path, *, seen: int, volatile: Literal["drop", "lot"] = "drop", seed: int = 0
) -> int:
    """Write to ``cut`` what ``base`` had become when the power went after ``seen`` entries.

    Returns how many writes were lost.
    """
    told = [entry for _, entry in zip(range(seen), entries(log), strict=False)]
    safe = max((number for number, entry in enumerate(told) if entry.flags & Flag.FLUSH), default=-1)
    chance = random.Random(seed)
    lost = 0
    _copy_sparse(base, cut)
    with log.open("rb") as source, cut.open("r+b") as disk:
        for number, entry in enumerate(told):
            if entry.sectors == 0 or entry.flags & Flag.DISCARD:
                continue
            is_safe = number <= safe or entry.flags & Flag.FORCED
            if is_safe or (volatile == "lot" and chance.random() < 0.5):
                _apply(entry, source, disk)
            else:
                lost += 1
    return lost


def rescue(cut: Path, folder: Path, *, e2fsck: Sequence[str | Path] = ("e2fsck",)) -> None:
    """Do what the next boot does (``systemd-fsck``: e2fsck replays ext4's journal), see that the file system is whole,
    and copy all files out. ``e2fsck``: how that program is run, where it is not this machine's.
    """
    replayed, checked = (
        subprocess.run([*e2fsck, *words, cut], capture_output=True, text=True, check=False, timeout=_PATIENCE_S)
        for words in (["-p"], ["-f", "-n"])
    )
    if replayed.returncode > 1 or checked.returncode:
        raise RuntimeError(f"the file system is damaged:\n{replayed.stdout}\n{checked.stdout}")
    folder.mkdir()
    subprocess.run(["debugfs", "-R", f"rdump / {folder}", cut], capture_output=True, check=True)


def _apply(entry: Entry, source: BinaryIO, disk: BinaryIO) -> None:
    source.seek(entry.data_at)
    disk.seek(entry.sector * SECTOR_BYTES)
    disk.write(source.read(entry.sectors * SECTOR_BYTES))


def _copy_sparse(base: Path, to: Path) -> None:
    subprocess.run(["cp", "--sparse=always", base, to], check=True)
