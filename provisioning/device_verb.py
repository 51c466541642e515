"""``sotto-clinic device card``: shows what would be on a box's card, and writes it once somebody said yes."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from pathlib import Path
from typing import Final

from device.clock import SystemClock
from provisioning.card.boot import Boot, FolderBoot, ImageBoot
from provisioning.card.box_files import read_box
from provisioning.card.drives import look_at
from provisioning.card.machine import read_machine
from provisioning.card.planning import MACHINES, PI, Plan, plan_card
from provisioning.card.writing import check_room, stock_kernel_line, write_card
from provisioning.clinic.box_folders import BoxFolder
from provisioning.clinic.box_verb import add_boxes
from provisioning.clinic.card_source import CardSource, ClinicSource
from provisioning.clinic.enrol_verb import add_enrol
from provisioning.clinic.folder import Folder
from provisioning.clinic.init_verb import add_passphrase
from provisioning.desk import FOLDER
from provisioning.errors import UsageError
from provisioning.passphrases import passphrase_of
from provisioning.report import Bar

_YES: Final = "yes"


def add_device(verb: argparse.ArgumentParser) -> None:
    """What ``device`` takes."""
    verb.description = "The clinic's boxes: enter one, make its card, take the key that it made, replace it."
    verbs = verb.add_subparsers(required=True, metavar="WHAT")
    add_boxes(verbs)
    add_enrol(verbs.add_parser("enrol", help="take the key that a box made at its first start"))
    card = verbs.add_parser("card", help="prepare the card of a box")
    card.description = (
        "Prepare a stock card of Raspberry Pi OS Lite (64-bit, trixie), so that it becomes this box when it is first "
        "switched on, without a network. What is written is shown first, and read back afterwards."
    )
    add = card.add_argument
    add("folder", metavar="CLINIC", type=Path, help="the clinic's folder; or, without NAME, a box's own (docs/card.md)")
    add("name", metavar="NAME", nargs="?", help="the box, as `device add` made it")
    add("--packages", metavar="FOLDER", type=Path, required=True, help="Sotto's package, and those it needs, for arm64")
    add("--arch", choices=MACHINES, default=PI, help=f"of the machine; a Raspberry Pi is {PI}")
    where = card.add_mutually_exclusive_group(required=True)
    where.add_argument("--image", metavar="FILE", type=Path, help="an unpacked stock image")
    where.add_argument(
        "--folder", dest="boot", metavar="BOOT", type=Path, help="the boot partition of a stock card, mounted"
    )
    where.add_argument("--to", metavar="DEVICE", type=Path, help="a stock card in a reader: /dev/sdx, /dev/mmcblk0")
    add(
        "--credentials", metavar="FILE", type=Path, help="the box's own way in to the remote, where it is not made here"
    )
    add_passphrase(card)
    add("--dry-run", action="store_true", help="show the plan, and touch nothing")
    add("--yes", action="store_true", help="do not ask")
    add("--json", action="store_true", help="print the plan as one JSON object; asks nothing, so it needs --yes")
    card.set_defaults(run=run_card, stopped="stopped; a card that was begun is of no use: prepare it again")


def run_card(arguments: argparse.Namespace) -> int:
    """``device card``.

    Raises:
        SottoError: something of the box does not hold, or the card is none, or it cannot be written.
    """
    source = _source(arguments)
    machine, box = read_machine(source.folder / "machine.toml"), read_box(source.folder, source.files)
    boot, target = _boot(arguments)
    plan = plan_card(
        machine,
        box,
        _packages(arguments.packages),
        instance=f"sotto-{secrets.token_hex(8)}",
        found_kernel_line=stock_kernel_line(boot),
        arch=arguments.arch,
    )
    check_room(plan, boot)
    if arguments.json:
        print(json.dumps(_plan_of(plan, machine.host_name, target, will_write=not arguments.dry_run) | source.told()))
    else:
        _show(plan, machine.host_name, target)
    if arguments.dry_run:
        return 0
    if not arguments.yes:
        _ask(target, can_ask=not arguments.json)
    source.note()
    bar = Bar(str(target), doing="writing")
    done = 0

    def seen(some: int) -> None:
        nonlocal done
        done += some
        bar.show(done, 2 * plan.size_bytes)

    try:
        write_card(plan, boot, seen=seen)
    finally:
        bar.clear()
    print(
        f"{target}: written, and read back; it becomes {machine.host_name} when it is first switched on",
        file=sys.stderr,
    )
    source.keep()
    if not arguments.json:
        print(*source.lines(), sep="\n", end="\n" if source.files else "")
    return 0


def _source(arguments: argparse.Namespace) -> CardSource:
    """Of what the card is made: of a folder that has it all, or of a box of the clinic's."""
    if arguments.name is None:
        return CardSource(arguments.folder)
    box = BoxFolder.of(Folder(arguments.folder), arguments.name)
    return ClinicSource.of(
        box,
        passphrase=passphrase_of(arguments.passphrase_file, what=FOLDER),
        clock=SystemClock(),
        credentials=arguments.credentials,
    )


def _boot(arguments: argparse.Namespace) -> tuple[Boot, Path]:
    if arguments.boot is not None:
        return FolderBoot(arguments.boot), arguments.boot
    if arguments.image is not None:
        if not arguments.image.is_file():
            raise UsageError(f"{arguments.image} is no file", "give a card with --to, a mounted one with --folder")
        return ImageBoot(arguments.image), arguments.image
    look_at(arguments.to).check()
    return ImageBoot(arguments.to), arguments.to


def _packages(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.deb"))


def _plan_of(plan: Plan, name: str, target: Path, *, will_write: bool) -> dict[str, object]:
    files = [{"name": file.name, "size_bytes": file.size_bytes, "secret": file.is_secret} for file in plan.files]
    return {"box": name, "target": str(target), "instance": plan.instance, "files": files, "will_write": will_write}


def _show(plan: Plan, name: str, target: Path) -> None:
    print(f"{name}, on the boot partition of {target}:")
    for file in plan.files:
        mark = "  secret: gone after the first start" if file.is_secret else ""
        print(f"{file.size_bytes:>12,}  {file.name}{mark}")
    print(f"{plan.size_bytes:>12,}  bytes in all; nothing else on the card is touched")


def _ask(target: Path, *, can_ask: bool) -> None:
    """Raises ``UsageError``: nobody is there to be asked, or they did not say yes."""
    if not can_ask or not sys.stdin.isatty():
        raise UsageError("nobody is there to say yes", "look at the plan with --dry-run, then give --yes")
    print(f"write this to {target}? ({_YES}/no) ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip() != _YES:
        raise UsageError("nothing was written", f"the answer was not {_YES!r}")
