"""``sotto-clinic room`` and ``sotto-clinic roster``: for which boxes a roster holds, and the roster itself."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from device.clock import SystemClock
from provisioning.clinic.change_verb import add_change, show_and_carry_out
from provisioning.clinic.changing import next_roster
from provisioning.clinic.folder import Folder
from provisioning.clinic.signing_people import next_people_list
from provisioning.errors import UsageError
from provisioning.exits import DONE, NOT_SURE


def add_room(verb: argparse.ArgumentParser) -> None:
    """What ``room`` takes."""
    verbs = verb.add_subparsers(required=True, metavar="WHAT")
    for name, about, run in (
        ("add", "a room gets a box: it is called as the room is", run_add),
        ("remove", "a room's box takes no roster any more", run_remove),
    ):
        one = verbs.add_parser(name, help=about)
        one.add_argument("folder", metavar="CLINIC", type=Path, help="the clinic's folder")
        one.add_argument("room", metavar="ROOM", help="the room: box.name of its box")
        add_change(one)
        one.set_defaults(run=run)


def add_roster(verb: argparse.ArgumentParser) -> None:
    """What ``roster`` takes."""
    verb.description = (
        "Show the newest roster, and whether it is what the clinic's file says; with --sign, sign what the file says "
        "where somebody changed it by hand. Ends with 7 where they differ."
    )
    verb.add_argument("folder", metavar="CLINIC", type=Path, help="the clinic's folder")
    verb.add_argument("--sign", action="store_true", help="sign it, if it says another thing than the newest roster")
    verb.add_argument(
        "--above", metavar="N", type=int, default=0, help="with a higher number than boxes took: for a restored copy"
    )
    verb.add_argument("--json", action="store_true", help="print the roster as it is, as one JSON object")
    add_change(verb)
    verb.set_defaults(run=run_roster)


def run_add(arguments: argparse.Namespace) -> int:
    """``room add``. Raises ``SottoError`` and ``AgeError``."""
    folder = Folder(arguments.folder)
    book = folder.read()
    return show_and_carry_out(arguments, folder, book, book.changed(rooms=[*book.rooms, arguments.room]), ())


def run_remove(arguments: argparse.Namespace) -> int:
    """``room remove``. Raises ``SottoError`` and ``AgeError``."""
    folder = Folder(arguments.folder)
    book = folder.read()
    if arguments.room not in book.rooms:
        raise UsageError(f"there is no room {arguments.room[:60]!r}", f"there are {', '.join(book.rooms) or 'none'}")
    left = [room for room in book.rooms if room != arguments.room]
    return show_and_carry_out(arguments, folder, book, book.changed(rooms=left), ())


def run_roster(arguments: argparse.Namespace) -> int:
    """``roster``. Raises ``SottoError`` and ``AgeError``."""
    folder = Folder(arguments.folder)
    book = folder.read()
    if arguments.sign:
        return show_and_carry_out(arguments, folder, book, book, (), above=arguments.above)
    roster = folder.read_roster()
    if roster is None:
        raise UsageError("no roster was signed yet", "`sotto-clinic init` says what is left")
    if arguments.json:
        print(json.dumps(roster.model_dump(mode="json")))
    else:
        print(f"roster {roster.number} of {roster.made}, {roster.policy}, for {', '.join(roster.boxes)}")
        print(f"therapists: {len(roster.therapists)}; keys: {', '.join(sorted(roster.key_ids()))}")
    listed = folder.read_people_list()
    if listed is not None and not arguments.json:
        print(f"list of people {listed.number} of {listed.made}: {len(listed.people)}")
    clock = SystemClock()
    if next_roster(folder, book, clock) is None and next_people_list(folder, book, clock) is None:
        return DONE
    if not arguments.json:
        print("the clinic's file says another thing: see with --sign --dry-run what would change")
    return NOT_SURE
