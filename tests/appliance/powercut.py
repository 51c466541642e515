"""A disk in the guest whose power can be cut at any instant, as often as wanted, after one run."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from tests.appliance.logreplay import SECTOR_BYTES, entries, last_before_a_flush, replay
from tests.appliance.vm import Vm

MOUNTED_AT: Final = "/mnt/store"
_LOG_BYTES: Final = 4 << 30  # sparse: what was written is all it takes


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment in the run: how much the disk had seen of it, and the guest's monotonic clock then."""

    seen: int
    guest_us: int


class LoggedDisk:
    """An ext4 disk plugged into a guest, mounted at ``MOUNTED_AT``; every write and flush to it is logged."""

    def __init__(self, folder: Path, *, size_mib: int = 256, ext4_options: str = "defaults") -> None:
        self._base, self._disk, self._log = (folder / name for name in ("base.ext4", "disk.ext4", "log"))
        self._options = ext4_options
        for file, size_bytes in ((self._base, size_mib << 20), (self._log, _LOG_BYTES)):
            with file.open("wb") as empty:
                empty.truncate(size_bytes)
        lazy = "lazy_itable_init=0,lazy_journal_init=0"
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-E", lazy, self._base], check=True)
        subprocess.run(["cp", "--sparse=always", self._base, self._disk], check=True)

    def plug_into(self, vm: Vm) -> None:
        """Plug it in and mount it."""
        vm.plug_disk(
            f"driver=file,node-name=disk,filename={self._disk}",
            f"driver=file,node-name=log,filename={self._log}",
            f"driver=blklogwrites,node-name=logged,file=disk,log=log,log-sector-size={SECTOR_BYTES}",
        )
        device = "/dev/disk/by-id/virtio-plugged"
        vm.agent.sh(f"until [ -b {device} ]; do sleep 0.1; done; mkdir -p {MOUNTED_AT}")
        vm.agent.sh(f"mount -o {self._options} {device} {MOUNTED_AT}")

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
