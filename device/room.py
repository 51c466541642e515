"""The simulated finger: how the room view of the page reaches the buttons of a simulated panel.

This socket is there only while the panel is simulated. It is not part of the page's vocabulary (``device.requests``): a
box with a real panel has nothing that listens here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from device.datagrams import send_datagram
from device.shapes import Shape, ShapeError
from device.words import Button

ROOM_NAME: Final = "room.sock"


class Finger(Shape):
    """A finger on a simulated button, or off it."""

    button: Button
    down: bool


def parse_finger(data: bytes) -> Finger | None:
    """A finger, or ``None`` for anything that is none."""
    try:
        return Finger.model_validate_json(data)
    except ShapeError:
        return None


def send_finger(finger: Finger, run: Path) -> None:
    """Put a finger on a simulated button, or take it off.

    Raises:
        AdminError: there is no simulated panel.
    """
    send_datagram(finger.model_dump_json().encode(), run / ROOM_NAME)
