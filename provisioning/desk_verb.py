"""``sotto-clinic desk``: makes the clinic's own desk, and shows its key and how far its log goes."""

from __future__ import annotations

import argparse
import json
from itertools import islice
from pathlib import Path

from device.audit import head_of, newest_entries
from device.clock import SystemClock
from device.recording.chain import AUDIT_NAME
from device.recording.signing import fingerprint
from provisioning.desk import make_desk, public_key

_LAST: int = 20


def add_desk(verb: argparse.ArgumentParser) -> None:
    """What ``desk`` takes."""
    verbs = verb.add_subparsers(required=True)
    new = verbs.add_parser("new", help="make a desk: a folder with a signing key and an audit log of its own")
    new.add_argument("folder", metavar="DESK", type=Path, help="new folder, which only you can read")
    new.set_defaults(run=run_new)
    show = verbs.add_parser("show", help="show a desk's key, and the end of its log")
    show.add_argument("folder", metavar="DESK", type=Path, help="the desk's folder")
    show.add_argument("--last", metavar="N", type=int, default=_LAST, help=f"so many entries (default: {_LAST})")
    show.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    show.set_defaults(run=run_show)


def run_new(arguments: argparse.Namespace) -> int:
    """``desk new``. Raises ``SottoError``."""
    key = make_desk(arguments.folder, SystemClock())
    print(f"desk: {arguments.folder}", f"key: {key}", "keep a copy of it, apart", sep="\n")
    return 0


def run_show(arguments: argparse.Namespace) -> int:
    """``desk show``: nothing is verified here. Raises ``SottoError``."""
    key = fingerprint(public_key(arguments.folder))
    folder = arguments.folder / AUDIT_NAME
    head, entries = head_of(folder), list(islice(newest_entries(folder), max(0, arguments.last)))[::-1]
    if arguments.json:
        print(json.dumps({"key": key, "head": str(head), "entries": entries}))
        return 0
    print(f"key: {key}")
    for entry in entries:
        recording = f", {entry['recording']}" if "recording" in entry else ""
        print(f"{entry['number']:>7}  {entry['at']}  {entry['what']}{recording}")
    print(f"head: {head}")
    return 0
