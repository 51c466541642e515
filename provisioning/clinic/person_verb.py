"""``sotto-clinic person``: who is of the clinic, what they are, whom they supervise, and by which key they open."""

from __future__ import annotations

import argparse
import json
import secrets
from pathlib import Path
from typing import Any

from device.age.recipients import fingerprint, parse_recipient
from provisioning.clinic import people
from provisioning.clinic.change_verb import add_change, show_and_carry_out
from provisioning.clinic.folder import Folder
from provisioning.errors import UsageError
from provisioning.exits import DONE
from provisioning.recipients import read_recipients

_ROLES = ("therapist", "supervisor", "admin")


def add_person(verb: argparse.ArgumentParser) -> None:
    """What ``person`` takes."""
    verbs = verb.add_subparsers(required=True, metavar="WHAT")
    new = verbs.add_parser("add", help="somebody comes")
    _take_values(new, needed=True)
    new.add_argument("--mark", metavar="MARK", help="as a box shows it under People, if one knows them already")
    new.set_defaults(run=run_add)
    other = verbs.add_parser("set", help="something of somebody changes")
    _take_values(other, needed=False)
    other.add_argument("--supervises-nobody", action="store_true", help="from now on")
    other.set_defaults(run=run_set)
    gone = verbs.add_parser("remove", help="somebody goes; what was sealed to them before still opens for them")
    _take_login(gone)
    add_change(gone)
    gone.set_defaults(run=run_remove)
    listed = verbs.add_parser("list", help="show everybody, and who opens whose recordings")
    listed.add_argument("folder", metavar="CLINIC", type=Path, help="the clinic's folder")
    listed.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    listed.set_defaults(run=run_list)
    invited = verbs.add_parser("invite", help="print what somebody does on their own computer")
    _take_login(invited)
    invited.set_defaults(run=run_invite)


def _take_login(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("folder", metavar="CLINIC", type=Path, help="the clinic's folder")
    verb.add_argument("login", metavar="LOGIN", help="what they sign in with at boxes")


def _take_values(verb: argparse.ArgumentParser, *, needed: bool) -> None:
    _take_login(verb)
    add = verb.add_argument
    add("--name", metavar="NAME", required=needed, help="what colleagues call them")
    add("--role", choices=_ROLES, action="append", default=[], required=needed, help="may be given again")
    add("--recipient", metavar="RECIPIENT", help="of the identity that they made; or a file with it")
    add("--supervises", metavar="LOGIN", action="append", default=[], help="whose recordings; may be given again")
    add_change(verb)


def run_add(arguments: argparse.Namespace) -> int:
    """``person add``. Raises ``SottoError`` and ``AgeError``."""
    folder = Folder(arguments.folder)
    book = folder.read()
    values = {
        "login": arguments.login,
        **_values(arguments),
        "supervisees": people.marks_of(book, arguments.supervises),
    }
    change = people.add(book, mark=arguments.mark or secrets.token_hex(6), values=values)
    return show_and_carry_out(arguments, folder, book, change.book, change.happened)


def run_set(arguments: argparse.Namespace) -> int:
    """``person set``. Raises ``SottoError`` and ``AgeError``."""
    folder = Folder(arguments.folder)
    book, values = folder.read(), _values(arguments)
    if arguments.supervises and arguments.supervises_nobody:
        raise UsageError("somebody and nobody is to be supervised", "give one of --supervises, --supervises-nobody")
    if arguments.supervises or arguments.supervises_nobody:
        values["supervisees"] = people.marks_of(book, arguments.supervises)
    change = people.change(book, arguments.login, values)
    if not change.happened:
        raise UsageError("that changes nothing", "say what is to be other than `person list` shows it")
    return show_and_carry_out(arguments, folder, book, change.book, change.happened)


def run_remove(arguments: argparse.Namespace) -> int:
    """``person remove``. Raises ``SottoError`` and ``AgeError``."""
    folder = Folder(arguments.folder)
    book = folder.read()
    change = people.remove(book, arguments.login)
    return show_and_carry_out(arguments, folder, book, change.book, change.happened)


def _values(arguments: argparse.Namespace) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if arguments.name is not None:
        values["name"] = arguments.name
    if arguments.role:
        values["roles"] = list(dict.fromkeys(arguments.role))
    if arguments.recipient is not None:
        found = read_recipients([arguments.recipient])
        if len(found) != 1:
            raise UsageError(f"{len(found)} recipients stand there", "give the one of their own identity")
        values["recipient"] = str(found[0])
    return values


def run_list(arguments: argparse.Namespace) -> int:
    """``person list``. Raises ``SottoError``."""
    folder = Folder(arguments.folder)
    book, roster = folder.read(), folder.read_roster()
    names = {one.mark: one.name for one in book.people}
    seats = {} if roster is None else {seat.mark: seat.opened_by for seat in roster.therapists}
    rows: list[dict[str, Any]] = [
        {
            "login": one.login,
            "name": one.name,
            "mark": one.mark,
            "roles": list(one.roles),
            "key": None if one.recipient is None else fingerprint(parse_recipient(one.recipient)),
            "supervises": [names[mark] for mark in one.supervisees],
            "opened_by": [names.get(mark, mark) for mark in seats.get(one.mark, ())],
        }
        for one in book.people
    ]
    if arguments.json:
        print(json.dumps({"people": rows, "roster": None if roster is None else roster.number}))
        return DONE
    for row in rows:
        print(f"{row['login']}: {row['name']}, {' and '.join(row['roles'])}, key {row['key'] or 'none yet'}")
        if row["supervises"]:
            print(f"    supervises {', '.join(row['supervises'])}")
        if "therapist" in row["roles"]:
            print(f"    recordings open for {', '.join([*row['opened_by'], 'recovery'])}")
    print("roster: none signed yet" if roster is None else f"roster: number {roster.number}, {roster.policy}")
    return DONE


def run_invite(arguments: argparse.Namespace) -> int:
    """``person invite``: nothing secret is in it. Raises ``SottoError``."""
    one = people.find(Folder(arguments.folder).read(), arguments.login)
    print(
        f"For {one.name}, at your own computer. The identity that you make there opens recordings: it stays with you.",
        "",
        f"    sotto-clinic key new -o {one.login}.key",
        f"    sotto-clinic key recipient {one.login}.key > {one.login}.recipient",
        "",
        f"1. Keep {one.login}.key where nobody else reads it, and a copy apart. Send it to nobody, not to the admin.",
        f"2. Send {one.login}.recipient to the admin: it opens nothing.",
        "3. The admin reads the key's 16 digits to you, by telephone or face to face. Yours are",
        f"       sotto-clinic key recipient --id {one.login}.key",
        f"4. The admin: sotto-clinic person set CLINIC {one.login} --recipient {one.login}.recipient",
        "",
        f"Without a command line: open reader.html, take `make my identity`, type the login {one.login}. It saves",
        f"{one.login}.identity.age, the key, locked, and {one.login}.recipient. 1 to 4 hold for them, too.",
        sep="\n",
    )
    return DONE
