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
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from textwrap import fill
from typing import Final, NoReturn

from device.age.errors import AgeError
from device.age.recipients import fingerprint
from device.clock import SystemClock
from device.errors import SottoError
from provisioning.exits import FAILED, USAGE, complain, exit_of, words_of
from provisioning.keys import new_key, read_identities, write_identity

# Verb: where what it takes is said, and what it is for. A verb loads what it alone needs.
_GROUPS: Final = {
    "person": ("clinic.person_verb", "who is of the clinic, and whom they supervise"),
    "room": ("clinic.room_verb", "which rooms have a box"),
    "recovery": ("clinic.recovery_verb", "make, split and join the identity for when all else is lost"),
    "desk": ("desk_verb", "make or show the clinic's own desk"),
    "update": ("update_verb", "sign another version of Sotto for boxes"),
    "fleet": ("fleet.fleet_verb", "how all boxes are, and what they are told"),
    "sample": ("sample_verb", "draw pre-registered random slices for blinded raters"),
}
_VERBS: Final = {
    "init": ("clinic.init_verb", "make the clinic's folder, or go on with it"),
    "roster": ("clinic.room_verb", "show who can open what, as boxes take it; or sign it anew"),
    "open": ("open_verb", "open a recording, or a slice of it"),
    "verify": ("verify_verb", "find out whether recordings are what the boxes sealed, and where not"),
    "list": ("list_verb", "show what is kept somewhere"),
    "pull": ("pull_verb", "fetch recordings, sealed as they are; or the last minutes of each"),
    "clip": ("clip_verb", "share a slice of a recording with somebody, sealed for them alone"),
    "note": ("note_verb", "write a review of a recording, or read what lies beside it"),
    "copy": ("copy_verb", "make a copy for a client, sealed by a passphrase"),
    "kit": ("kit_verb", "make somebody's kit"),
    "cards": ("papers.cards_verb", "write the therapist's card and the client's, to be printed"),
    "device": ("device_verb", "enter a box, make its card, take its key, replace it"),
    "erase-ordered": ("erase_verb", "carry out the erase orders that boxes left at a remote"),
    "share": ("share_verb", "open recordings in the clinic's keeping to others"),
    "policy": ("policy_verb", "print what an S3-compatible store has to allow"),
    "reader": ("reader.reader_verb", "write the page that opens, plays and reviews recordings"),
}


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
    known = {"key", *_GROUPS, *_VERBS}
    arguments = parser(argv[0] if argv and argv[0] in known else None).parse_args(argv)
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


def parser(only: str | None = None) -> Parser:
    """The whole command line; ``only``: of the other verbs it knows that there are such."""
    table = "\n".join(line.removeprefix("    ") for line in (__doc__ or "").splitlines()[2:11])
    whole = Parser(
        prog="sotto-clinic",
        description="The clinic's side of Sotto: keys, what is kept where, and opening what the boxes sealed.",
        epilog=table,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = whole.add_subparsers(required=True, metavar="VERB")
    _add_key(verbs.add_parser("key", help="make a key, or show its recipient").add_subparsers(required=True))
    for name, (module, about) in _GROUPS.items():
        group = verbs.add_parser(name, help=about)
        if only in (None, name):
            _adds(name, module)(group)
    for name, (module, about) in _VERBS.items():
        verb = verbs.add_parser(name, help=about, epilog=table, formatter_class=argparse.RawDescriptionHelpFormatter)
        if only in (None, name):
            _adds(name, module)(verb)
            verb.description = fill(verb.description or "", 80)
    return whole


def _adds(name: str, module: str) -> Callable[[argparse.ArgumentParser], None]:
    """What says what a verb takes."""
    adds: Callable[[argparse.ArgumentParser], None]
    adds = getattr(import_module(f"provisioning.{module}"), f"add_{name.partition('-')[0]}")
    return adds


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
