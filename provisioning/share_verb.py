"""``sotto-clinic share``: opens recordings in the clinic's keeping to others, without touching what is in them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from device.age.errors import AgeError
from device.age.identities import KeyIdentity
from device.errors import SottoError
from device.recording.chain import AUDIT_NAME
from device.remote import Remote
from device.remote_folder import MARK_NAME
from provisioning.desk import Desk
from provisioning.device_keys import read_device_keys
from provisioning.errors import UsageError
from provisioning.exits import gravest, one_failed
from provisioning.folders import recordings_in
from provisioning.own_desk import add_own_desk, own_desk
from provisioning.own_keys import add_own_keys, own_identities
from provisioning.place import NamedPlace, in_folder
from provisioning.recipients import read_recipients
from provisioning.remote_place import RemotePlace, held_at
from provisioning.remotes import remote_at
from provisioning.report import Bar
from provisioning.shareable import shareable
from provisioning.sharing import Wanted, share
from provisioning.sharing_there import share_there

_AT = "the clinic's server, where they are opened to others in place: a folder that boxes send to, or a TOML file"


def add_share(verb: argparse.ArgumentParser) -> None:
    """What ``share`` takes."""
    verb.description = (
        "Open recordings in the clinic's keeping to others: for a new supervisor, or after a key was lost. Each gets a "
        "new header, and so do its attachments; what is sealed behind it stays byte for byte as the box sealed it, and "
        "`verify` says both. Whoever has a copy with the old header opens that as before."
    )
    add = verb.add_argument
    add("folders", metavar="WHAT", nargs="+", help="a recording's folder as `pull` makes it, or a folder of them")
    add("--at", "--remote", metavar="REMOTE", help=f"{_AT}; WHAT is then an id, or a path there")
    add(
        "--add", metavar="RECIPIENT", action="append", default=[], help="who is to open them, too; or a file of several"
    )
    add("--only", metavar="RECIPIENT", action="append", default=[], help="who alone is to open them; as for --add")
    add_own_keys(verb)
    add_own_desk(verb)
    add(
        "--device-key",
        metavar="KEY",
        action="append",
        default=[],
        help="a box's key that you know, as for verify; any of them may have signed",
    )
    add(
        "--clinic-key",
        metavar="KEY",
        action="append",
        default=[],
        help="the key of another desk of the clinic, whose earlier shares are taken over",
    )
    add("--json", action="store_true", help="print one JSON object instead of lines")
    verb.set_defaults(run=run_share, stopped="stopped; what was begun opens as before, and the same command ends it")


def run_share(arguments: argparse.Namespace) -> int:
    """Share all that was named; the gravest exit code of all.

    Raises:
        SottoError: something named makes no sense or is not there, or the desk cannot be used.
    """
    if bool(arguments.add) == bool(arguments.only):
        raise UsageError(
            "nothing says who is to open them", "give --add for some more, or --only for everybody who may from now on"
        )
    wanted = Wanted(add=read_recipients(arguments.add), only=read_recipients(arguments.only))
    identities = own_identities(arguments)
    folders = [] if arguments.at is not None else recordings_in(arguments.folders)
    for folder in folders:
        _must_be_the_clinics_own(folder)
    with own_desk(arguments) as desk:
        if arguments.at is None:
            told = [_share(in_folder(folder), wanted, identities, desk, arguments) for folder in folders]
        else:
            with remote_at(arguments.at) as remote:
                places = _places(remote, arguments.folders)
                told = [_share(place, wanted, identities, desk, arguments) for place in places]
    code = gravest({int(one["exit_code"]) for one in told})
    if arguments.json:
        print(json.dumps({"exit_code": code, "recordings": told}))
    return code


def _must_be_the_clinics_own(folder: Path) -> None:
    """Refuse a folder whose files somebody else compares: a box, with its store or with what it sent."""
    above = folder.absolute().parents
    if any((parent / MARK_NAME).exists() for parent in above):
        raise UsageError(f"{folder} is what a box sent", "share it with --at and the folder that holds `sotto-remote`")
    if (folder.absolute().parent / AUDIT_NAME).is_dir():
        raise UsageError(f"{folder} is in a box's own store", "fetch it with `sotto-clinic pull`, and share that")


def _places(remote: Remote, texts: list[str]) -> list[RemotePlace]:
    found = [recording for text in texts for recording in held_at(remote, text).recordings]
    return [RemotePlace(remote, recording) for recording in dict.fromkeys(found)]


def _share(
    place: NamedPlace | RemotePlace,
    wanted: Wanted,
    identities: list[KeyIdentity],
    desk: Desk,
    arguments: argparse.Namespace,
) -> dict[str, Any]:
    device_keys = read_device_keys(arguments.device_key)
    clinic_keys = read_device_keys(arguments.clinic_key) | {desk.fingerprint}
    bar = Bar(place.name, to=sys.stderr, doing="sharing")
    try:
        recording = shareable(place, device_keys=device_keys, clinic_keys=clinic_keys)
        if isinstance(place, RemotePlace):
            done = share_there(place, recording, wanted, identities, desk)
        else:
            folder = Path(place.sealed).parent
            done = share(folder, recording, wanted, identities, desk, progress=bar.show)
    except (SottoError, AgeError) as problem:
        bar.clear()
        return one_failed(problem, place.name)
    finally:
        bar.clear()
    if not arguments.json:
        print(*done.lines(), sep="\n")
    return {
        "id": done.name,
        "exit_code": 0,
        "shared": done.has_new_header,
        "attachments": list(done.attachments),
        "left": [{"file": file, "why": why} for file, why in done.left],
    }
