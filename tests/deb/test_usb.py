"""Which USB devices a box lets in: the script that udev starts, on folders laid out as the kernel lays them out."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

BOX = Path(__file__).parents[2] / "deb" / "box" / "usr" / "lib"
RULES = BOX / "udev/rules.d/70-sotto-usb.rules"
# Class of each part of a device, as its descriptors have them.
SOUND, KEYS, VIDEO, STORAGE, NETWORK, HUB, OTHER = "01", "03", "0e", "08", "02", "09", "ff"


class Plugged:
    """A device that was plugged in: not let in, and its parts not either (Documentation/usb/authorization.rst)."""

    def __init__(self, folder: Path, *classes: str) -> None:
        self.folder = folder / "1-1.2"
        self.asked = folder / "drivers_probe"
        self.asked.touch()
        self.classes = classes
        for number, one in enumerate(classes):
            part = self.folder / f"1-1.2:1.{number}"
            part.mkdir(parents=True)
            (part / "bInterfaceClass").write_text(f"{one}\n")
            (part / "authorized").write_text("0\n")
        (self.folder / "authorized").write_text("0\n")

    def comes(self) -> None:
        interfaces = "".join(f":{one}0000" for one in dict.fromkeys(self.classes)) + ":"
        words = ["sh", str(BOX / "sotto" / "usb-device"), str(self.folder), interfaces]
        env = {"PATH": "/usr/bin:/bin", "USB_DRIVERS_PROBE": str(self.asked)}
        subprocess.run(words, env=env, check=True)

    @property
    def used(self) -> list[str]:
        """The classes of the parts that may have a driver; nothing has one where the device was not let in."""
        if (self.folder / "authorized").read_text() == "0\n":
            assert all(part.read_text() == "0\n" for part in self.folder.glob("*/authorized"))
            return []
        parts = sorted(self.folder.glob("*:*"))
        return [
            (part / "bInterfaceClass").read_text().strip() for part in parts if "1" in (part / "authorized").read_text()
        ]


@pytest.mark.parametrize(
    ("parts", "used"),
    [
        ((SOUND, SOUND), [SOUND, SOUND]),
        ((SOUND, SOUND, SOUND, KEYS), [SOUND, SOUND, SOUND]),  # a microphone with a button for mute
        ((VIDEO, VIDEO, SOUND, SOUND), [SOUND, SOUND]),  # of a webcam its microphone alone
        ((HUB,), [HUB]),
        ((HUB, KEYS), []),
        ((KEYS,), []),
        ((KEYS, KEYS), []),
        ((STORAGE,), []),
        ((NETWORK, "0a"), []),
        ((VIDEO, VIDEO), []),
        ((OTHER,), []),
        ((SOUND, STORAGE, KEYS, NETWORK), [SOUND]),
    ],
    ids=str,
)
def test_a_box_uses_the_sound_of_a_device_and_hubs_and_nothing_else(
    tmp_path: Path, parts: tuple[str, ...], used: list[str]
) -> None:
    device = Plugged(tmp_path, *parts)
    device.comes()
    assert device.used == used
    assert bool(device.asked.read_text()) is bool(used)


def test_a_machine_is_left_alone_that_was_not_told_to_let_nothing_in() -> None:
    lines = [line for line in RULES.read_text().splitlines() if not line.startswith("#")]
    asked = next(number for number, line in enumerate(lines) if line.startswith('ENV{usbcore.authorized_default}!="0"'))
    assert "GOTO" in lines[asked]
    assert not any(word in line for line in lines[:asked] for word in ("RUN", "ATTR"))
