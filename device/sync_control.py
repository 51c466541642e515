"""What sync can be told while it runs: to wait, to go on, to try again now. The page and ``sotto sync`` tell it.

One word per datagram, to a socket that sync's group may use. That it was told is all that is known; what came of it
stands in its published status. Nothing of capture, and nothing of what is recorded, can be set in motion here.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Final

from device.datagrams import send_datagram
from device.errors import AdminError
from device.sync_status import SYNC_FOLDER_NAME

CONTROL_NAME: Final = "control.sock"


class Tell(StrEnum):
    """Everything that sync can be told. A pause lasts over a restart; erase orders still go."""

    PAUSE = "pause"
    RESUME = "resume"
    NOW = "now"


def control_path(run: Path) -> Path:
    """Where sync listens."""
    return run / SYNC_FOLDER_NAME / CONTROL_NAME


def parse_tell(data: bytes) -> Tell | None:
    """What sync is told, or ``None`` for anything that is nothing."""
    try:
        return Tell(data.decode("ascii"))
    except ValueError:
        return None


def tell_sync(what: Tell, run: Path) -> None:
    """Tell it.

    Raises:
        AdminError: no service answers, or this user is not of its group.
    """
    try:
        send_datagram(what.encode(), control_path(run))
    except AdminError as problem:
        raise AdminError(
            "the sync service does not answer", "start it, or look into its log; use a user of its group"
        ) from problem
