"""Which sound card is meant, found in a tree like that of sysfs."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.capture.sound_cards import Card, Identity, cards, find_card
from device.errors import MicrophoneError


def usb(sys: Path, index: int, card_id: str, *, path: str, serial: str | None, product: str = "Microphone") -> None:
    """A USB card as the kernel lists it: ``device`` leads to the interface, its parent is the device."""
    device = sys / f"devices/pci0000:00/usb1/{path}"
    card = device / f"{path}:1.0/sound/card{index}"
    card.mkdir(parents=True)
    (card / "id").write_text(f"{card_id}\n")
    (card / "device").symlink_to("../..")
    (device / "product").write_text(f"{product}\n")
    if serial is not None:
        (device / "serial").write_text(f"{serial}\n")
    (sys / f"class/sound/card{index}").symlink_to(card)


def platform(sys: Path, index: int, card_id: str) -> None:
    card = sys / f"devices/platform/soc/i2s/sound/card{index}"
    card.mkdir(parents=True)
    (card / "id").write_text(f"{card_id}\n")
    (card / "device").symlink_to("../..")
    (sys / f"class/sound/card{index}").symlink_to(card)


@pytest.fixture
def sys(tmp_path: Path) -> Path:
    folder = tmp_path / "sys"
    (folder / "class/sound").mkdir(parents=True)
    (folder / "class/sound/controlC0").mkdir()
    (folder / "class/sound/timer").mkdir()
    return folder


def test_a_machine_without_sound_has_no_cards(tmp_path: Path) -> None:
    assert cards(tmp_path) == []


def test_cards_are_listed_with_all_that_can_name_them(sys: Path) -> None:
    usb(sys, 1, "Mic", path="1-1.2", serial="A17")
    platform(sys, 0, "sndrpihifiberry")
    assert cards(sys) == [
        Card(0, "sndrpihifiberry"),
        Card(1, "Mic", usb_path="1-1.2", serial="A17", product="Microphone"),
    ]


@pytest.mark.parametrize(
    "identity", [Identity(card="Mic"), Identity(usb_path="1-1.2"), Identity(serial="A17")], ids=str
)
def test_a_card_is_found_by_its_id_its_socket_or_its_serial_number(sys: Path, identity: Identity) -> None:
    usb(sys, 0, "Other", path="1-1.3", serial="B9")
    usb(sys, 7, "Mic", path="1-1.2", serial="A17")
    assert find_card(identity, sys).index == 7


def test_it_is_found_again_under_another_number(sys: Path) -> None:
    usb(sys, 3, "Mic_1", path="1-1.2", serial="A17")
    assert find_card(Identity(serial="A17"), sys).id == "Mic_1"


def test_of_two_alike_none_is_guessed(sys: Path) -> None:
    usb(sys, 0, "Mic", path="1-1.2", serial="0000")
    usb(sys, 1, "Mic_1", path="1-1.3", serial="0000")
    with pytest.raises(MicrophoneError, match=r"several sound cards have the serial number 0000: 1-1\.2, 1-1\.3"):
        find_card(Identity(serial="0000"), sys)


def test_what_is_not_there_is_told_with_what_is(sys: Path) -> None:
    platform(sys, 0, "Loopback")
    with pytest.raises(MicrophoneError) as caught:
        find_card(Identity(usb_path="1-1.4"), sys)
    assert "USB socket 1-1.4" in caught.value.what
    assert "Loopback" in caught.value.hint
