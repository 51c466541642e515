"""``sotto wishes`` and ``sotto erase``: what people ask for on the page, and granting a deletion at the box itself."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from device import compose
from device.config import load_config
from device.retention_verb import check_user
from device.store import StoreReader
from device.wishes import grant_deletion, wishes_of

_EXIT_DONE = 0


def add_verbs(verbs: Any) -> None:
    """Add the verbs to the command line."""
    wishes = verbs.add_parser("wishes", help="show for which recordings somebody asks for a copy or a deletion")
    wishes.add_argument("--config", type=Path, required=True, metavar="FILE")
    wishes.add_argument("--json", action="store_true", help="print everything as JSON")
    wishes.set_defaults(verb=_wishes)
    erase = verbs.add_parser("erase", help="erase a recording whose deletion is asked for, here and at the remote")
    erase.add_argument("recording", metavar="ID", help="from the list of recordings")
    erase.add_argument("--config", type=Path, required=True, metavar="FILE")
    erase.set_defaults(verb=_erase)


def _wishes(options: argparse.Namespace) -> int:
    store = StoreReader(load_config(options.config).store.path)
    asked = [wished for one in store.ids() for wished in wishes_of(store.folder(one))]
    if options.json:
        _say(json.dumps([wished.model_dump(mode="json") for wished in asked], indent=2))
        return _EXIT_DONE
    for wished in asked:
        moment = f"{wished.asked}{'' if wished.clock_trusted else ' (clock not set)'}"
        _say(f"{wished.recording}  {wished.wish:8}  asked {moment}, by {wished.by}")
    _say("1 wish" if len(asked) == 1 else f"{len(asked)} wishes")
    return _EXIT_DONE


def _erase(options: argparse.Namespace) -> int:
    config = load_config(options.config)
    check_user(config.store.path)
    grant_deletion(compose.store_of(config), options.recording)
    _say(f"{options.recording} is marked: the capture service erases it within ten minutes, or when it starts")
    return _EXIT_DONE


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
