"""What `sotto-clinic list` tells of a recording: what its manifest says, and whether all of it is there.

The recording itself is not read: that its size is the manifest's is told, and `verify` finds out the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from device.errors import DamagedError
from device.recording.beside import ASKED_NAMES
from device.recording.manifest import RecordingState
from device.recording.signing import fingerprint
from device.recording.wished import read_wish
from provisioning.beside import Beside, as_it_is_now, read_beside
from provisioning.holdings import HeldRecording, HeldRoom
from provisioning.remote_place import RemotePlace
from provisioning.times import SECOND_US, format_time

_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)")
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of a recording: by its signed manifest, or (``key`` is ``None``) by the box that it is on."""

    started: str
    clock_trusted: bool
    duration_us: int
    picture: bool
    state: RecordingState
    box: str
    therapist: str | None
    key: str | None

    @classmethod
    def of(cls, beside: Beside) -> Said:
        """The manifest's words."""
        manifest = beside.manifest
        return cls(
            started=manifest.started,
            clock_trusted=manifest.clock_trusted,
            duration_us=manifest.duration_us,
            picture=manifest.picture is not None,
            state=manifest.state,
            box=manifest.box,
            therapist=manifest.therapist,
            key=beside.key,
        )

    def words(self) -> list[str]:
        """Start, length, tracks and state, as a person reads them."""
        moment = _MOMENT.match(self.started)  # anybody can sign a manifest: what is shown of it is no free text
        started = " ".join(moment.groups()) + ("Z" if self.clock_trusted else "?") if moment else "-"
        what = "sound and picture" if self.picture else "sound"
        return [started, format_time(self.duration_us), what, str(self.state)]


@dataclass(frozen=True, slots=True)
class Listed:
    """A recording that is kept somewhere. ``problem``: why it is not whole, in words; ``None`` where it is.

    ``asked``: what somebody asks to be done with it, as its box signed it.
    """

    held: HeldRecording
    said: Said | None
    problem: str | None
    asked: tuple[str, ...] = ()

    @property
    def started(self) -> str | None:
        """When it was started, as far as that is said."""
        return None if self.said is None else self.said.started

    def line(self) -> str:
        """It for a person."""
        said = ["-", "-", "-", "-"] if self.said is None else self.said.words()
        size = format_size(self.held.size_bytes)
        line = f"{self.held.recording}  {said[0]:<17}  {said[1]:>7}  {said[2]:<17}  {said[3]:<11}  {size:>9}"
        if self.held.is_ordered_erased:
            line += "  an erase order waits"
        if self.asked:
            line += f"  asked for: {', '.join(self.asked)}"
        return line if self.problem is None else f"{line}  not whole: {self.problem}"

    def as_json(self) -> dict[str, Any]:
        """It for a script; times in seconds."""
        said = self.said
        return {
            "id": self.held.recording,
            "path": self.held.folder,
            "started": self.started,
            "clock_trusted": None if said is None else said.clock_trusted,
            "duration_s": None if said is None else said.duration_us / SECOND_US,
            "picture": None if said is None else said.picture,
            "state": None if said is None else str(said.state),
            "box": None if said is None else said.box,
            "therapist": None if said is None else said.therapist,
            "key": None if said is None else said.key,
            "size_bytes": self.held.size_bytes,
            "attachments": len(self.held.attachments),
            "whole": self.problem is None,
            "problem": self.problem,
            "erase_order": self.held.is_ordered_erased,
            "asked": list(self.asked),
        }


def look(place: RemotePlace) -> Listed:
    """What there is of a recording, its manifest read.

    Raises:
        SottoError: the remote does not answer, or refuses.
    """
    held, document = place.held, place.read_manifest()
    try:
        beside = None if document is None else as_it_is_now(read_beside(document), place)
    except DamagedError as problem:
        return Listed(held, None, problem.what)
    size_bytes = place.source().size_bytes() if place.is_shared_here else held.session_bytes
    said = None if beside is None else Said.of(beside)
    return Listed(held, said, _problem(held, beside, size_bytes), tuple(_asked(place, beside)))


def _asked(place: RemotePlace, beside: Beside | None) -> Iterator[str]:
    """What is asked for it; a document that does not hold asks nothing, and is told."""
    for wish in ASKED_NAMES:
        document = place.read_wish(wish)
        if document is None:
            continue
        try:
            wished, key = read_wish(document, place.name)
        except DamagedError:
            yield f"{wish} (does not hold)"
            continue
        if beside is None or fingerprint(key) != beside.key:
            yield f"{wish} (signed by another box)"
        elif not wished.taken_back:
            yield str(wished.wish)


def _problem(held: HeldRecording, beside: Beside | None, size_bytes: int | None) -> str | None:
    """Why a recording is not whole; ``None`` where all of it is there."""
    if beside is None:
        return "its manifest is not there yet"
    manifest = beside.manifest
    if manifest.id != held.recording:
        return "the manifest beside it is that of another recording"
    if manifest.state is RecordingState.OPEN:
        return "its manifest is from before the box closed it"
    if size_bytes is None:
        return "the recording itself is not there yet"
    if size_bytes != manifest.size_bytes:
        return f"it has {size_bytes} bytes, and the box sealed {manifest.size_bytes}"
    return None


def room_lines(room: HeldRoom, listed: list[Listed]) -> Iterator[str]:
    """A room and its recordings for a person."""
    size = format_size(sum(one.held.size_bytes for one in listed))
    erased = f"; {len(room.erased)} erased by order" if room.erased else ""
    yield f"{room.folder or 'here'}: {len(listed)} recording{'' if len(listed) == 1 else 's'}, {size}{erased}"
    yield from (f"  {one.line()}" for one in listed)


def format_size(size_bytes: float) -> str:
    """A size as people read it: ``412.3 MiB``."""
    unit = 0
    while size_bytes >= 1024 and unit < len(_UNITS) - 1:
        size_bytes, unit = size_bytes / 1024, unit + 1
    return f"{size_bytes:.1f} {_UNITS[unit]}" if unit else f"{size_bytes:.0f} B"
