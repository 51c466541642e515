"""``sotto update``: bring in a version, change over to it, and see where that is. Root's (docs/updates.md)."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any, Final

from device.clock import MICROSECONDS, SystemClock
from device.config import Config, load_config
from device.errors import AdminError, UpdateError
from device.fleet_status import UpdateTold
from device.orders import Order, check_names
from device.store import store_error
from device.updating import FACTS_NAME, Next, next_step, read_facts, version_of
from device.updating_box import Places, SystemdBox, do, own_version
from device.updating_order import MOST_FACTS_BYTES, names_of, offer_of, read_update
from device.updating_settle import Box, settle, stage
from device.updating_shelf import VersionShelf
from device.updating_trial import Patience

VERSIONS: Final = Path("/var/lib/sotto-versions")
RUN: Final = Path("/run/sotto-versions")
ROOT: Final = Path("/opt/sotto")
SERVICE: Final = "sotto-update.service"
_EXIT_DONE: Final = 0
_PIECE_BYTES: Final = 1 << 20


def add_verbs(verbs: Any) -> None:
    """Add the verb to the command line."""
    update = verbs.add_parser("update", help="bring in another version of Sotto, and change over to it")
    whats = update.add_subparsers(required=True, metavar="WHAT")
    for name, verb, text in (
        ("stage", _stage, "bring in the version of an order; it is used once nobody is near"),
        ("apply", _apply, "have the version that is staged used, as soon as nobody is near"),
        ("settle", _settle, f"what {SERVICE} does: wait, change over, look, and settle it"),
        ("status", _status, "show which version runs, which is settled, and what is staged"),
    ):
        what = whats.add_parser(name, help=text)
        what.set_defaults(verb=verb)
        if name != "status":
            what.add_argument("--config", type=Path, required=True, metavar="FILE")
        if name == "stage":
            what.add_argument("order", type=Path, metavar="FILE", help="the order, as the clinic's desk made it")
            what.add_argument("--later", action="store_true", help="do not apply it yet")
        if name == "status":
            what.add_argument("--json", action="store_true", help="print everything as JSON")
        if name == "settle":
            _add_patience(what)


def stage_file(config: Config, order: Path) -> str:
    """Bring in the version of an order; which one it is. It is not used yet.

    Raises:
        SottoError: this box does not take it, or it cannot be written; nothing has changed then.
    """
    clinic_key = config.recipients.clinic_key
    if clinic_key is None:
        raise UpdateError("this box does not know the clinic's key", "set recipients.clinic_key, from clinic.pub")
    shelf, box = _shelf(), _box(config)
    try:
        with order.open("rb") as source:
            offer, pieces = read_update(
                source, clinic_key=bytes.fromhex(clinic_key), box=config.box.name, last=shelf.state().order
            )
            return stage(shelf, box, offer, pieces).version
    except OSError as problem:
        raise store_error(problem, "the order cannot be read") from problem


def stage_members(config: Config, order: Order, folder: Path) -> None:
    """Bring in the version of an order whose members lie in a folder, verified; and have it tried. Raises as above."""
    bring_in(order, folder, shelf=_shelf(), box=_box(config))
    start_applying()


def bring_in(order: Order, folder: Path, *, shelf: VersionShelf, box: Box) -> None:
    """The same for a given shelf, and nothing is tried yet. Raises as above."""
    try:
        facts = read_facts((folder / FACTS_NAME).read_bytes()[:MOST_FACTS_BYTES])
        check_names(order, names_of(facts))
        if shelf.state().order == order.number:
            return  # it was taken, and a cut came before anybody was told
        with (folder / facts.image).open("rb") as image:
            pieces = iter(lambda: image.read(_PIECE_BYTES), b"")
            stage(shelf, box, offer_of(order, facts, order.files[1]), pieces)
    except OSError as problem:
        raise store_error(problem, "the version cannot be brought in") from problem


def start_applying() -> None:
    """Have systemd look after the version that is staged; returns at once. Raises ``UpdateError``."""
    do("start", "--no-block", SERVICE)


def update_told() -> UpdateTold | None:
    """The version that came and is not settled, if there is one. Anybody may ask. Raises ``SottoError``."""
    shelf = _shelf()
    staged, now = shelf.state().staged, shelf.now()
    if staged is None or staged.image == shelf.current():
        return None
    return UpdateTold(
        version=staged.version, on_trial=staged.failed is None and now == staged.image, failed=staged.failed
    )


def status_of() -> dict[str, Any]:
    """Where the update is: for the page, the desk and people."""
    shelf = _shelf()
    state, current, now = shelf.state(), shelf.current(), shelf.now()
    return {
        "runs": own_version(),
        "settled": None if current is None else version_of(current),
        "mounted": None if now is None else version_of(now),
        "on_trial": shelf.is_trial(),
        "order": state.order,
        "staged": None if state.staged is None else state.staged.model_dump(mode="json"),
        "next": str(next_step(state, current=current)),
    }


def _stage(options: argparse.Namespace) -> int:
    _check_root()
    version = stage_file(load_config(options.config), options.order)
    if not options.later:
        start_applying()
    _say(f"version {version} is staged" + ("" if options.later else "; it is used once nobody is near"))
    return _EXIT_DONE


def _apply(options: argparse.Namespace) -> int:
    _check_root()
    load_config(options.config)
    if next_step(_shelf().state(), current=_shelf().current()) is not Next.TRY:
        raise UpdateError("there is nothing to apply", "`sotto update status` says what there is")
    start_applying()
    _say("it is used once nobody was near for a quarter of an hour; `sotto update status` shows when")
    return _EXIT_DONE


def _settle(options: argparse.Namespace) -> int:
    _check_root()
    patience = Patience(*(int(s * MICROSECONDS) for s in (options.quiet_s, options.well_s, options.most_s)))
    settle(_shelf(), _box(load_config(options.config)), SystemClock(), patience=patience, say=_say)
    return _EXIT_DONE


def _status(options: argparse.Namespace) -> int:
    told = status_of()
    if options.json:
        _say(json.dumps(told, indent=2))
        return _EXIT_DONE
    _say(f"runs {told['runs']}; settled: {told['settled'] or 'that of the package'}")
    if told["on_trial"]:
        _say(f"on trial: {told['mounted']}")
    staged = _shelf().state().staged
    if staged is not None:
        _say(f"staged: {staged.version}" + (f", given up: {staged.failed}" if staged.failed else ""))
    return _EXIT_DONE


def _shelf() -> VersionShelf:
    return VersionShelf(VERSIONS, RUN)


def _box(config: Config) -> SystemdBox:
    page = config.web.port if config.web.nginx is None else config.web.nginx.socket
    return SystemdBox(Places(root=ROOT, status=config.box.run, page=page))


def _add_patience(settle_: argparse.ArgumentParser) -> None:
    patience = Patience()
    for name, default_us, text in (
        ("--quiet-s", patience.quiet_us, "how long nobody has to have been near"),
        ("--well-s", patience.well_us, "how long all has to be well"),
        ("--most-s", patience.most_us, "how long that may take before it goes back"),
    ):
        settle_.add_argument(name, type=float, metavar="S", default=default_us / MICROSECONDS, help=text)


def _check_root() -> None:
    if os.geteuid() != 0:
        raise AdminError("only root changes the version of a box", "try it with sudo")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
