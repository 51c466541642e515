"""Whether a device may be written to: a card in a reader, whole, of a card's size, and in nobody's use."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from provisioning.errors import UsageError

_SECTOR_BYTES: Final = 512  # of sysfs, whatever the device's own are
SMALLEST_BYTES: Final = 14 * 10**9
"""A card that is sold as 16 GB: the system, and sound of some sessions."""
LARGEST_BYTES: Final = 2 * 10**12
"""No SDXC card is larger: it is somebody's disk."""


@dataclass(frozen=True)
class Drive:
    """What the kernel says of a device."""

    path: Path
    is_whole: bool
    is_removable: bool
    size_bytes: int
    mounted: tuple[str, ...]

    def check(self) -> None:
        """Refuse what is not plainly a card that is free.

        Raises:
            UsageError: it is not, and why.
        """
        if not self.is_whole:
            raise UsageError(f"{self.path} is a part of a disk", "give the whole card, as `lsblk` shows it")
        if not self.is_removable:
            raise UsageError(
                f"{self.path} is no removable card", "nothing is written to a disk that stays in its machine"
            )
        if not SMALLEST_BYTES <= self.size_bytes <= LARGEST_BYTES:
            raise UsageError(
                f"{self.path} has {self.size_bytes / 1e9:.1f} GB",
                f"a box's card has {SMALLEST_BYTES / 1e9:.0f} to {LARGEST_BYTES / 1e9:.0f} GB: is it the right device?",
            )
        if self.mounted:
            raise UsageError(f"{self.path} is in use: {', '.join(self.mounted)}", "unmount it first")


def look_at(path: Path, *, sys: Path = Path("/sys"), mounts: Iterable[str] | None = None) -> Drive:
    """Ask the kernel about a device. ``mounts``: lines as in /proc/self/mounts.

    Raises:
        UsageError: there is no such device.
    """
    try:
        device = path.resolve(strict=True)
        if not stat.S_ISBLK(device.stat().st_mode):
            raise UsageError(
                f"{path} is no device", "give a card with --to, a file with --image, a folder with --folder"
            )
    except OSError as problem:
        raise UsageError(f"{path} cannot be looked at: {problem.strerror}", "`lsblk` shows the devices") from problem
    if mounts is None:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    about = sys / "block" / device.name
    rows = [line.split() for line in mounts]
    return Drive(
        path=device,
        is_whole=about.is_dir(),
        is_removable=_said(about / "removable") == "1" or _said(about / "device" / "type") == "SD",
        size_bytes=int(_said(about / "size") or 0) * _SECTOR_BYTES,
        mounted=tuple(row[1] for row in rows if row[0] == str(device) or _is_part(row[0], of=device)),
    )


def _is_part(source: str, *, of: Path) -> bool:
    """/dev/sdx1 is a part of /dev/sdx, /dev/mmcblk0p1 one of /dev/mmcblk0."""
    rest = source.removeprefix(str(of))
    return rest != source and rest.removeprefix("p").isdigit()


def _said(path: Path) -> str:
    return path.read_text(encoding="ascii").strip() if path.is_file() else ""
