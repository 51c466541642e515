"""What `sotto-clinic list` tells of a recording: what its manifest says, and whether all of it is at the remote.

The recording itself is not read: that its size is the manifest's is told, and `verify` finds out the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from device.errors import DamagedError
from device.recording.beside import ASKED_NAMES
from device.recording.manifest import Manifest, RecordingState
from device.recording.signing import fingerprint
from device.recording.wished import read_wish
from device.remote import Remote
from provisioning.beside import Beside, read_beside
from provisioning.holdings import HeldRecording, HeldRoom
from provisioning.remote_place import RemotePlace
from provisioning.remote_source import read_small
from provisioning.times import SECOND_US, format_time

_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)")
_MOST_WISH_BYTES: Final = 4096
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")


@dataclass(frozen=True, slots=True)
class Listed:
    """A recording at a remote. ``problem``: why it is not whole, in words; ``None`` where it is.

    ``asked``: what somebody asks to be done with it, as its box signed it.
    """

    held: HeldRecording
    beside: Beside | None
    problem: str | None
    asked: tuple[str, ...] = ()

    @property
    def started(self) -> str | None:
        """When it was started, by its manifest."""
        return None if self.beside is None else self.beside.manifest.started

    def is_since(self, date: str) -> bool:
        """Whether it was started on that day (``2026-11-02``) or later; what has no date is not left out."""
        day = self.started or self.held.month
        return day is None or day >= date[: len(day)]

    def line(self) -> str:
        """It for a person."""
        manifest = None if self.beside is None else self.beside.manifest
        said = ["-", "-", "-", "-"] if manifest is None else _said(manifest)
        size = format_size(self.held.size_bytes)
        line = f"{self.held.recording}  {said[0]:<17}  {said[1]:>7}  {said[2]:<17}  {said[3]:<11}  {size:>9}"
        if self.held.is_ordered_erased:
            line += "  an erase order waits"
        if self.asked:
            line += f"  asked for: {', '.join(self.asked)}"
        return line if self.problem is None else f"{line}  not whole: {self.problem}"

    def as_json(self) -> dict[str, Any]:
        """It for a script; times in seconds."""
        manifest = None if self.beside is None else self.beside.manifest
        return {
            "id": self.held.recording,
            "path": self.held.folder,
            "started": self.started,
            "clock_trusted": None if manifest is None else manifest.clock_trusted,
            "duration_s": None if manifest is None else manifest.duration_us / SECOND_US,
            "picture": None if manifest is None else manifest.picture is not None,
            "state": None if manifest is None else str(manifest.state),
            "box": None if manifest is None else manifest.box,
            "key": None if self.beside is None else self.beside.key,
            "size_bytes": self.held.size_bytes,
            "attachments": len(self.held.attachments),
            "whole": self.problem is None,
            "problem": self.problem,
            "erase_order": self.held.is_ordered_erased,
            "asked": list(self.asked),
        }


def look(remote: Remote, held: HeldRecording) -> Listed:
    """What there is of a recording, its manifest read.

    Raises:
        SottoError: the remote does not answer, or refuses.
    """
    document = RemotePlace(remote, held).read_manifest()
    try:
        beside = None if document is None else read_beside(document)
    except DamagedError as problem:
        return Listed(held, None, problem.what)
    return Listed(held, beside, _problem(held, beside), tuple(_asked(remote, held, beside)))


def _asked(remote: Remote, held: HeldRecording, beside: Beside | None) -> Iterator[str]:
    """What is asked for it; a document that does not hold asks nothing, and is told."""
    for wish, file in ASKED_NAMES.items():
        if file not in held.files:
            continue
        document = read_small(remote, held.name(file), most_bytes=_MOST_WISH_BYTES)
        try:
            wished, key = read_wish(document, held.recording)
        except DamagedError:
            yield f"{wish} (does not hold)"
            continue
        if beside is None or fingerprint(key) != beside.key:
            yield f"{wish} (signed by another box)"
        elif not wished.taken_back:
            yield str(wished.wish)


def _problem(held: HeldRecording, beside: Beside | None) -> str | None:
    """Why a recording is not whole; ``None`` where all of it is there."""
    if beside is None:
        return "its manifest is not there yet"
    manifest = beside.manifest
    if manifest.id != held.recording:
        return "the manifest beside it is that of another recording"
    if manifest.state is RecordingState.OPEN:
        return "its manifest is from before the box closed it"
    if held.session_bytes is None:
        return "the recording itself is not there yet"
    if held.session_bytes != manifest.size_bytes:
        return f"it has {held.session_bytes} bytes, and the box sealed {manifest.size_bytes}"
    return None


def _said(manifest: Manifest) -> list[str]:
    moment = _MOMENT.match(manifest.started)  # anybody can sign a manifest: what is shown of it is no free text
    started = " ".join(moment.groups()) + ("Z" if manifest.clock_trusted else "?") if moment else "-"
    what = "sound" if manifest.picture is None else "sound and picture"
    return [started, format_time(manifest.duration_us), what, str(manifest.state)]


def room_lines(room: HeldRoom, listed: list[Listed]) -> Iterator[str]:
    """A room and its recordings for a person."""
    size = format_size(sum(one.held.size_bytes for one in listed))
    erased = f"; {len(room.erased)} erased by order" if room.erased else ""
    yield f"{room.folder}: {len(listed)} recording{'' if len(listed) == 1 else 's'}, {size}{erased}"
    yield from (f"  {one.line()}" for one in listed)


def format_size(size_bytes: float) -> str:
    """A size as people read it: ``412.3 MiB``."""
    unit = 0
    while size_bytes >= 1024 and unit < len(_UNITS) - 1:
        size_bytes, unit = size_bytes / 1024, unit + 1
    return f"{size_bytes:.1f} {_UNITS[unit]}" if unit else f"{size_bytes:.0f} B"
