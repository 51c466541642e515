"""A disk in the guest whose power can be cut at any instant, as often as wanted, after one run."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from tests.appliance.logreplay import SECTOR_BYTES, Flag, entries, last_before_a_flush, read_data, replay
from tests.appliance.vm import Vm
from tests.data_partition import made_with, mounted_with

MOUNTED_AT: Final = "/mnt/store"
DEVICE: Final = "/dev/disk/by-id/virtio-plugged"
# As large as the smallest that a box has, so that block, journal and what is beside it are as large as there.
_SIZE_BYTES: Final = 4 << 30
# Behind the file system: what a program in the guest says there is in the log in its place among the writes.
MARKS_AT: Final = _SIZE_BYTES
_MARKS_BYTES: Final = 1 << 20
_LOG_BYTES: Final = 4 << 30  # sparse: what was written is all it takes


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment in the run: how much the disk had seen of it, and the guest's monotonic clock then."""

    seen: int
    guest_us: int


class LoggedDisk:
    """A disk in a guest, made and mounted as a box's data partition, at ``MOUNTED_AT``; a log has all it is told."""

    def __init__(self, folder: Path, *, more_options: str = "") -> None:
        self._base, self._disk, self._log = (folder / name for name in ("base.ext4", "disk.ext4", "log"))
        self._options = mounted_with() + more_options
        for file, size_bytes in ((self._base, _SIZE_BYTES + _MARKS_BYTES), (self._log, _LOG_BYTES)):
            with file.open("wb") as empty:
                empty.truncate(size_bytes)
        lazy = "lazy_itable_init=0,lazy_journal_init=0"
        subprocess.run(["mkfs.ext4", *made_with(), "-E", lazy, self._base, f"{_SIZE_BYTES >> 10}k"], check=True)
        subprocess.run(["cp", "--sparse=always", self._base, self._disk], check=True)

    def plug_into(self, vm: Vm) -> None:
        """Plug it in and mount it."""
        vm.plug_disk(
            f"driver=file,node-name=disk,filename={self._disk}",
            f"driver=file,node-name=log,filename={self._log}",
            f"driver=blklogwrites,node-name=logged,file=disk,log=log,log-sector-size={SECTOR_BYTES}",
        )
        vm.agent.sh(f"until [ -b {DEVICE} ]; do sleep 0.1; done; mkdir -p {MOUNTED_AT}")
        vm.agent.sh(f"mount -o {self._options} {DEVICE} {MOUNTED_AT}")

    def marks(self) -> dict[int, dict[str, Any]]:
        """What the guest said behind the file system: how much the disk had seen with it, and what."""
        return {
            number + 1: json.loads(read_data(self._log, entry).rstrip(b"\0"))
            for number, entry in enumerate(entries(self._log))
            if entry.sector >= MARKS_AT // SECTOR_BYTES and entry.sectors
        }

    def touched(self) -> list[int]:
        """Where on the disk anything was ever written, in blocks of a page."""
        blocks = set[int]()
        for entry in entries(self._log):
            if entry.sectors and not entry.flags & Flag.DISCARD:
                blocks.update(range(entry.sector // 8, (entry.sector + entry.sectors - 1) // 8 + 1))
        return sorted(blocks)

    def worst(self, before: Instant) -> Instant:
        """The worst moment before this instant, just before the last flush; told with this instant's clock."""
        return Instant(last_before_a_flush(self._log, before.seen), before.guest_us)

    def now(self, vm: Vm) -> Instant:
        """This instant. The clock is asked last: rather too much sound is counted as lost than too little."""
        seen = sum(1 for _ in entries(self._log))
        return Instant(seen, round(vm.agent.monotonic_s() * 1_000_000))

    def cut(self, at: Instant, image: Path, *, volatile: Literal["drop", "lot"] = "drop", seed: int = 0) -> int:
        """Write to ``image`` what a power cut at this instant leaves; how many writes it cost."""
        return replay(self._base, self._log, image, seen=at.seen, volatile=volatile, seed=seed)
