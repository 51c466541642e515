"""Where a recording is at the remote: a path that a person understands; pure.

<clinic>/<room>/2026/11/000042-8k2ja63cjm/session.mp4.age
                                          manifest.json
                                          attachments/label.age
                                          asked.deletion         somebody asks for that, or no longer does
                                          erase-order.json       only where the box may not erase there itself
                audit/00002417.json       the newest line of the audit log as it was then
                erased/000042-8k2ja63cjm.json   an erase order that the clinic carried out: all that is left
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from device.recording import is_recording_id

AUDIT_FOLDER: Final = "audit"
ORDER_NAME: Final = "erase-order.json"
_UNDATED: Final = ("undated", "00")
_DATE: Final = re.compile(r"(\d{4})-(\d\d)-\d\dT")


@dataclass(frozen=True, slots=True)
class Desk:
    """The place of one box at the remote: its clinic and its room."""

    clinic: str
    room: str

    @property
    def folder(self) -> str:
        """All that this box ever sends is beneath it."""
        return f"{self.clinic}/{self.room}"

    def recording(self, recording_id: str, started: str | None) -> str:
        """The folder of a recording that was started then (wall time as in its manifest, right or wrong)."""
        found = _DATE.match(started or "")
        year, month = found.groups() if found else _UNDATED
        return f"{self.folder}/{year}/{month}/{recording_id}"

    def audit(self, number: int) -> str:
        """The file for the audit log's entry of that number."""
        return f"{self.folder}/{AUDIT_FOLDER}/{number:08d}.json"


@dataclass(frozen=True, slots=True)
class Filed:
    """What a name at the remote says: which recording's, and which file of it (``attachments/label.age``)."""

    folder: str
    recording: str
    file: str


def filed(name: str) -> Filed | None:
    """What is filed under a name; ``None`` where it is no recording's."""
    parts = name.split("/")
    for place in range(len(parts) - 2, -1, -1):
        if is_recording_id(parts[place]):
            return Filed("/".join(parts[: place + 1]), parts[place], "/".join(parts[place + 1 :]))
    return None
