"""``sotto-clinic update make``: an order that brings boxes another version of Sotto (docs/updates.md)."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Final

from device.clock import SystemClock
from device.errors import UpdateError
from device.updating import FACTS_NAME, MOST_IMAGE_BYTES, Facts, read_facts
from provisioning.clinic.folder import Folder
from provisioning.clinic.init_verb import add_passphrase
from provisioning.desk import FOLDER, open_desk
from provisioning.errors import UsageError
from provisioning.exits import DONE
from provisioning.orders import make_order
from provisioning.passphrases import passphrase_of

_MAGIC: Final = b"hsqs"  # squashfs, as its kernel documentation has it (Documentation/filesystems/squashfs.rst)
_MOST_FACTS_BYTES: Final = 4096


def add_update(verb: argparse.ArgumentParser) -> None:
    """What ``update`` takes."""
    make = verb.add_subparsers(required=True, metavar="WHAT").add_parser("make", help="sign a version for boxes")
    make.description = (
        "Sign an image that `make update` built, as an order that boxes take. A box takes no version that is older "
        "than its own, and goes back by itself from one that is not well."
    )
    make.add_argument("folder", metavar="CLINIC", type=Path, help="the clinic's folder")
    make.add_argument(
        "image", metavar="IMAGE", type=Path, help="sotto_<version>_<arch>.squashfs; its .json is beside it"
    )
    make.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help="the order")
    make.add_argument("--box", metavar="NAME", action="append", default=[], help="for this box alone (default: all)")
    make.add_argument("--dry-run", action="store_true", help="say what it would be, and sign nothing")
    make.add_argument("--json", action="store_true", help="print what was made as one JSON object")
    add_passphrase(make)
    make.set_defaults(run=run_make)


def run_make(arguments: argparse.Namespace) -> int:
    """``update make``. Raises ``SottoError`` and ``AgeError``."""
    folder = Folder(arguments.folder)
    facts, boxes = facts_of(arguments.image), _boxes(folder, arguments.box)
    said: dict[str, object] = {"version": facts.version, "machine": facts.machine, "boxes": list(boxes)}
    if arguments.dry_run:
        _say(said, f"version {facts.version} for {', '.join(boxes)}; nothing was signed", as_json=arguments.json)
        return DONE
    with open_desk(
        folder.path,
        SystemClock(),
        passphrase=lambda: passphrase_of(arguments.passphrase_file, what=FOLDER),
    ) as desk:
        files = {FACTS_NAME: facts.model_dump_json().encode(), facts.image: arguments.image}
        made = make_order(desk, "update", files, boxes=boxes, output=arguments.output)
    said |= {"order": made.order.number, "digest": made.digest}
    told = f"order {made.order.number}: version {facts.version} for {', '.join(boxes)}, in {made.path}"
    _say(said, told, as_json=arguments.json)
    return DONE


def facts_of(image: Path) -> Facts:
    """What an image says of itself.

    Raises:
        UsageError: it is none, or not the one that its facts are about.
        UpdateError: the facts make no sense.
    """
    beside = image.with_suffix(".json")
    try:
        with beside.open("rb") as file:
            facts = read_facts(file.read(_MOST_FACTS_BYTES))
        with image.open("rb") as file:
            magic, size_bytes = file.read(len(_MAGIC)), image.stat().st_size
    except OSError as problem:
        raise UsageError(
            f"an image and its facts cannot be read: {problem.strerror}", f"build it with `make update`; {beside.name}"
        ) from problem
    if magic != _MAGIC or image.name != facts.image or size_bytes > MOST_IMAGE_BYTES:
        raise UpdateError(f"{image.name} is not the image that {beside.name} is about", "build both with `make update`")
    return facts


def _boxes(folder: Folder, chosen: list[str]) -> tuple[str, ...]:
    rooms = folder.read().rooms
    if strange := [name for name in chosen if name not in rooms]:
        raise UsageError(f"there is no box {strange[0][:60]!r}", f"there are {', '.join(rooms) or 'none'}")
    if not rooms:
        raise UsageError("the clinic has no box yet", "`sotto-clinic room add`")
    return tuple(dict.fromkeys(chosen)) or rooms


def _say(said: dict[str, object], line: str, *, as_json: bool) -> None:
    print(json.dumps(said) if as_json else line)
