"""``sotto-clinic fleet``: how a clinic's boxes are, and what they are told, from one desk (docs/fleet-desk.md)."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Final

from device.clock import SystemClock
from device.fleet_status import FleetStatus
from provisioning.clinic.folder import Folder
from provisioning.clinic.init_verb import add_passphrase
from provisioning.desk import FOLDER, Desk, open_desk
from provisioning.errors import UsageError
from provisioning.exits import DONE, NOT_SURE, complain, exit_of, gravest, words_of
from provisioning.fleet.calling import TIMEOUT_S, Caller, Target, judge
from provisioning.fleet.key import DESK_DAYS, desk_trust, make_desk_key, unlock_ca
from provisioning.fleet.many import MOST_AT_A_TIME, Outcome, one_first, with_each
from provisioning.fleet.pushing import Task, push
from provisioning.fleet.table import as_json, lines_of, wrong_with
from provisioning.fleet.tasks import (
    certificates_task,
    config_task,
    list_tasks,
    preview,
    remember,
    targets_of,
    update_task,
)
from provisioning.passphrases import passphrase_of

_WATCH_EVERY_S: Final = 10.0
_FIND_S: Final = 3.0
# A box waits until a session is a quarter of an hour behind; a version waits for that long in any case, and is then
# looked at for ten minutes at most (device/updating_trial.py). To that comes what sending and starting anew take.
_PATIENCE_S: Final = 20 * 60.0
_UPDATE_PATIENCE_S: Final = 45 * 60.0

TasksOf = Callable[[Folder, Target, Caller], Iterator[Task]]


def add_fleet(verb: argparse.ArgumentParser) -> None:
    """What ``fleet`` takes."""
    verbs = verb.add_subparsers(required=True, metavar="WHAT")
    key = verbs.add_parser("key", help=f"make the certificate by which boxes know this desk; it holds {DESK_DAYS} days")
    _add_folder(key)
    key.set_defaults(run=run_key)
    status = verbs.add_parser(
        "status", help="show how all boxes are; ends with 6 or 7 where one is not reached or well"
    )
    _add_folder(status)
    _add_boxes(status)
    status.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    status.add_argument("--watch", action="store_true", help=f"show it anew every {_WATCH_EVERY_S:.0f} s, until Ctrl-C")
    status.add_argument("--find", action="store_true", help="also ask boxes that announce themselves on this network")
    status.set_defaults(run=run_status, stopped="stopped")
    push_ = verbs.add_parser("config", help="send boxes their configuration").add_subparsers(
        required=True, metavar="WHAT"
    )
    for where, name, about, tasks in (
        (push_, "push", "send each box the sotto.toml of its folder; shown before, as changes", _config),
        (verbs, "lists", "send the newest roster, and the newest list of people", list_tasks_of),
        (verbs, "rotate-certificates", "send the page's next certificates, for the key that each box has", None),
        (verbs, "update", "send a version that `make update` built; each box tries it by itself", None),
    ):
        one = where.add_parser(name, help=about)
        _add_folder(one)
        if name == "update":
            one.add_argument("image", metavar="IMAGE", type=Path, help="sotto_<version>_<arch>.squashfs")
        _add_boxes(one)
        one.add_argument("--dry-run", action="store_true", help="show what would be sent, and send nothing")
        one.add_argument(
            "--at-a-time", metavar="N", type=int, default=8, help="after the first one (default: %(default)s)"
        )
        one.add_argument(
            "--patience",
            metavar="S",
            type=float,
            default=_UPDATE_PATIENCE_S if name == "update" else _PATIENCE_S,
            help="for each box to do it (default: %(default)s)",
        )
        one.add_argument("--yes", action="store_true", help="do not ask")
        one.set_defaults(run=run_push, tasks=tasks, kind=name, stopped="stopped; boxes that have their order do it")


def run_key(arguments: argparse.Namespace) -> int:
    """``fleet key``. Raises ``SottoError`` and ``AgeError``."""
    folder = Folder(arguments.folder)
    folder.read()
    ends = make_desk_key(folder, _passphrase(arguments)(), now=SystemClock().utc())
    print(f"boxes know this desk until {ends:%Y-%m-%d}")
    return DONE


def run_status(arguments: argparse.Namespace) -> int:
    """``fleet status``. Raises ``SottoError`` and ``AgeError``."""
    folder = Folder(arguments.folder)
    boxes = targets_of(folder.read(), arguments.box)
    caller = Caller(desk_trust(folder, _passphrase(arguments)), timeout_s=arguments.timeout)
    if arguments.find:
        boxes += _found(boxes)
    while True:
        try:
            code = _show_once(_looked(boxes, caller), as_json_=arguments.json, anew=arguments.watch)
            if not arguments.watch:
                return code
            time.sleep(_WATCH_EVERY_S)
        except KeyboardInterrupt:
            if not arguments.watch:
                raise
            return DONE  # that is how watching ends


def run_push(arguments: argparse.Namespace) -> int:
    """What sends orders. Raises ``SottoError`` and ``AgeError``."""
    folder, clock, passphrase = Folder(arguments.folder), SystemClock(), _passphrase(arguments)
    boxes = targets_of(folder.read(), arguments.box)
    if arguments.at_a_time < 1:
        raise UsageError("--at-a-time has to be 1 or more", "leave it out")
    caller = Caller(desk_trust(folder, passphrase), timeout_s=arguments.timeout)
    tasks_of = arguments.tasks or _tasks_of(arguments, folder, passphrase)
    if arguments.kind != "rotate-certificates":  # else a box has to be asked first
        for box in boxes:
            for task in tasks_of(folder, box, caller):
                print(*preview(folder, task), sep="\n")
    if arguments.dry_run:
        print("nothing was sent")
        return DONE
    _make_sure(arguments, len(boxes))
    with open_desk(folder.path, clock, passphrase=passphrase) as desk:
        do = partial(
            _push_all, folder=folder, caller=caller, desk=desk, tasks_of=tasks_of, patience_s=arguments.patience
        )
        outcomes = []
        for outcome in one_first(boxes, do, at_a_time=arguments.at_a_time):
            outcomes.append(outcome)
            _tell(outcome)
    left = [box.name for box in boxes if box.name not in {one.box.name for one in outcomes}]
    if left:
        complain(f"{', '.join(left)}: nothing was sent, as all was not well before", "look at that box first")
    return gravest({exit_of(one.problem) for one in outcomes if one.problem is not None})


def list_tasks_of(folder: Folder, box: Target, _caller: Caller) -> Iterator[Task]:
    """The roster and the list of people."""
    yield from list_tasks(folder, box)


def _config(folder: Folder, box: Target, _caller: Caller) -> Iterator[Task]:
    yield config_task(folder, box)


def _tasks_of(arguments: argparse.Namespace, folder: Folder, passphrase: Callable[[], str]) -> TasksOf:
    if arguments.kind == "update":
        return lambda folder, box, _caller: iter([update_task(folder, box, arguments.image)])
    authority = unlock_ca(folder, passphrase())
    return lambda folder, box, caller: iter([certificates_task(folder, box, caller, authority, SystemClock())])


def _push_all(
    box: Target, *, folder: Folder, caller: Caller, desk: Desk, tasks_of: TasksOf, patience_s: float
) -> list[str]:
    done = []
    for task in tasks_of(folder, box, caller):
        told = push(task, caller, desk, patience_s=patience_s, tell=_tell_meanwhile)
        remember(folder, task)
        done.append(f"{told.about}, order {told.number}")
    return done


def _tell_meanwhile(line: str) -> None:
    """What comes of it stands on standard output; what a box waits for until then does not."""
    print(line, file=sys.stderr, flush=True)


def _tell(outcome: Outcome[list[str]]) -> None:
    if outcome.problem is not None:
        complain(*words_of(outcome.problem))
    else:
        print(f"{outcome.box.name}: done: {'; '.join(outcome.told or []) or 'nothing'}", flush=True)


def _make_sure(arguments: argparse.Namespace, count: int) -> None:
    if arguments.yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to be asked whether to send it", "look with --dry-run, then give --yes")
    if input(f"send it to {count} boxes, one first? (yes/no) ").strip() != "yes":
        raise UsageError("nothing was sent", "type yes to send it")


def _looked(boxes: list[Target], caller: Caller) -> list[Outcome[FleetStatus]]:
    """How each is, in their order."""

    def look(box: Target) -> FleetStatus:
        told = caller.status(box)
        judge(box, told)
        return told

    found = {one.box.name: one for one in with_each(boxes, look, at_a_time=MOST_AT_A_TIME)}
    return [found[box.name] for box in boxes]


def _found(boxes: list[Target]) -> list[Target]:
    """Who announces itself and is not known: a box that was not entered yet, or came to another address."""
    from provisioning.fleet.finding import find_boxes  # noqa: PLC0415  # it opens sockets to the whole network

    known = {box.device_key for box in boxes} | {box.name for box in boxes}
    return [one for one in find_boxes(_FIND_S) if one.device_key not in known and one.name not in known]


def _code(outcomes: list[Outcome[FleetStatus]]) -> int:
    codes = {exit_of(one.problem) for one in outcomes if one.problem is not None}
    return gravest(codes | ({NOT_SURE} if any(wrong_with(one) for one in outcomes) else set()))


def _show_once(outcomes: list[Outcome[FleetStatus]], *, as_json_: bool, anew: bool) -> int:
    """How they are now; the exit code for it."""
    code = _code(outcomes)
    if as_json_:
        print(json.dumps({"boxes": [as_json(one) for one in outcomes], "exit_code": code}), flush=True)
    else:
        _show(lines_of(outcomes), anew=anew)
    return code


def _show(lines: list[str], *, anew: bool) -> None:
    if anew and sys.stdout.isatty():
        print("\x1b[2J\x1b[H", end="")
    print(*lines, sep="\n", flush=True)


def _passphrase(arguments: argparse.Namespace) -> Callable[[], str]:
    """Asked for once, however often it is needed."""
    return cache(lambda: passphrase_of(arguments.passphrase_file, what=FOLDER))


def _add_folder(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("folder", metavar="CLINIC", type=Path, help="the clinic's folder")
    add_passphrase(verb)


def _add_boxes(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--box", metavar="NAME", action="append", default=[], help="this box alone (default: all)")
    verb.add_argument("--timeout", metavar="S", type=float, default=TIMEOUT_S, help="for a box to answer (default: 20)")
