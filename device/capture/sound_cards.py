"""The sound cards of this machine, and which of them is meant: read from sysfs, nothing is opened.

A card's number changes with the order in which cards were found, and so may its id when two are alike. What stays is
the socket that it is plugged into, and its serial number where it has one (Linux, ``sound/usb/card.c``: the id of a
USB card comes from its product name).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.errors import MicrophoneError

_USB_INTERFACE: Final = re.compile(r"(\d+-\d+(?:\.\d+)*):\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Card:
    """One sound card; ``usb_path`` is the socket that it is plugged into, such as ``1-1.2``."""

    index: int
    id: str
    usb_path: str | None = None
    serial: str | None = None
    product: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Which card is meant: by exactly one of its id, its USB socket, its serial number."""

    card: str | None = None
    usb_path: str | None = None
    serial: str | None = None

    def __str__(self) -> str:
        if self.card is not None:
            return f"card {self.card}"
        return f"USB socket {self.usb_path}" if self.usb_path is not None else f"serial number {self.serial}"

    def fits(self, card: Card) -> bool:
        """Whether that is the one."""
        if self.card is not None:
            return self.card == card.id
        return self.usb_path == card.usb_path if self.usb_path is not None else self.serial == card.serial


def cards(sys: Path = Path("/sys")) -> list[Card]:
    """Every sound card that is there now, in the order of their numbers."""
    found = (_card(folder) for folder in (sys / "class/sound").glob("card*") if folder.name[4:].isdigit())
    return sorted((card for card in found if card is not None), key=lambda card: card.index)


def find_card(identity: Identity, sys: Path = Path("/sys")) -> Card:
    """The one card that fits.

    Raises:
        MicrophoneError: none does, or several do, which no guess may decide.
    """
    there = cards(sys)
    fitting = [card for card in there if identity.fits(card)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        sockets = ", ".join(card.usb_path or f"number {card.index}" for card in fitting)
        raise MicrophoneError(
            f"several sound cards have the {identity}: {sockets}", "name the microphone by usb_path instead"
        )
    names = ", ".join(card.id for card in there) or "none"
    raise MicrophoneError(
        f"no sound card has the {identity}", f"plug the microphone in, or name another (there now: {names})"
    )


def _card(folder: Path) -> Card | None:
    card_id = _line(folder / "id")
    if card_id is None:
        return None  # it was just pulled
    interface = (folder / "device").resolve()
    on_usb = _USB_INTERFACE.fullmatch(interface.name)
    device = interface.parent
    return Card(
        index=int(folder.name[4:]),
        id=card_id,
        usb_path=on_usb[1] if on_usb else None,
        serial=_line(device / "serial") if on_usb else None,
        product=_line(device / "product") if on_usb else None,
    )


def _line(file: Path) -> str | None:
    """The one line of a file of sysfs; ``None`` where it is empty, or is not there any more."""
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip() or None
    except OSError:
        return None
