"""A stock card for the emulator: as near to Raspberry Pi OS Lite (64-bit, trixie) as Debian's own packages come.

Its two partitions lie and are named as pi-gen has them, with the files that Raspberry Pi OS reads on its first start,
and cloud-init looks for them there. Its kernel and modules are the emulator's, and what surrounds a box (a panel, a
microphone, the tests' hands) is in it; nothing of Sotto is. What only a Raspberry Pi has, its firmware, its kernel, its
own packages, is not there: what the firmware does is done by ``card.py``.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.appliance.build import ARCH, CACHE, HERE, RECIPES, ROOT, TARGET, stages, words_of
from tests.appliance.debian import bootstrap, politely, run_in
from tests.appliance.stages import Stage, build_all

CARD_BYTES: Final = 15_931_539_456  # of a card with "16 GB" on it
BOOT_AT_BYTES: Final = 8 << 20
_BOOT_BYTES: Final = 512 << 20
_ROOT_AT_BYTES: Final = BOOT_AT_BYTES + _BOOT_BYTES
_ROOT_BYTES: Final = 2560 << 20
"""As an image comes: a little wider than it is full. The first start makes it grow."""
_DISK: Final = 0x50771C0D
_LINUX: Final = 0x83
_FAT32: Final = 0x0C
# What lies at the top of a stock boot partition (pi-gen, stage1/00-boot-files and stage2/04-cloud-init).
BOOT_FILES: Final = {
    "cmdline.txt": f"console=serial0,115200 console=tty1 root=PARTUUID={_DISK:08x}-02 rootfstype=ext4 "
    "fsck.repair=yes rootwait resize\n",
    "config.txt": "dtparam=audio=on\ncamera_auto_detect=1\ndisplay_auto_detect=1\nauto_initramfs=1\narm_64bit=1\n"
    "arm_boost=1\n",
    "meta-data": "dsmode: local\ninstance_id: rpios-image\n",
    "network-config": "#network:\n#  version: 2\n",
    "user-data": "#cloud-config\n",
}
# What the package is made of.
_PACKAGED: Final = ("deb", "systemd", "device", "provisioning", "requirements.lock", "pyproject.toml", "README.md")


def make_stock_base(_stage: Stage, out: Path) -> None:
    """The stock card's Debian."""
    bootstrap(out, words_of(RECIPES / "stock-packages.txt"), arch=ARCH)


def make_stock(stage: Stage, out: Path) -> None:
    """The image that somebody would download: a table, the boot partition, the root partition."""
    parts = {stage.of(name): f"/{name}" for name in ("stock-base", "kernel")}
    binds: dict[Path, str] = {RECIPES: "/recipes", HERE / "guest": "/guest", HERE / "stock": "/stock", out: "/out"}
    words = ["env", f"DISK={_DISK:08x}", f"ROOT_BYTES={_ROOT_BYTES}", "/recipes/stock.sh"]
    run_in(stage.of("builder"), words, binds=binds | parts)
    image, root = out / "stock.img", out / "root.ext4"
    with image.open("wb") as file:
        file.write(table())
        file.truncate(_ROOT_AT_BYTES + _ROOT_BYTES)
    fat = ["mkfs.vfat", "-F", "32", "-n", "bootfs", f"--offset={BOOT_AT_BYTES // 512}", image, _BOOT_BYTES // 1024]
    politely([str(word) for word in fat])
    for name, text in BOOT_FILES.items():
        words = ["mcopy", "-i", f"{image}@@{BOOT_AT_BYTES}", "-", f"::/{name}"]
        subprocess.run(words, input=text.encode(), check=True)
    politely(["dd", f"if={root}", f"of={image}", f"seek={_ROOT_AT_BYTES >> 20}", "bs=1M", "conv=notrunc,sparse"])
    root.unlink()


def make_package(_stage: Stage, out: Path) -> None:
    """Sotto's package, as ``make deb`` makes it."""
    politely([sys.executable, ROOT / "deb" / "build.py", "--arch", ARCH, "--out", out])


def make_packages(stage: Stage, out: Path) -> None:
    """What ``device card --packages`` is given: Sotto's, and those it needs that the stock card has not."""
    binds: dict[Path, str] = {stage.of("stock-base"): "/stock", stage.of("package"): "/package", out: "/out"}
    run_in(stage.of("builder"), ["/recipes/packages.sh"], binds=binds | {RECIPES: "/recipes"})


def stock_stages() -> tuple[Stage, Stage]:
    """The stock image, and the packages for its card."""
    folder = CACHE / ARCH
    kernel, builder = (_part(stages(), name) for name in ("kernel", "builder"))

    def stage(name: str, *args: object) -> Stage:
        return replace(Stage(name, *args), folder=folder / name)

    settle = (RECIPES / "settle.sh",) if TARGET.is_foreign else ()
    listed = (RECIPES / "stock.sh", RECIPES / "stock-masked-units.txt", HERE / "guest", HERE / "stock", Path(__file__))
    base = stage("stock-base", make_stock_base, (RECIPES / "stock-packages.txt",))
    stock = stage("stock", make_stock, (*listed, *settle), (builder, kernel, base))
    package = stage("package", make_package, tuple(ROOT / name for name in _PACKAGED))
    return stock, stage("packages", make_packages, (RECIPES / "packages.sh",), (builder, base, package))


def build_stock() -> Path:
    """Bring both up to date; the folder whose ``kernel``, ``stock`` and ``packages`` a card and its box are made of."""
    for stage in stock_stages():
        build_all(stage)
    return CACHE / ARCH


def written_card(image: Path, card: Path) -> Path:
    """A card onto which the image was written; larger than it, as cards are."""
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", image, card], check=True)
    os.truncate(card, CARD_BYTES)
    return card


def _part(of: Stage, name: str) -> Stage:
    if of.name == name:
        return of
    return next(found for need in of.needs if (found := _try_part(need, name)) is not None)


def _try_part(of: Stage, name: str) -> Stage | None:
    try:
        return _part(of, name)
    except StopIteration:
        return None


def table() -> bytes:
    """An MBR with two partitions."""
    rows = ((_FAT32, BOOT_AT_BYTES, _BOOT_BYTES), (_LINUX, _ROOT_AT_BYTES, _ROOT_BYTES), (0, 0, 0), (0, 0, 0))
    entries = b"".join(struct.pack("<4xB3xII", kind, at // 512, size // 512) for kind, at, size in rows)
    return bytes(440) + struct.pack("<IH", _DISK, 0) + entries + b"\x55\xaa"


if __name__ == "__main__":
    sys.stdout.write(f"{build_stock()}\n")
