"""``sotto-clinic``: the clinic's desk. Keys, and opening what the boxes sealed.

    exit  meaning
    0     done
    1     another failure: the output cannot be written, the server sends no ranges
    2     wrong usage
    3     no key fits
    4     damaged or altered data
    5     not an age file, or not a recording
    6     not reachable, or not there

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
from typing import Final, NoReturn

from device.age.errors import AgeError, HeaderError, NotAgeError, WrongKeyError
from device.clock import SystemClock
from device.errors import DamagedError, SottoError
from provisioning.errors import NotARecordingError, UnreachableError, UsageError
from provisioning.keys import new_key, read_identities, write_identity
from provisioning.opener import STANDARD_OUTPUT, Request, open_recording
from provisioning.report import Bar
from provisioning.times import parse_time
from provisioning.verify_audit import verify_audit

# The table above, as what a failure turns into; the first line that fits counts.
EXITS: Final[tuple[tuple[tuple[type[Exception], ...], int], ...]] = (
    ((UsageError,), 2),
    ((WrongKeyError,), 3),
    ((DamagedError, HeaderError), 4),
    ((NotAgeError, NotARecordingError), 5),
    ((UnreachableError,), 6),
    ((SottoError, AgeError), 1),
)
_USAGE: Final = 2


class Parser(argparse.ArgumentParser):
    """argparse, whose errors come as an ``error:`` and a ``hint:`` line."""

    def error(self, message: str) -> NoReturn:
        complain(message, f"{self.prog} --help")
        sys.exit(_USAGE)


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
        complain("stopped; nothing was kept", "")
        return 1
    return code


def failed(problem: SottoError | AgeError, *, as_json: bool) -> int:
    """Tell of a failure; the exit code that stands for it."""
    code = next(code for kinds, code in EXITS if isinstance(problem, kinds))
    what, hint = problem.what, problem.hint
    if isinstance(problem, AgeError):  # written as whole sentences there
        what, hint = _line(what), _line(hint)
    complain(what, hint)
    if as_json:
        print(json.dumps({"opened": False, "exit_code": code, "error": what, "hint": hint}))
    return code


def _line(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:].rstrip(".")


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


def verify_(arguments: argparse.Namespace) -> int:
    """``verify``: an audit log, up to its first bad entry."""
    report = verify_audit(arguments.path, device_key=arguments.key, head=arguments.head)
    print(*([json.dumps(report.as_json())] if arguments.json else report.lines()), sep="\n")
    if report.bad is None:
        return 0
    complain(f"entry {report.bad.number}: {report.problem}", "trust nothing from there on, and find out why")
    return 4


def _time(text: str | None) -> int | None:
    return None if text is None else parse_time(text)


def parser() -> Parser:
    """The whole command line."""
    table = "\n".join(line.removeprefix("    ") for line in (__doc__ or "").splitlines()[2:10])
    whole = Parser(
        prog="sotto-clinic",
        description="The clinic's side of Sotto: keys, and opening what the boxes sealed.",
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
    _add_verify(verbs.add_parser("verify", help="find the first bad entry of an audit log, if there is one"))
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
    add("-i", "--identity", metavar="IDENTITY", type=Path, action="append", required=True, help="identity file")
    add("-o", "--output", metavar="FILE", help="where it goes, - for standard output (default: its id, here)")
    add("--force", action="store_true", help="overwrite the output if it is there")
    add("--last", metavar="TIME", help="only the last part, this long")
    add("--from", metavar="TIME", dest="from_", help="only from this moment on")
    add("--to", metavar="TIME", help="only up to this moment")
    add("--json", action="store_true", help="print one JSON object instead of lines")
    verb.set_defaults(run=open_)


def _add_verify(verb: argparse.ArgumentParser) -> None:
    add = verb.add_argument
    add("path", metavar="PATH", type=Path, help="a store, its folder audit, or one file of it")
    add("--key", metavar="HEX", help="the fingerprint of the box's key that must have signed it")
    add("--head", metavar="NUMBER:HEX", help="a head that went out earlier: nothing up to there may be missing")
    add("--json", action="store_true", help="print one JSON object instead of lines")
    verb.set_defaults(run=verify_)


if __name__ == "__main__":
    sys.exit(main())
