"""What sync publishes: how far it has come, and what keeps it. The page and ``sotto status`` read it.

<run>/sync/sync.json: a small JSON file in a folder of its own, replaced whole; sync alone may write there. It is
published every few seconds at least, so one that is older tells that sync is gone.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

from device.shapes import Shape, ShapeError, rule

SYNC_FOLDER_NAME: Final = "sync"
SYNC_STATUS_NAME: Final = "sync.json"
SYNC_STALE_AFTER_S: Final = 60.0

Count = Annotated[int, rule(ge=0)]


class SyncState(StrEnum):
    """What sync is doing."""

    IDLE = "idle"
    SENDING = "sending"
    VERIFYING = "verifying"
    ERASING = "erasing"
    WAITING = "waiting"  # for its hours, or for the capture service
    PAUSED = "paused"
    HELD_UP = "held up"  # something went wrong; it is tried again by itself


class SyncStatus(Shape):
    """All of it. ``waiting``: recordings with anything that is not synced; ``orders``: erase orders not yet obeyed.

    ``must_act``: the trouble does not pass by itself. ``stuck``: something has been waiting for longer than the clinic
    allows. Nothing here names a client, a server's answer or a secret.
    """

    state: SyncState
    remote: str
    published_unix_s: float
    recording: str | None = None
    sent_bytes: Count = 0
    size_bytes: Count = 0
    bytes_per_s: Count | None = None  # over the last seconds, while something moves
    waiting: Count = 0
    waiting_bytes: Count = 0
    orders: Count = 0
    next_try_s: float | None = None
    last_success: str | None = None
    trouble: tuple[str, str] | None = None  # what happened, what to do
    must_act: bool = False
    spoiled: Count = 0  # how often, since the start, the remote had not what was sent
    stuck: bool = False


def publish_sync(status: SyncStatus, run: Path) -> None:
    """Replace what was published. Not synced to the disk: it is meant to be lost at a reboot."""
    folder = run / SYNC_FOLDER_NAME
    beside = folder / (SYNC_STATUS_NAME + ".new")
    beside.write_text(status.model_dump_json(), encoding="utf-8")
    beside.rename(folder / SYNC_STATUS_NAME)


def read_sync_status(run: Path) -> SyncStatus | None:
    """What was published last, or ``None`` where sync never published anything (that can be read)."""
    try:
        return SyncStatus.model_validate_json((run / SYNC_FOLDER_NAME / SYNC_STATUS_NAME).read_bytes())
    except (OSError, ShapeError):
        return None


def is_fresh(status: SyncStatus, *, unix_s: float) -> bool:
    """Whether what was published can be believed still; one from the future is no better than an old one."""
    return abs(unix_s - status.published_unix_s) <= SYNC_STALE_AFTER_S
