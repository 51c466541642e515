"""``sotto-clinic device enrol``: takes the key that a box made at its first start, once somebody compared it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from device.recording.signing import fingerprint
from provisioning.clinic import boxes
from provisioning.clinic.asking_box import key_of_box
from provisioning.clinic.box_folders import BoxFolder
from provisioning.clinic.change_verb import add_change, show_and_carry_out
from provisioning.clinic.folder import Folder
from provisioning.errors import UsageError

_HTTPS: Final = 443
_YES: Final = "yes"


def add_enrol(verb: argparse.ArgumentParser) -> None:
    """What ``device enrol`` takes."""
    verb.description = (
        "Ask a box for its key, which it made at its first start, and enter it in the clinic's folder. The box proves "
        "that it has it, by TLS under the clinic's own authority; compare the fingerprint with the one on its page."
    )
    verb.add_argument("folder", metavar="CLINIC", type=Path, help="the clinic's folder")
    verb.add_argument("name", metavar="NAME", help="the box")
    verb.add_argument("--at", metavar="HOST[:PORT]", type=_place, help="where it is, if its name is not known here yet")
    verb.add_argument("--yes", action="store_true", help="do not ask")
    add_change(verb)
    verb.set_defaults(run=run_enrol)


def run_enrol(arguments: argparse.Namespace) -> int:
    """``device enrol``. Raises ``SottoError`` and ``AgeError``."""
    folder = Folder(arguments.folder)
    book, box = folder.read(), BoxFolder.of(folder, arguments.name)
    known = boxes.find(book, box.name)
    key = key_of_box(known.address, room=box.config().box.name, authority=folder.ca, at=arguments.at)
    change = boxes.enrol(book, box.name, fingerprint(key))
    print(f"{box.name}: {fingerprint(key)}")
    if change.book == book:
        print("it is the key that is known already")
        return 0
    if not arguments.yes and not arguments.dry_run:
        _ask()
    return show_and_carry_out(arguments, folder, book, change.book, change.happened)


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":") if text.count(":") == 1 else (text, "", "")
    return host.strip("[]"), int(port or _HTTPS)


def _ask() -> None:
    """Raises ``UsageError``: nobody is there to be asked, or they did not say yes."""
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to compare the fingerprint", "look at it on the box's page, then give --yes")
    print(f"does the box's page show the same? ({_YES}/no) ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip() != _YES:
        raise UsageError("nothing was entered", f"the answer was not {_YES!r}")
