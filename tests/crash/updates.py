"""The program that is cut: a box that stages a version, tries it and settles it, on the disk of ``shim.py``."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from device.clock import PacedClock
from device.updating_settle import settle, stage
from device.updating_shelf import VersionShelf
from tests.crash.shim import Disk
from tests.updates import AT_ONCE, SimulatedBox, offer_of, runs

PIECE_BYTES = 1000
LOOKS = 2  # at its health: it is kept after the second at the soonest


def pieces_of(image: bytes) -> list[bytes]:
    """An image as an order is read."""
    return [image[at : at + PIECE_BYTES] for at in range(0, len(image), PIECE_BYTES)]


def update(shelf: VersionShelf, version: str, *, order: int, disk: Disk | None = None) -> None:
    """The whole way. What becomes true on it is put into the disk's log."""

    def mark(what: str) -> None:
        if disk is not None:
            disk.mark(do=what)

    box = SimulatedBox(shelf, runs=runs(shelf))
    offer, image = offer_of(version, order=order)
    stage(shelf, box, offer, pieces_of(image))
    mark("staged")

    def look() -> None:
        looks.append(box.runs)
        if looks.count(version) == LOOKS:
            mark("well")

    looks: list[str] = []
    box.then = look
    settle(
        shelf,
        box,
        PacedClock(speed=1000, start=datetime(2026, 3, 2, tzinfo=UTC)),
        patience=AT_ONCE,
        say=lambda _line: None,
    )
    mark("settled")


if __name__ == "__main__":
    folder, memory, version, order = sys.argv[1:]
    update(VersionShelf(Path(folder), Path(memory)), version, order=int(order), disk=Disk())
