"""``sotto-clinic recovery``: an identity that nobody has, made and split on a machine apart, and joined in need."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from device.age.identities import KeyIdentity, generate_identity, identity_file
from device.age.recipients import fingerprint
from device.clock import SystemClock
from device.recording.audited import Happened, What, Who
from provisioning.clinic.change_verb import add_change, show_and_carry_out
from provisioning.clinic.folder import Folder
from provisioning.clinic.share_pages import Paper, lines, page
from provisioning.clinic.splitting import join, names_of, need_of, split, tidy
from provisioning.clinic_file import CLINIC_NAME
from provisioning.errors import OutputError, UsageError
from provisioning.exits import DONE
from provisioning.keys import write_identity
from provisioning.output import FileOutput
from provisioning.recipients import read_recipients

_SHARE_BYTES = 64 << 10
RECIPIENT_NAME = "recovery.recipient"


def add_recovery(verb: argparse.ArgumentParser) -> None:
    """What ``recovery`` takes."""
    verbs = verb.add_subparsers(required=True, metavar="WHAT")
    new = verbs.add_parser("new", help="make it, on a machine without a network that holds nothing of the clinic")
    new.add_argument("--shares", metavar="N", type=int, required=True, help="how many papers (16 at most)")
    new.add_argument("--need", metavar="N", type=int, required=True, help="how many of them open (2 or more)")
    new.add_argument("--classic", action="store_true", help="X25519 instead of post-quantum, where the clinic is so")
    new.add_argument("-o", "--output", metavar="FOLDER", type=Path, help="new folder for pages to print; in memory")
    new.add_argument("--dry-run", action="store_true", help="say what would be made, and make nothing")
    new.set_defaults(run=run_new)
    joined = verbs.add_parser("join", help="make the identity again, of papers")
    joined.add_argument("--share", metavar="FILE", action="append", default=[], type=Path, help="else they are typed")
    joined.add_argument("--recipient", metavar="RECIPIENT", help="that it has to come to; or a file with it")
    joined.add_argument("--classic", action="store_true", help="as it was made")
    joined.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help="the identity: a new file")
    joined.set_defaults(run=run_join)
    stands = verbs.add_parser("set", help="have every recording sealed to it from now on")
    stands.add_argument("folder", metavar="CLINIC", type=Path, help="the clinic's folder")
    stands.add_argument("recipient", metavar="RECIPIENT", nargs="+", help="all that are to stand; or files with them")
    add_change(stands)
    stands.set_defaults(run=run_set)


def run_new(arguments: argparse.Namespace) -> int:
    """``recovery new``. Raises ``SottoError``."""
    _refuse_the_clinics_folder(arguments.output)
    identity = generate_identity(post_quantum=not arguments.classic)
    shares = split(identity, shares=arguments.shares, need=arguments.need)
    if arguments.dry_run:
        where = "on the terminal" if arguments.output is None else f"in {arguments.output}"
        print(f"{arguments.shares} papers {where}, {arguments.need} of which open; nothing was made")
        return DONE
    papers = _papers(identity, shares, need=arguments.need, kind="classic" if arguments.classic else "post-quantum")
    if arguments.output is None:
        _show(papers)
        print(f"recipient: {identity.recipient()}")
    else:
        _write(arguments.output, papers, str(identity.recipient()))
    print(f"key id: {fingerprint(identity.recipient())}", file=sys.stderr)
    return DONE


def _papers(identity: KeyIdentity, shares: list[str], *, need: int, kind: str) -> list[Paper]:
    made = SystemClock().utc().date().isoformat()
    key_id = fingerprint(identity.recipient())
    return [
        Paper(name=name, share=share, need=need, count=len(shares), key_id=key_id, kind=kind, made=made)
        for name, share in zip(names_of(len(shares)), shares, strict=True)
    ]


def _refuse_the_clinics_folder(output: Path | None) -> None:
    """Where the admin's folder is, there the shares do not belong: that is what they are for."""
    for place in [] if output is None else [output.absolute(), *output.absolute().parents]:
        if (place / CLINIC_NAME).exists():
            raise UsageError(
                f"{place} is a clinic's folder, and recovery is never kept there", "do this on another machine"
            )


