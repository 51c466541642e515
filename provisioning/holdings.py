"""What a remote holds, told from the names that it lists (``device/recording/layout.py``); pure, and nothing is read.

A room is known by its folder, whatever stands before it: a clinic that keeps one account for each box sees
``box-3/recordings/practice/room-3/…`` where the box itself sees ``practice/room-3/…``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from device.recording import ATTACHMENTS_NAME, ERASED_NAME, MANIFEST_NAME, REWRAPPED_NAME, SESSION_NAME, is_recording_id
from device.recording.beside import ASKED_NAMES
from device.recording.layout import AUDIT_FOLDER, ORDER_NAME, filed
from device.remote import Held
from provisioning.headed_source import ANEW_FOLDER, HEAD_NAME

_MARK: Final = "sotto-remote"  # a folder has to hold it to be taken for a remote
_MONTH: Final = re.compile(r"(?P<room>.+)/(?P<year>\d{4}|undated)/(?P<month>\d\d)/[^/]+")
_ATTACHMENT: Final = re.compile(rf"{ATTACHMENTS_NAME}/[^/]+\.age")
_ANEW: Final = re.compile(rf"{ANEW_FOLDER}/[0-9a-f]{{64}}\.age")
_PARTS: Final = frozenset({SESSION_NAME, MANIFEST_NAME, ORDER_NAME, REWRAPPED_NAME, HEAD_NAME, *ASKED_NAMES.values()})
_NUMBERED: Final = re.compile(r"\d{8,}\.json")


@dataclass(frozen=True, slots=True)
class HeldRecording:
    """What a remote holds of one recording: its files, by their names beneath ``folder``, with their sizes in bytes."""

    folder: str
    recording: str
    files: Mapping[str, int] = field(hash=False)

    @property
    def room(self) -> str:
        """The folder of the room that it is in."""
        match = _MONTH.fullmatch(self.folder)
        return match["room"] if match else self.folder.rpartition("/")[0]

    @property
    def month(self) -> str | None:
        """The month in which it was started, as its folder has it: ``2026-11``."""
        match = _MONTH.fullmatch(self.folder)
        return f"{match['year']}-{match['month']}" if match and match["year"].isdigit() else None

    @property
    def session_bytes(self) -> int | None:
        """The size of the recording itself; ``None`` where it is not there."""
        return self.files.get(SESSION_NAME)

    @property
    def size_bytes(self) -> int:
        """All that is there of it."""
        return sum(self.files.values())

    @property
    def attachments(self) -> tuple[str, ...]:
        """The names of its attachments."""
        return tuple(file for file in self.files if _ATTACHMENT.fullmatch(file))

    @property
    def is_ordered_erased(self) -> bool:
        """Whether an erase order waits in it; whether that one holds is another question."""
        return ORDER_NAME in self.files

    def name(self, file: str) -> str:
        """The whole name of one of its files."""
        return f"{self.folder}/{file}"

    @property
    def erased_name(self) -> str:
        """Where its erase order is kept once it was carried out."""
        return f"{self.room}/{ERASED_NAME}/{self.recording}.json"


@dataclass(slots=True)
class HeldRoom:
    """What a remote holds of one room: recordings in the order of their folders, and the ids of those erased."""

    folder: str
    recordings: list[HeldRecording] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Holdings:
    """All that a remote holds, and the ``strange`` names of what Sotto did not put there."""

    rooms: list[HeldRoom] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)

    @property
    def recordings(self) -> list[HeldRecording]:
        """Those of all rooms."""
        return [recording for room in self.rooms for recording in room.recordings]


def holdings(held: Iterable[Held]) -> Holdings:
    """What is held, by a remote's list."""
    rooms: dict[str, HeldRoom] = {}
    files: dict[tuple[str, str], dict[str, int]] = {}
    strange = []
    for one in held:
        place = filed(one.name)
        if place is not None and _is_part(place.file):
            files.setdefault((place.folder, place.recording), {})[place.file] = one.size_bytes
        elif place is not None or not _is_beside(one.name, rooms):
            strange.append(one.name)
    for (folder, recording), sizes in sorted(files.items()):
        one_held = HeldRecording(folder, recording, sizes)
        rooms.setdefault(one_held.room, HeldRoom(one_held.room)).recordings.append(one_held)
    return Holdings([rooms[folder] for folder in sorted(rooms)], strange)


def _is_part(file: str) -> bool:
    return file in _PARTS or _ANEW.fullmatch(file) is not None or _ATTACHMENT.fullmatch(file) is not None


def _is_beside(name: str, rooms: dict[str, HeldRoom]) -> bool:
    """Whether something that belongs to no recording is in its place all the same; what was erased is noted."""
    folder, _, file = name.rpartition("/")
    room, _, kind = folder.rpartition("/")
    if room and kind == ERASED_NAME and is_recording_id(file.removesuffix(".json")) and file.endswith(".json"):
        rooms.setdefault(room, HeldRoom(room)).erased.append(file.removesuffix(".json"))
        return True
    return file == _MARK or bool(room and kind == AUDIT_FOLDER and _NUMBERED.fullmatch(file))
