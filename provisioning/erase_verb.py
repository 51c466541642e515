"""``sotto-clinic erase-ordered``: carries out the erase orders that boxes left at a remote."""

from __future__ import annotations

import argparse
import json

from device.errors import SottoError
from provisioning.device_keys import read_device_keys
from provisioning.exits import complain, exit_of, gravest, words_of
from provisioning.list_verb import REMOTE_HELP
from provisioning.obeying import Obeyed, obey
from provisioning.remote_place import RemotePlace, held_at
from provisioning.remotes import remote_at


def add_erase(verb: argparse.ArgumentParser) -> None:
    """What ``erase-ordered`` takes."""
    verb.description = (
        "Carry out the erase orders that boxes left beside recordings, where they may not erase at the remote "
        "themselves. An order holds only where the key that signed it signed the manifest beside it, too. Of the "
        "recording nothing is left; the order is kept, as <room>/erased/<id>.json."
    )
    add = verb.add_argument
    add("remote", metavar="REMOTE", help=REMOTE_HELP)
    add("what", metavar="WHAT", nargs="?", help="only these: a recording's id, or a path there (default: all)")
    add("--dry-run", action="store_true", help="only show what would be erased and why")
    add(
        "--device-key",
        metavar="KEY",
        action="append",
        default=[],
        help="a box's key that you know, as for verify: one of them has to have signed the order",
    )
    add("--json", action="store_true", help="print one JSON object instead of lines")
    verb.set_defaults(run=run_erase, stopped="stopped; run it again: what was begun is then ended")


def run_erase(arguments: argparse.Namespace) -> int:
    """Carry them out; the gravest exit code of all.

    Raises:
        SottoError: an argument makes no sense, or the remote does not answer or refuses.
    """
    device_keys = read_device_keys(arguments.device_key)
    done: list[Obeyed] = []
    failed: list[tuple[RemotePlace, SottoError]] = []
    with remote_at(arguments.remote) as remote:
        places = [RemotePlace(remote, recording) for recording in held_at(remote, arguments.what).recordings]
        for place in (one for one in places if one.held.is_ordered_erased):
            try:
                done.append(obey(place, device_keys=device_keys, dry=arguments.dry_run, beside=places))
            except SottoError as problem:
                failed.append((place, problem))
                complain(*words_of(problem), of=place.name)
                continue
            _tell(done[-1], quiet=arguments.json)
    code = gravest({one.exit_code for one in done} | {exit_of(problem) for _, problem in failed})
    if arguments.json:
        errors = [{"id": place.name, "path": place.held.folder, "error": problem.what} for place, problem in failed]
        print(json.dumps({"exit_code": code, "orders": [one.as_json() for one in done], "failed": errors}))
    elif not done and not failed:
        print("no erase order waits")
    return code


def _tell(one: Obeyed, *, quiet: bool) -> None:
    if not quiet:
        print(*one.lines(), sep="\n")
    if one.judged.refused is not None:
        complain(one.judged.refused, one.judged.hint, of=one.place.name)