def _show(papers: list[Paper]) -> None:
    """One after another; where somebody sits at a terminal, each is wiped before the next comes."""
    here = sys.stdin.isatty() and sys.stdout.isatty()
    for paper in papers:
        print(*lines(paper), "", sep="\n")
        if here:
            input("Written down, and read again? Enter: ")
            print("\x1b[2J\x1b[3J\x1b[H", end="")  # the screen, and what can be scrolled back to


def _write(folder: Path, papers: list[Paper], recipient: str) -> None:
    try:
        folder.mkdir(mode=0o700)
    except OSError as problem:
        raise OutputError(f"{folder} cannot be made: {problem.strerror}", "give a new folder") from problem
    for paper in papers:
        _put(folder / f"{paper.name.replace(' ', '-')}.html", page(paper))
    _put(folder / RECIPIENT_NAME, f"{recipient}\n")
    print(f"print the pages in {folder}, then take the folder away: together they are the identity", file=sys.stderr)
    print(f"{RECIPIENT_NAME} alone goes to the clinic's folder", file=sys.stderr)


def _put(path: Path, text: str) -> None:
    with FileOutput(path, force=False) as output:
        output.write(text.encode())
        output.keep()


def run_join(arguments: argparse.Namespace) -> int:
    """``recovery join``. Raises ``SottoError``."""
    if os.path.lexists(arguments.output):
        raise OutputError(f"{arguments.output} is there already", "give the name of a new file")
    _refuse_the_clinics_folder(arguments.output)
    wanted = None if arguments.recipient is None else read_recipients([arguments.recipient])
    shares = [_read(path) for path in arguments.share] or _ask()
    identity = join(shares, post_quantum=not arguments.classic)
    recipient = identity.recipient()
    if wanted is not None and str(recipient) not in map(str, wanted):
        raise UsageError(
            f"the shares join to another key: {fingerprint(recipient)}",
            "they are of another recovery, or of one that was made --classic (or was not)",
        )
    write_identity(arguments.output, identity_file(identity, SystemClock().utc().astimezone()))
    print(f"{arguments.output}: it opens what was sealed to {fingerprint(recipient)}; take it away when you are done")
    return DONE


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            text = tidy(file.read(_SHARE_BYTES).decode("utf-8"))
    except OSError as problem:
        raise UsageError(f"{path} cannot be read: {problem.strerror}", "give a file with the words") from problem
    except UnicodeDecodeError as problem:
        raise UsageError(f"{path} is no text", "give a file with the words of one share") from problem
    _check(text, path.name)
    return text


def _ask() -> list[str]:
    """Ask for shares until there are as many as the first one says; a wrong one is asked for again."""
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to be asked for shares", "give each as a file with --share")
    found: list[str] = []
    while not found or len(found) < need_of(found[0]):
        text = tidy(input(f"Words of paper {len(found) + 1}: "))
        try:
            _check(text, f"paper {len(found) + 1}")
        except UsageError as problem:
            print(f"{problem.what}; {problem.hint}", file=sys.stderr)
            continue
        found.append(text)
    return found


def _check(share: str, name: str) -> None:
    try:
        need_of(share)
    except UsageError as problem:
        raise UsageError(f"{name}: {problem.what}", problem.hint) from problem


def run_set(arguments: argparse.Namespace) -> int:
    """``recovery set``. Raises ``SottoError`` and ``AgeError``."""
    folder = Folder(arguments.folder)
    book = folder.read()
    recipients = read_recipients(arguments.recipient)
    after = book.changed(recovery=[str(one) for one in recipients])
    if after == book:
        raise UsageError("these stand there already", "nothing has to be done")
    ids = tuple(sorted(map(fingerprint, recipients)))
    happened = Happened(What.RECOVERY_CHANGED, by=Who.CLINIC, facts={"only": ids})
    return show_and_carry_out(arguments, folder, book, after, (happened,))
