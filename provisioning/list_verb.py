"""``sotto-clinic list``: what is kept somewhere, room by room."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections import Counter
from typing import Any, TypeVar

from provisioning.access import PLACE_HELP, Access, add_access
from provisioning.errors import UnreachableError, UsageError
from provisioning.exits import DONE
from provisioning.holdings import HeldRecording, HeldRoom, Holdings
from provisioning.keeping import Keeping
from provisioning.listing import Listed, room_lines
from provisioning.report import Bar
from provisioning.wanted import Wanted, add_wanted, wanted_of

REMOTE_HELP = "a folder that boxes send to, or a TOML file with a [remote] section"


def add_list(verb: argparse.ArgumentParser) -> None:
    """What ``list`` takes."""
    verb.description = (
        "Show what is kept somewhere: each room's recordings, with what their manifests say (or the box, of what is on "
        "it), and whether all of each is there. The recordings themselves are not read: `verify` does that. Times are "
        "UTC; a ? after one says that the box did not trust its clock."
    )
    add = verb.add_argument
    add("place", metavar="PLACE", nargs="?", help=f"{PLACE_HELP}: its address, or its name in the kit")
    add_access(verb, at=False)
    add("--room", metavar="ROOM", help="only this room: room-3, or practice/room-3")
    add_wanted(verb)
    add("--last", metavar="N", type=int, help="only the last N recordings of each room")
    add("--json", action="store_true", help="print one JSON object instead of lines")
    verb.set_defaults(run=run_list)


def run_list(arguments: argparse.Namespace) -> int:
    """List it.

    Raises:
        SottoError, AgeError: an argument makes no sense, or nobody answers there, or refuses.
    """
    access = Access.of(arguments)
    wanted = wanted_of(arguments, access.kit)
    if arguments.last is not None and arguments.last < 1:
        raise UsageError("--last has to be 1 or more", "leave it out to see all")
    with access.keeping(arguments.place) as keeping:
        found = keeping.held(None) if arguments.room is None else _in_room(keeping, arguments.room.strip("/"))
        looked = look_at(keeping, found.rooms, wanted, last=arguments.last)
    if arguments.json:
        print(json.dumps(_as_json(looked, found.strange)))
    else:
        _tell(looked, found.strange, _twice(found))
    return DONE


def _in_room(keeping: Keeping, name: str) -> Holdings:
    """What there is of one room; a whole path spares the remote the names of all the others."""
    if "/" in name:
        with contextlib.suppress(UnreachableError):
            return keeping.held(name)
    rooms = [room for room in keeping.held(None).rooms if f"/{room.folder}".endswith(f"/{name}")]
    if not rooms:
        raise UnreachableError(f"there is nothing of {name}", "list all, to see what rooms there are")
    return Holdings(rooms)


_Any = TypeVar("_Any", HeldRecording, Listed)
Looked = list[tuple[HeldRoom, list[Listed]]]


def look_at(keeping: Keeping, rooms: list[HeldRoom], wanted: Wanted, *, last: int | None = None) -> Looked:
    """Look at what was asked for (the ``last`` so many of each room), and at as little else as can be."""
    # The newest are the last in their order, so without any other question the others' manifests need not be read.
    first = last if wanted in (Wanted(), Wanted(since=wanted.since)) else None
    chosen = [(room, _newest([one for one in room.recordings if wanted.may_fit(one)], first)) for room in rooms]
    count, done = sum(len(recordings) for _, recordings in chosen), 0
    bar = Bar("manifests", to=sys.stderr, doing="reading")
    looked: Looked = []
    try:
        for room, recordings in chosen:
            listed = []
            for recording in recordings:
                listed.append(keeping.look(recording))
                done += 1
                bar.show(done, count)
            looked.append((room, _newest([one for one in listed if wanted.fits(one)], last)))
    finally:
        bar.clear()
    return looked


def _newest(recordings: list[_Any], last: int | None) -> list[_Any]:
    return recordings if last is None else recordings[-last:]


def _twice(found: Holdings) -> list[str]:
    counts = Counter(one.recording for one in found.recordings)
    return [recording for recording, count in counts.items() if count > 1]


def _tell(looked: Looked, strange: list[str], twice: list[str]) -> None:
    for room, listed in looked:
        print(*room_lines(room, listed), sep="\n")
    if not looked:
        print("there is no recording")
    for name in strange:
        print(f"note: {name} belongs to no recording")
    for recording in twice:
        print(f"note: {recording} is there twice: name it by its path")


def _as_json(looked: Looked, strange: list[str]) -> dict[str, Any]:
    rooms = [
        {"room": room.folder, "recordings": [one.as_json() for one in listed], "erased": room.erased}
        for room, listed in looked
    ]
    return {"exit_code": DONE, "rooms": rooms, "strange": strange}
