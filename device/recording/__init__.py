"""The recording on disk (ARCHITECTURE, section 6): names, index, ledger, manifest; all of it pure.

<store>/<id>/session.mp4.age    one ordinary age file
             session.ledger     only while open, or after a crash
             manifest.json      the signed plain facts
             attachments/*.age  small sealed files beside it
             receipts/*.json    proofs that the remote holds it
             hold               only while it is held for research
             withdrawn          only while its withdrawal waits for the end of the window
             rewrapped.json     never on a box: that the clinic made the header of its copy anew
"""

from __future__ import annotations

import re
from typing import Final

CHUNK_BYTES: Final = 64 * 1024
SESSION_NAME: Final = "session.mp4.age"
LEDGER_NAME: Final = "session.ledger"
MANIFEST_NAME: Final = "manifest.json"
REWRAPPED_NAME: Final = "rewrapped.json"
ATTACHMENTS_NAME: Final = "attachments"
RECEIPTS_NAME: Final = "receipts"
WITHDRAWN_NAME: Final = "withdrawn"
ERASED_NAME: Final = "erased"
ERASE_ORDERS_NAME: Final = "erase-orders"
HOLD_NAME: Final = "hold"

# The closing of every file: the one plaintext that is ever sealed with the last flag.
CLOSING: Final = b"\x00\x00\x00\x08free"

# Six digits of the box's own count, which no wrong clock can disorder, and a random tail, so that two boxes never
# give the same id and nobody can guess one.
_ID: Final = re.compile(r"[0-9]{6}-[a-z0-9]{10}")


def is_recording_id(text: str) -> bool:
    """Whether ``text`` has the one shape a recording's id can have."""
    return _ID.fullmatch(text) is not None
