"""A card in the emulator: what a Raspberry Pi's firmware does with it, and what lies on it when it is taken out."""

from __future__ import annotations

import struct
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from tests.appliance.network import Wire
from tests.appliance.stock import BOOT_AT_BYTES
from tests.appliance.vm import KERNEL_LINE, Vm

_ENTRIES_AT: Final = 446
# What somebody plugged in before the box was switched on: of these it is to use the hub and the microphone.
_PLUGGED: Final = (
    *("-device", "qemu-xhci,id=usb", "-device", "usb-hub,bus=usb.0", "-device", "usb-kbd,bus=usb.0"),
    *("-audiodev", "none,id=quiet", "-device", "usb-audio,bus=usb.0,audiodev=quiet"),
    *("-blockdev", "null-co,node-name=stick,size=1048576,read-zeroes=on"),
    *("-device", "usb-storage,bus=usb.0,drive=stick"),
)


class Card:
    """A card with an image on it (``stock.written_card``)."""

    def __init__(self, image: Path, kernel: Path) -> None:
        self.image = image
        self._kernel = kernel

    def switched_on(self, wire: Wire) -> Vm:
        """A box with this card, started as the firmware starts it: with the kernel's line that is on the card now."""
        line = f"{self.boot_file('cmdline.txt').decode().strip()} {KERNEL_LINE}"
        more = ("-append", line, *wire.nic, *_PLUGGED)
        return Vm(self.image, self._kernel, image="raw", within=wire.at_desk, more=more)

    def boot_file(self, name: str) -> bytes:
        """A file of the boot partition."""
        words = ["mcopy", "-n", "-i", self._boot, f"::/{name}", "-"]
        return subprocess.run(words, check=True, capture_output=True).stdout

    def boot_files(self) -> dict[str, bytes]:
        """All of them, by their names from the top."""
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["mcopy", "-n", "-s", "-i", self._boot, "::/", folder], check=True, capture_output=True)
            top = Path(folder)
            return {str(path.relative_to(top)): path.read_bytes() for path in top.rglob("*") if path.is_file()}

    def take_out(self, folder: Path) -> None:
        """Every file of the partitions behind the first, each in a folder of its number; the box has to be off."""
        folder.mkdir(parents=True)
        with self.image.open("rb") as file:
            table = file.read(512)
        for number in (2, 3):
            (first,) = struct.unpack_from("<I", table, _ENTRIES_AT + 16 * (number - 1) + 8)
            with tempfile.TemporaryDirectory() as mounted:
                # As whoever puts it into a reader: what the plug left in the journal only is in its place then.
                options = f"loop,offset={first * 512},nodev,nosuid,noexec"
                subprocess.run(["mount", "-o", options, self.image, mounted], check=True)
                try:
                    subprocess.run(["cp", "-r", "--no-dereference", f"{mounted}/.", folder / str(number)], check=True)
                finally:
                    subprocess.run(["umount", mounted], check=True)

    @property
    def _boot(self) -> str:
        return f"{self.image}@@{BOOT_AT_BYTES}"
