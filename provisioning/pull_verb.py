"""``sotto-clinic pull``: whole recordings from a remote, sealed as they are there."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from device.age.errors import AgeError
from device.errors import SottoError
from device.remote import Remote
from provisioning.device_keys import read_device_keys
from provisioning.exits import complain, exit_of, gravest, words_of
from provisioning.list_verb import REMOTE_HELP
from provisioning.pulling import Pulled, pull
from provisioning.remote_place import RemotePlace, held_at
from provisioning.remotes import remote_at
from provisioning.report import Bar


def add_pull(verb: argparse.ArgumentParser) -> None:
    """What ``pull`` takes."""
    verb.description = (
        "Fetch whole recordings from a remote, with their manifests and attachments, and compare them with what the "
        "boxes signed. Nothing is opened: they stay sealed. What a cut left unfinished goes on with the same command; "
        "what is there already is never overwritten."
    )
    add = verb.add_argument
    add("remote", metavar="REMOTE", help=REMOTE_HELP)
    add("what", metavar="WHAT", nargs="+", help="a recording's id, or a path there: a recording, a month, a room")
    add("-o", "--output", metavar="FOLDER", type=Path, required=True, help="each recording gets a folder in it")
    add(
        "--device-key",
        metavar="KEY",
        action="append",
        default=[],
        help="a box's key that you know, as for verify; any of them may have signed",
    )
    add("--json", action="store_true", help="print one JSON object instead of lines")
    verb.set_defaults(run=run_pull, stopped="stopped; what was fetched is kept, and the same command goes on")


def run_pull(arguments: argparse.Namespace) -> int:
    """Fetch all that was named; the gravest exit code of all.

    Raises:
        SottoError: something named makes no sense or is not there, or the remote does not answer or refuses.
    """
    device_keys = read_device_keys(arguments.device_key)
    told: list[dict[str, Any]] = []
    with remote_at(arguments.remote) as remote:
        places = _places(remote, arguments.what)
        for number, place in enumerate(places, start=1):
            count = f"{number}/{len(places)} " if len(places) > 1 else ""
            told.append(_pull(place, arguments.output, device_keys, count=count, quiet=arguments.json))
    code = gravest({int(one["exit_code"]) for one in told})
    if arguments.json:
        print(json.dumps({"exit_code": code, "recordings": told}))
    return code


def _places(remote: Remote, texts: list[str]) -> list[RemotePlace]:
    found = [recording for text in texts for recording in held_at(remote, text).recordings]
    return [RemotePlace(remote, recording) for recording in dict.fromkeys(found)]


def _pull(place: RemotePlace, into: Path, device_keys: frozenset[str], *, count: str, quiet: bool) -> dict[str, Any]:
    bar = Bar(f"{count}{place.name}", to=sys.stderr, doing="pulling")
    try:
        pulled: Pulled = pull(place, into, device_keys=device_keys, progress=bar.show)
    except (SottoError, AgeError) as problem:
        bar.clear()
        what, hint = words_of(problem)
        complain(what, hint, of=place.name)
        return {"id": place.name, "exit_code": exit_of(problem), "error": what, "hint": hint}
    finally:
        bar.clear()
    if not quiet:
        print(pulled.line())
    return {"id": place.name, "exit_code": 0, "folder": str(pulled.folder), "moved_bytes": pulled.moved_bytes}
