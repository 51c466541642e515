"""``sotto-clinic init``: makes a clinic's folder, asking for what it has to know; goes on where it was interrupted."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from device.clock import SystemClock
from device.recording.signing import fingerprint
from provisioning.clinic.folder import Folder
from provisioning.clinic.making import DRAFT_NAME, Making, what_is_left
from provisioning.clinic.questions import QUESTIONS, ask_here, given_in
from provisioning.desk import FOLDER, public_key
from provisioning.exits import DONE
from provisioning.passphrases import new_passphrase, passphrase_of


def add_init(verb: argparse.ArgumentParser) -> None:
    """What ``init`` takes."""
    verb.description = (
        "Make a clinic's folder: its policy and rooms, the key that signs who can open what, and its own certificate "
        "authority, both keys locked by one passphrase. Asks for what is not given; the same command goes on where it "
        "was interrupted. docs/clinic-folder.md says what is in the folder."
    )
    verb.add_argument("folder", metavar="CLINIC", type=Path, help="the folder, which only you can read")
    for question in QUESTIONS:
        verb.add_argument(question.option, metavar="…", help=question.asks[:1].lower() + question.asks[1:])
    add_passphrase(verb)
    verb.add_argument("--dry-run", action="store_true", help="say what would be done, and write nothing")
    verb.set_defaults(run=run_init, stopped="stopped; what was answered and made is kept: the same command goes on")


def add_passphrase(verb: argparse.ArgumentParser) -> None:
    """What every verb takes that signs."""
    verb.add_argument("--passphrase-file", metavar="FILE", type=Path, help="its first line, instead of being asked")


def run_init(arguments: argparse.Namespace) -> int:
    """Make it, or go on.

    Raises:
        SottoError, AgeError: an answer or the passphrase will not do, or it cannot be written.
    """
    folder, given = Folder(arguments.folder), given_in(arguments)
    if arguments.dry_run:
        print(*_plan(folder, given), sep="\n")
        return DONE
    making = Making(
        folder=folder,
        given=given,
        ask=ask_here,
        passphrase=lambda: passphrase_of(arguments.passphrase_file, what=FOLDER),
        new_passphrase=lambda: new_passphrase(arguments.passphrase_file, what=FOLDER),
        clock=SystemClock(),
        told=lambda line: print(line, file=sys.stderr),
    )
    for done in making.steps():
        print(done)
    print(
        f"clinic: {folder.path}", f"key: {fingerprint(public_key(folder.path))}", "keep a copy of it, apart", sep="\n"
    )
    for line in what_is_left(folder.read()):
        print(f"left: {line}")
    return DONE


def _plan(folder: Folder, given: dict[str, str]) -> list[str]:
    """What would be done; nothing is written, and nobody is asked."""
    lines = [f"asked: {one.asks}" for one in QUESTIONS if one.name not in given and not folder.ca.exists()]
    if (folder.path / DRAFT_NAME).exists():
        lines = ["some questions were answered before; the others:", *lines]
    files = (folder.clinic, folder.locked_key, folder.public, folder.ca_key, folder.ca, folder.audit)
    return [*lines, *(f"{'kept' if path.exists() else 'made'}: {path}" for path in files), "nothing was written"]
