"""``sotto wishes`` and ``sotto erase``: what people ask for on the page, what lies beside no recording, and erasing it
at the box itself.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from device import compose
from device.clock import SystemClock, boot_id, stamp
from device.config import load_config
from device.recording import is_recording_id
from device.retention_verb import check_user
from device.store import StoreReader
from device.waiting import order_erased, read_waiting, waits_still
from device.wishes import grant_deletion, wishes_of

_EXIT_DONE = 0


def add_verbs(verbs: Any) -> None:
    """Add the verbs to the command line."""
    wishes = verbs.add_parser("wishes", help="show what is asked for which recording, and what lies beside none")
    wishes.add_argument("--config", type=Path, required=True, metavar="FILE")
    wishes.add_argument("--json", action="store_true", help="print everything as JSON")
    wishes.set_defaults(verb=_wishes)
    erase = verbs.add_parser("erase", help="erase what is asked to be deleted, here and at the remote")
    erase.add_argument(
        "what", metavar="ID", help="of a recording; or the name of a label, note or measure that lies beside none"
    )
    erase.add_argument("--config", type=Path, required=True, metavar="FILE")
    erase.set_defaults(verb=_erase)


def _wishes(options: argparse.Namespace) -> int:
    store = StoreReader(load_config(options.config).store.path)
    asked = [wished for one in store.ids() for wished in wishes_of(store.folder(one))]
    now = stamp(SystemClock(), boot_id())
    left = [one for one in read_waiting(store.path) if not waits_still(one, now)]
    if options.json:
        shown = [one.model_dump(mode="json", include={"name", "kind", "by", "sealed", "clock_trusted"}) for one in left]
        _say(json.dumps({"wishes": [one.model_dump(mode="json") for one in asked], "left": shown}, indent=2))
        return _EXIT_DONE
    for wished in asked:
        moment = _moment(wished.asked, trusted=wished.clock_trusted)
        _say(f"{wished.recording}  {wished.wish:8}  asked {moment}, by {wished.by}")
    for one in left:
        _say(f"{one.name}  beside no recording, given {_moment(one.sealed, trusted=one.clock_trusted)}, by {one.by}")
    _say("1 wish" if len(asked) == 1 else f"{len(asked)} wishes")
    return _EXIT_DONE


def _erase(options: argparse.Namespace) -> int:
    config = load_config(options.config)
    check_user(config.store.path)
    if is_recording_id(options.what) or not options.what.endswith(".age"):
        grant_deletion(compose.store_of(config), options.what)
        when = "within ten minutes, or when it starts"
    else:
        order_erased(config.store.path, options.what, now=stamp(SystemClock(), boot_id()))
        when = "within ten minutes while it runs"
    _say(f"{options.what} is marked: the capture service erases it {when}")
    return _EXIT_DONE


def _moment(wall: str, *, trusted: bool) -> str:
    return wall if trusted else f"{wall} (clock not set)"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
