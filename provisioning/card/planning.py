"""The plan of a card: every file that will be on its boot partition, decided before anything is touched.

user-data, meta-data, network-config, cmdline.txt     what Raspberry Pi OS reads (``cloud``)
sotto/first-boot, sotto-first-boot.service            what is done on the first start, and then gone
      make-room                                       the card's partitions, of it
      files/…, files.list                             what goes to /etc/sotto, with owners and modes
      packages/*.deb                                  Sotto, and what it stands on that a stock card has not
      SHA256SUMS                                      of all of these; what does not fit is not installed
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from provisioning.card.box_files import BoxFiles
from provisioning.card.cloud import FOLDER, kernel_line, meta_data, network_config, user_data
from provisioning.card.machine import Machine
from provisioning.errors import UsageError

KERNEL_LINE: Final = "cmdline.txt"
# What only a card of Raspberry Pi OS trixie has, all of them at the top of its boot partition.
STOCK: Final = ("cmdline.txt", "config.txt", "meta-data", "network-config", "user-data")
_UNIT: Final = "sotto-first-boot.service"
PI: Final = "arm64"
MACHINES: Final = (PI, "amd64")
_HERE: Final = Path(__file__).parent


@dataclass(frozen=True)
class CardFile:
    """One file: its name from the top of the boot partition, and what is in it, here or in a file of ours."""

    name: str
    data: bytes | Path
    is_secret: bool = False

    @property
    def size_bytes(self) -> int:
        """How much room it takes, but for what a file system adds."""
        return len(self.data) if isinstance(self.data, bytes) else self.data.stat().st_size

    def read(self) -> bytes:
        """What will be in it."""
        return self.data if isinstance(self.data, bytes) else self.data.read_bytes()


@dataclass(frozen=True)
class Plan:
    """What is written, in this order; the kernel's line last, because it sets all else off."""

    instance: str
    files: tuple[CardFile, ...]

    @property
    def size_bytes(self) -> int:
        """All of it."""
        return sum(file.size_bytes for file in self.files)


def plan_card(
    machine: Machine, box: BoxFiles, packages: Iterable[Path], *, instance: str, found_kernel_line: str, arch: str = PI
) -> Plan:
    """Decide everything. ``instance``: new for each card, so that it counts as one that was never started.

    Raises:
        UsageError: the packages are not those of a Raspberry Pi, or files cannot be told apart on a boot partition.
    """
    folder = PurePosixPath(FOLDER)
    inside = [
        *(CardFile(name, (_HERE / name).read_bytes()) for name in ("first-boot", "make-room", _UNIT)),
        *(CardFile(f"files/{file.name}", file.data, file.is_secret) for file in box.files),
        CardFile("files.list", "".join(f"{f.owner} {f.group} {f.mode} {f.name}\n" for f in box.files).encode()),
        *(CardFile(f"packages/{path.name}", path) for path in checked_packages(packages, arch=arch)),
    ]
    inside.append(CardFile("SHA256SUMS", "".join(map(_sum_line, inside)).encode()))
    country = machine.wifi.country if machine.wifi else None
    line = kernel_line(found_kernel_line, instance=instance, country=country)
    cloud = [
        CardFile("user-data", user_data(machine, ssh_keys=box.ssh_keys).encode()),
        CardFile("network-config", network_config(machine).encode(), is_secret=machine.wifi is not None),
        CardFile("meta-data", meta_data(instance).encode()),
        CardFile(KERNEL_LINE, line.encode()),
    ]
    files = [CardFile(str(folder / file.name), file.data, file.is_secret) for file in inside] + cloud
    _check_names(files)
    return Plan(instance, tuple(files))


def checked_packages(packages: Iterable[Path], *, arch: str) -> list[Path]:
    """Those packages, if they are a box's: Sotto once, and nothing of another machine.

    Raises:
        UsageError: they are not.
    """
    found = sorted(packages)
    if len([path for path in found if path.name.startswith("sotto_")]) != 1:
        raise UsageError(
            "there has to be one package of Sotto", f"make it: make deb ARCH={arch}; then take away others"
        )
    for path in found:
        if not re.search(rf"_({arch}|all)\.deb$", path.name):
            raise UsageError(f"{path.name} is not for a Raspberry Pi", f"give packages of {arch}: make deb ARCH={arch}")
    return found


def _sum_line(file: CardFile) -> str:
    if isinstance(file.data, bytes):
        return f"{hashlib.sha256(file.data).hexdigest()}  {file.name}\n"
    with file.data.open("rb") as source:
        return f"{hashlib.file_digest(source, 'sha256').hexdigest()}  {file.name}\n"


def _check_names(files: list[CardFile]) -> None:
    """A boot partition is FAT: it does not tell large letters from small, and its names hold no blanks here."""
    seen: set[str] = set()
    for file in files:
        if file.name.lower() in seen or not re.fullmatch(r"[A-Za-z0-9._+~%/-]+", file.name):
            raise UsageError(
                f"{file.name} cannot lie on a boot partition",
                "names there are letters, digits and . _ + ~ -, and differ not only in large and small letters",
            )
        seen.add(file.name.lower())
