"""``sotto-clinic device add``, ``list``, ``replace`` and ``remove``: the clinic's boxes, as its folder has them."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from device.clock import SystemClock, wire_time
from device.errors import SottoError
from provisioning.clinic import boxes
from provisioning.clinic.box_answers import questions_of
from provisioning.clinic.box_folders import Adding, BoxFolder, asked_of, given_in
from provisioning.clinic.change_verb import add_change, show_and_carry_out
from provisioning.clinic.folder import Folder
from provisioning.clinic.questions import ask_here
from provisioning.clinic_file import KnownBox
from provisioning.exits import DONE


def add_boxes(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """What ``device`` takes for the clinic's boxes."""
    new = verbs.add_parser("add", help="a room gets a box: asks for what a box has to know")
    _take_box(new)
    new.add_argument("--room", metavar="ROOM", help="box.name, as the roster has it (default: NAME)")
    for question in questions_of("room"):
        option = f"--{question.name.replace('_', '-')}"
        new.add_argument(option, metavar="…", help=question.asks[:1].lower() + question.asks[1:])
    new.add_argument("--remote-user", metavar="USER", help="the box's account there (default: NAME)")
    add_change(new)
    new.set_defaults(run=run_add, stopped="stopped; what was answered is kept: the same command goes on")
    listed = verbs.add_parser("list", help="show all boxes, and for how long each has certificates")
    listed.add_argument("folder", metavar="CLINIC", type=Path, help="the clinic's folder")
    listed.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    listed.set_defaults(run=run_list)
    for name, about, run in (
        (
            "replace",
            "another box comes in the same room: its key is asked for anew, the old one's recordings hold",
            run_replace,
        ),
        ("remove", "a box goes, and its room has none; its recordings hold", run_remove),
    ):
        one = verbs.add_parser(name, help=about)
        _take_box(one)
        add_change(one)
        one.set_defaults(run=run)


def _take_box(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("folder", metavar="CLINIC", type=Path, help="the clinic's folder")
    verb.add_argument("name", metavar="NAME", help="the box: letters, digits and . _ -")


def run_add(arguments: argparse.Namespace) -> int:
    """``device add``. Raises ``SottoError`` and ``AgeError``."""
    folder = Folder(arguments.folder)
    book, box = folder.read(), BoxFolder.of(folder, arguments.name)
    given, room = given_in(box.name, arguments), arguments.room or box.name
    if arguments.dry_run and not box.settings.exists():
        for question in asked_of(box.name, given):
            print(f"asked: {question.asks}")
        print(
            *(f"made: {path}" for path in (box.settings, box.machine, folder.clinic)), "nothing was written", sep="\n"
        )
        return DONE
    adding = Adding(
        box=box,
        room=room,
        given=given,
        ask=ask_here,
        told=lambda line: print(line, file=sys.stderr),
        remote_user=arguments.remote_user,
    )
    print(*adding.make(book), sep="\n")
    config = box.config()
    names = config.web.nginx.names if config.web.nginx else ("",)
    change = boxes.add(book, name=box.name, room=config.box.name, address=f"https://{names[0]}")
    code = show_and_carry_out(arguments, folder, book, change.book, change.happened)
    print(f"left: `sotto-clinic device card {folder.path} {box.name} …` makes its card")
    return code


def run_replace(arguments: argparse.Namespace) -> int:
    """``device replace``. Raises ``SottoError`` and ``AgeError``."""
    folder = Folder(arguments.folder)
    book, box = folder.read(), BoxFolder.of(folder, arguments.name)
    change = boxes.replace(book, box.name)
    code = show_and_carry_out(arguments, folder, book, change.book, change.happened)
    for step in (f"device card {folder.path} {box.name} …", f"device enrol {folder.path} {box.name}"):
        print(f"left: `sotto-clinic {step}`")
    return code


def run_remove(arguments: argparse.Namespace) -> int:
    """``device remove``. Raises ``SottoError`` and ``AgeError``."""
    folder = Folder(arguments.folder)
    book, box = folder.read(), BoxFolder.of(folder, arguments.name)
    room = box.config().box.name if box.settings.exists() else box.name
    change = boxes.remove(book, box.name, room=room)
    code = show_and_carry_out(arguments, folder, book, change.book, change.happened)
    if not arguments.dry_run:
        box.take_away()
        print(f"{box.path} is gone; at the remote take its account away, so that nobody sends there in its place")
    return code


def run_list(arguments: argparse.Namespace) -> int:
    """``device list``. Raises ``SottoError``."""
    folder = Folder(arguments.folder)
    now = SystemClock().utc()
    rows = [_row(BoxFolder(folder, one.name), one, now) for one in folder.read().boxes]
    if arguments.json:
        print(json.dumps({"boxes": rows}))
        return DONE
    for row in rows:
        key = row["device_key"] or "not enrolled"
        until = row["certificates_until"] or "no card yet"
        print(f"{row['name']}  {row['address']}  {key}  certificates until: {until}")
    if not rows:
        print("no boxes yet: `sotto-clinic device add`")
    return DONE


def _row(box: BoxFolder, one: KnownBox, now: datetime) -> dict[str, Any]:
    try:
        until = wire_time(box.series().until(now))
    except SottoError:  # none yet, which is what is told
        until = None
    return one.model_dump(mode="json") | {"certificates_until": until}
