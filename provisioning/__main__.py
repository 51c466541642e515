"""``sotto-clinic``: the clinic's desk. Keys, what the remote holds, and opening what the boxes sealed.

    exit  meaning
    0     done
    1     another failure: the output cannot be written, the server sends no ranges
    2     wrong usage
    3     no key fits
    4     damaged or altered data
    5     not an age file, or not a recording
    6     not reachable, or not there
    7     nothing wrong was found, but not all that counts could be verified

What a person should know goes to standard output (to standard error where the recording itself goes to standard
output); every failure is an ``error:`` and a ``hint:`` line on standard error.
"""

from __future__ import annotations

import argparse
import json
import select
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import NoReturn

from device.age.errors import AgeError
from device.age.recipients import fingerprint
from device.clock import SystemClock
from device.errors import SottoError
from provisioning.clinic.init_verb import add_init
from provisioning.clinic.person_verb import add_person
from provisioning.clinic.recovery_verb import add_recovery
from provisioning.clinic.room_verb import add_room, add_roster
from provisioning.clip_verb import add_clip
from provisioning.copy_verb import add_copy
from provisioning.desk_verb import add_desk
from provisioning.device_verb import add_device
from provisioning.erase_verb import add_erase
from provisioning.exits import FAILED, USAGE, complain, exit_of, words_of
from provisioning.fleet.fleet_verb import add_fleet
from provisioning.keys import new_key, read_identities, write_identity
from provisioning.kit_verb import add_kit
from provisioning.list_verb import add_list
from provisioning.note_verb import add_note
from provisioning.open_verb import add_open
from provisioning.papers.cards_verb import add_cards
from provisioning.policy_verb import add_policy
from provisioning.pull_verb import add_pull
from provisioning.reader.reader_verb import add_reader
from provisioning.sample_verb import add_sample
from provisioning.share_verb import add_share
from provisioning.update_verb import add_update
from provisioning.verify_verb import add_verify


class Parser(argparse.ArgumentParser):
    """argparse, whose errors come as an ``error:`` and a ``hint:`` line."""

    def error(self, message: str) -> NoReturn:
        complain(message, f"{self.prog} --help")
        sys.exit(USAGE)


def main() -> int:
    """Run the command line of this process; the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that nothing half done stays behind
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        if not _nobody_reads():
            raise
        sys.stdout = None  # as ``… | head`` leaves us: nothing is left to be flushed to
        return FAILED
    return code


def _nobody_reads() -> bool:
    """Whether whoever read standard output is gone."""
    output = select.poll()
    output.register(sys.stdout.fileno(), 0)
    return any(happened & select.POLLERR for _, happened in output.poll(0))


def run(argv: Sequence[str]) -> int:
    """Run one command line; the exit code. Wrong usage raises ``SystemExit``."""
    arguments = parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except (SottoError, AgeError) as problem:
        return failed(problem, as_json=getattr(arguments, "json", False))
    except KeyboardInterrupt:
        complain(getattr(arguments, "stopped", "stopped; nothing was kept"), "")
        return 1
    return code


def failed(problem: SottoError | AgeError, *, as_json: bool) -> int:
    """Tell of a failure; the exit code that stands for it."""
    code = exit_of(problem)
    what, hint = words_of(problem)
    complain(what, hint)
    if as_json:
        print(json.dumps({"opened": False, "exit_code": code, "error": what, "hint": hint}))
    return code


def key_new(arguments: argparse.Namespace) -> int:
    """``key new``: as age-keygen does, to the letter."""
    text, recipient = new_key(post_quantum=not arguments.classic, created=SystemClock().utc().astimezone())
    if arguments.output is not None:
        write_identity(arguments.output, text)
    if arguments.output is not None or not sys.stdout.isatty():
        print(f"Public key: {recipient}", file=sys.stderr)
    if arguments.output is None:
        sys.stdout.write(text)
    return 0


def key_recipient(arguments: argparse.Namespace) -> int:
    """``key recipient``: what the boxes get."""
    for identity in read_identities([arguments.identity]):
        print(fingerprint(identity.recipient()) if arguments.id else identity.recipient())
    return 0


def parser() -> Parser:
    """The whole command line."""
    table = "\n".join(line.removeprefix("    ") for line in (__doc__ or "").splitlines()[2:11])
    whole = Parser(
        prog="sotto-clinic",
        description="The clinic's side of Sotto: keys, what is kept where, and opening what the boxes sealed.",
        epilog=table,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = whole.add_subparsers(required=True, metavar="VERB")
    _add_key(verbs.add_parser("key", help="make a key, or show its recipient").add_subparsers(required=True))
    add_person(verbs.add_parser("person", help="who is of the clinic, and whom they supervise"))
    add_room(verbs.add_parser("room", help="which rooms have a box"))
    add_recovery(verbs.add_parser("recovery", help="make, split and join the identity for when all else is lost"))
    add_desk(verbs.add_parser("desk", help="make or show the clinic's own desk"))
    add_update(verbs.add_parser("update", help="sign another version of Sotto for boxes"))
    add_fleet(verbs.add_parser("fleet", help="how all boxes are, and what they are told"))
    add_sample(verbs.add_parser("sample", help="draw pre-registered random slices for blinded raters"))
    for name, add, about in (
        ("init", add_init, "make the clinic's folder, or go on with it"),
        ("roster", add_roster, "show who can open what, as boxes take it; or sign it anew"),
        ("open", add_open, "open a recording, or a slice of it"),
        ("verify", add_verify, "find out whether recordings are what the boxes sealed, and where not"),
        ("list", add_list, "show what is kept somewhere"),
        ("pull", add_pull, "fetch recordings, sealed as they are; or the last minutes of each"),
        ("clip", add_clip, "share a slice of a recording with somebody, sealed for them alone"),
        ("note", add_note, "write a review of a recording, or read what lies beside it"),
        ("copy", add_copy, "make a copy for a client, sealed by a passphrase"),
        ("kit", add_kit, "make somebody's kit"),
        ("cards", add_cards, "write the therapist's card and the client's, to be printed"),
        ("device", add_device, "enter a box, make its card, take its key, replace it"),
        ("erase-ordered", add_erase, "carry out the erase orders that boxes left at a remote"),
        ("share", add_share, "open recordings in the clinic's keeping to others"),
        ("policy", add_policy, "print what an S3-compatible store has to allow"),
        ("reader", add_reader, "write the page that opens, plays and reviews recordings"),
    ):
        verb = verbs.add_parser(name, help=about, epilog=table, formatter_class=argparse.RawDescriptionHelpFormatter)
        add(verb)
        verb.description = fill(verb.description or "", 80)
    return whole


def _add_key(verbs: argparse._SubParsersAction[Parser]) -> None:
    new = verbs.add_parser("new", help="make an identity, written as age-keygen does")
    new.add_argument("--classic", action="store_true", help="X25519 instead of post-quantum (mlkem768x25519)")
    new.add_argument("-o", "--output", metavar="FILE", type=Path, help="new file (default: standard output)")
    new.set_defaults(run=key_new)
    recipient = verbs.add_parser("recipient", help="show the recipient of an identity")
    recipient.add_argument("identity", metavar="IDENTITY", type=Path, help="identity file")
    recipient.add_argument("--id", action="store_true", help="its id instead: 16 digits, to be read to somebody")
    recipient.set_defaults(run=key_recipient)


if __name__ == "__main__":
    sys.exit(main())
