"""How far sync has come, and what somebody should look after."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "sync.idle": "Synced with {remote}.",
    "sync.sending": "A recording is on its way to {remote}: {percent} %.",
    "sync.verifying": "What {remote} has is being read again and compared: {percent} %.",
    "sync.erasing": "{remote} is being told to erase a recording.",
    "sync.waiting": "Sync with {remote} waits for its hours, or for the capture service.",
    "sync.paused": "Sync with {remote} is paused.",
    "sync.held_up": "Sync with {remote} is held up, and tries again by itself.",
    "sync.waiting.one": "1 recording is still to go ({size}).",
    "sync.waiting.many": "{count} recordings are still to go ({size}).",
    "sync.kept_back": "The newest recording is not sent yet: it goes once the client can no longer withdraw it.",
    "sync.orders": "Erase orders that wait: {count}.",
    "sync.gone": "The sync service does not answer.",
    "sync.gone.do": "Recordings stay in the box until it does. Start it again, or look into its log.",
    "sync.stuck": "Recordings have been waiting for days to get to the clinic.",
    "sync.stuck.do": "Look whether the box reaches the clinic's server. Nothing is deleted before a copy is verified.",
    "sync.stuck.paused": "Sync is paused: sotto sync resume goes on.",
}
