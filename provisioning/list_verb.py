"""``sotto-clinic list``: what a remote holds, room by room."""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import sys
from collections import Counter
from typing import Any

from device.remote import Remote
from provisioning.errors import UnreachableError, UsageError
from provisioning.exits import DONE
from provisioning.holdings import HeldRecording, HeldRoom, Holdings
from provisioning.listing import Listed, look, room_lines
from provisioning.remote_place import held_at
from provisioning.remotes import remote_at
from provisioning.report import Bar

REMOTE_HELP = "a folder that boxes send to, or a TOML file with a [remote] section"
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def add_list(verb: argparse.ArgumentParser) -> None:
    """What ``list`` takes."""
    verb.description = (
        "Show what a remote holds: each room's recordings, with what their manifests say, and whether all of each is "
        "there. The recordings themselves are not read: `verify --remote` does that. Times are UTC; a ? after one says "
        "that the box did not trust its clock."
    )
    add = verb.add_argument
    add("remote", metavar="REMOTE", help=REMOTE_HELP)
    add("--room", metavar="ROOM", help="only this room: room-3, or practice/room-3")
    add("--since", metavar="DATE", help="only what was started on this day or later: 2026-11-02")
    add("--last", metavar="N", type=int, help="only the last N recordings of each room")
    add("--json", action="store_true", help="print one JSON object instead of lines")
    verb.set_defaults(run=run_list)


def run_list(arguments: argparse.Namespace) -> int:
    """List it.

    Raises:
        SottoError: an argument makes no sense, or the remote does not answer or refuses.
    """
    if arguments.since is not None and not _DATE.fullmatch(arguments.since):
        raise UsageError(f"{arguments.since[:40]!r} is not a day", "write it like 2026-11-02")
    if arguments.last is not None and arguments.last < 1:
        raise UsageError("--last has to be 1 or more", "leave it out to see all")
    with remote_at(arguments.remote) as remote:
        found = held_at(remote, None) if arguments.room is None else _in_room(remote, arguments.room.strip("/"))
        looked = _look(remote, found.rooms, since=arguments.since, last=arguments.last)
    if arguments.json:
        print(json.dumps(_as_json(looked, found.strange)))
    else:
        _tell(looked, found.strange, _twice(found))
    return DONE


def _in_room(remote: Remote, name: str) -> Holdings:
    """What there is of one room; a whole path spares the remote the names of all the others."""
    if "/" in name:
        with contextlib.suppress(UnreachableError):
            return held_at(remote, name)
    rooms = [room for room in held_at(remote, None).rooms if f"/{room.folder}".endswith(f"/{name}")]
    if not rooms:
        raise UnreachableError(f"the remote holds nothing of {name}", "list all, to see what rooms there are")
    return Holdings(rooms)


Looked = list[tuple[HeldRoom, list[Listed]]]


def _look(remote: Remote, rooms: list[HeldRoom], *, since: str | None, last: int | None) -> Looked:
    """Read the manifests of what was asked for, and of as little else as can be."""
    chosen = [(room, _newest(room.recordings, since=since, last=last)) for room in rooms]
    count, done = sum(len(recordings) for _, recordings in chosen), 0
    bar = Bar("manifests", to=sys.stderr, doing="reading")
    looked: Looked = []
    try:
        for room, recordings in chosen:
            listed = []
            for recording in recordings:
                listed.append(look(remote, recording))
                done += 1
                bar.show(done, count)
            looked.append((room, [one for one in listed if since is None or one.is_since(since)]))
    finally:
        bar.clear()
    return looked


def _newest(recordings: list[HeldRecording], *, since: str | None, last: int | None) -> list[HeldRecording]:
    """Those that may have been asked for, by the months in their paths."""
    if since is not None:
        recordings = [one for one in recordings if one.month is None or one.month >= since[:7]]
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
