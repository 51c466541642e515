"""Writes a plan to a boot partition and reads it back; nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from provisioning.card.boot import Boot
from provisioning.card.cloud import FOLDER
from provisioning.card.planning import KERNEL_LINE, STOCK, Plan
from provisioning.errors import OutputError, UsageError

_SPARE_BYTES: Final = 8 << 20
"""What folders, names and half-filled clusters take, and what the system writes there itself."""


def stock_kernel_line(boot: Boot) -> str:
    """The kernel's line of a stock card.

    Raises:
        UsageError: this is no boot partition of Raspberry Pi OS trixie.
    """
    missing = [name for name in STOCK if boot.read(name) is None]
    line = boot.read(KERNEL_LINE)
    if missing or line is None:
        raise UsageError(
            f"this is no boot partition of Raspberry Pi OS trixie: {', '.join(missing)} missing",
            "write the stock image to the card first (Raspberry Pi OS Lite, 64-bit, of October 2025 or later)",
        )
    return line.decode("utf-8", errors="replace")


def check_room(plan: Plan, boot: Boot) -> None:
    """Raises ``UsageError``: it does not fit."""
    need_bytes, free_bytes = plan.size_bytes + _SPARE_BYTES, boot.free_bytes
    if need_bytes > free_bytes:
        raise UsageError(
            f"the boot partition has {free_bytes / 1e6:.0f} MB free, and {need_bytes / 1e6:.0f} MB are needed",
            "leave packages out that a stock card has already",
        )


def write_card(plan: Plan, boot: Boot, *, seen: Callable[[int], None]) -> None:
    """Write it all, then read it all back from the card. ``seen`` is told the bytes, twice each.

    Raises:
        OutputError: it could not be written, or what is read back is something else.
    """
    boot.remove(FOLDER)  # of an attempt before
    for file in plan.files:
        boot.write(file.name, file.read())
        seen(file.size_bytes)
    boot.settle()
    for file in plan.files:
        if boot.read(file.name) != file.read():
            raise OutputError(
                f"{file.name} is not on the card as it was written", "do not use this card; it is worn, or no real one"
            )
        seen(file.size_bytes)
