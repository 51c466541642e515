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
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import NoReturn

from device.age.errors import AgeError
from device.clock import SystemClock
from device.errors import SottoError
from provisioning.erase_verb import add_erase
from provisioning.errors import UsageError
from provisioning.exits import USAGE, exit_of, words_of
from provisioning.keys import new_key, read_identities, write_identity
from provisioning.list_verb import REMOTE_HELP, add_list
from provisioning.opener import STANDARD_OUTPUT, Request, open_recording
from provisioning.policy_verb import add_policy
from provisioning.pull_verb import add_pull
from provisioning.report import Bar
from provisioning.times import parse_time
from provisioning.verify_verb import add_verify


class Parser(argparse.ArgumentParser):
    """argparse, whose errors come as an ``error:`` and a ``hint:`` line."""

    def error(self, message: str) -> NoReturn:
        complain(message, f"{self.prog} --help")
        sys.exit(USAGE)


def complain(what: str, hint: str) -> None:
    """Say what happened, and what to do now."""
    print(f"error: {what}", file=sys.stderr)
    if hint:
        print(f"hint: {hint}", file=sys.stderr)


def main() -> int:
    """Run the command line of this process; the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that nothing half done stays behind
    return run(sys.argv[1:])


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
        print(identity.recipient())
    return 0


def open_(arguments: argparse.Namespace) -> int:
    """``open``: a recording, or a slice of it."""
    if arguments.json and arguments.output == STANDARD_OUTPUT:
        raise UsageError("--json and -o - both want standard output", "write the recording to a file")
    request = Request(
        recording=arguments.recording,
        identities=tuple(arguments.identity),
        output=arguments.output,
        force=arguments.force,
        last_us=_time(arguments.last),
        from_us=_time(arguments.from_),
        to_us=_time(arguments.to),
        remote=arguments.remote,
        login=arguments.login,
        device_keys=tuple(arguments.device_key),
    )
    bar = Bar(arguments.recording, to=sys.stderr)
    try:
        opened = open_recording(request, progress=bar.show)
    finally:
        bar.clear()
    if arguments.json:
        print(json.dumps(opened.as_json()))
    else:
        to = sys.stderr if arguments.output == STANDARD_OUTPUT else sys.stdout
        print(*opened.lines(), sep="\n", file=to)
    return 0


def _time(text: str | None) -> int | None:
    return None if text is None else parse_time(text)


def parser() -> Parser:
    """The whole command line."""
    table = "\n".join(line.removeprefix("    ") for line in (__doc__ or "").splitlines()[2:11])
    whole = Parser(
        prog="sotto-clinic",
        description="The clinic's side of Sotto: keys, what the remote holds, and opening what the boxes sealed.",
        epilog=table,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = whole.add_subparsers(required=True, metavar="VERB")
    _add_key(verbs.add_parser("key", help="make a key, or show its recipient").add_subparsers(required=True))
    _add_open(
        verbs.add_parser(
            "open",
            help="open a recording, or a slice of it",
            description="Open a recording, or a slice of it, into an MP4 that plays on its own.",
            epilog=f"Times: 15m, 90s, 1h2m, 10:00, 1:02:03, or seconds.\n\n{table}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )
    for name, add, about in (
        ("verify", add_verify, "find out whether recordings are what the boxes sealed, and where not"),
        ("list", add_list, "show what a remote holds"),
        ("pull", add_pull, "fetch whole recordings from a remote, sealed as they are"),
        ("erase-ordered", add_erase, "carry out the erase orders that boxes left at a remote"),
        ("policy", add_policy, "print what an S3-compatible store has to allow"),
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
    recipient.set_defaults(run=key_recipient)


def _add_open(verb: argparse.ArgumentParser) -> None:
    add = verb.add_argument
    add("recording", metavar="RECORDING", help="a recording's folder, an .age file, or an http(s) address of either")
    add("--remote", metavar="REMOTE", help=f"{REMOTE_HELP}; RECORDING is then an id, or a path there")
    add("-i", "--identity", metavar="IDENTITY", type=Path, action="append", required=True, help="identity file")
    add("--login", metavar="NAME", help="sign in to the box that RECORDING is on, with the identity")
    add("--device-key", metavar="KEY", action="append", default=[], help="that box's key, by which it is known")
    add("-o", "--output", metavar="FILE", help="where it goes, - for standard output (default: its id, here)")
    add("--force", action="store_true", help="overwrite the output if it is there")
    add("--last", metavar="TIME", help="only the last part, this long")
    add("--from", metavar="TIME", dest="from_", help="only from this moment on")
    add("--to", metavar="TIME", help="only up to this moment")
    add("--json", action="store_true", help="print one JSON object instead of lines")
    verb.set_defaults(run=open_)


if __name__ == "__main__":
    sys.exit(main())
