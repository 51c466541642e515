"""``sotto retention``, ``sotto hold`` and ``sotto release``: what may go from the box and why, and what has to stay."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from device import compose
from device.claim import claimed, other_writer
from device.clock import Clock, SystemClock, boot_id, stamp
from device.config import Config, load_config
from device.datagrams import somebody_listens
from device.devicekey import load_or_make_device_key
from device.errors import AdminError
from device.lived import Reading, step
from device.requests import REQUESTS_NAME
from device.retaining import Survey, carry_out, survey
from device.retention import policy_of
from device.store import Store, StoreReader

_EXIT_DONE = 0


def add_verbs(verbs: Any) -> None:
    """Add the verbs to the command line."""
    retention = verbs.add_parser(
        "retention", help="erase the recordings that retention lets go, or show which those are"
    )
    retention.add_argument("--config", type=Path, required=True, metavar="FILE")
    retention.add_argument("--dry-run", action="store_true", help="change nothing; works while the box runs, too")
    retention.add_argument("--json", action="store_true", help="print everything as JSON")
    retention.set_defaults(verb=_retention)
    for name, verb, text in (
        ("hold", _hold, "hold a recording for research: retention lets it be"),
        ("release", _release, "hold a recording no longer"),
    ):
        one = verbs.add_parser(name, help=text)
        one.add_argument("recording", metavar="ID", help="from the list of recordings")
        one.add_argument("--config", type=Path, required=True, metavar="FILE")
        one.set_defaults(verb=verb)


def _retention(options: argparse.Namespace) -> int:
    config, clock = load_config(options.config), SystemClock()
    if options.dry_run:
        found = _look(config, StoreReader(config.store.path), clock)
        _tell(found, [decision.recording for decision in found.decisions if decision.erase], options)
        return _EXIT_DONE
    if somebody_listens(config.box.run / REQUESTS_NAME):
        raise AdminError(
            "the capture service runs, and erases by itself what retention lets go",
            "--dry-run shows what that would be; nothing has to be done",
        )
    with claimed(config.store.path, otherwise=other_writer()):
        check_user(config.store.path)
        store = compose.store_of(config)
        found = _look(config, store, clock)
        store.write_lived(found.lived)
        at, key = stamp(clock, boot_id()), _public_key(config.box.device_key)
        gone = [one.recording for one in found.decisions if carry_out(store, one, key=key, at=at, go_on=lambda: True)]
    _tell(found, gone, options)
    return _EXIT_DONE


def _look(config: Config, store: StoreReader, clock: Clock) -> Survey:
    """Survey the store as the capture service would at this moment; nothing is written."""
    key = _public_key(config.box.device_key)
    wall_us = round(clock.utc().timestamp() * 1_000_000)
    reading = Reading(boot_id(), clock.now_us(), wall_us, clock.trusted())
    lived = step(None if key is None else store.read_lived(key), reading)
    return survey(store, lived, policy=policy_of(config), key=key)


def _public_key(path: Path) -> bytes | None:
    """The box's public key; ``None`` where the box has none yet, and so nothing that it has signed."""
    return load_or_make_device_key(path).public_key().public_bytes_raw() if path.exists() else None


def _tell(found: Survey, going: list[str], options: argparse.Namespace) -> None:
    if options.json:
        decisions = [asdict(decision) for decision in found.decisions]
        shown = {"dry_run": options.dry_run, "erased": [] if options.dry_run else going, "decisions": decisions}
        _say(json.dumps(shown, indent=2, ensure_ascii=False))
        return
    for decision in found.decisions:
        what = "erase" if decision.recording in going else "keep"
        _say(f"{decision.recording}  {what:5}  {decision.why}")
        if decision.warning is not None:
            _say(f"{'':17}  {'look':5}  {decision.warning}")
    done = "would be erased" if options.dry_run else "erased"
    _say(f"{len(going)} of {len(found.decisions)} {done}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _hold(options: argparse.Namespace) -> int:
    config = load_config(options.config)
    _writable(config).hold(options.recording, at=stamp(SystemClock(), boot_id()))
    _say(f"{options.recording} is held for research")
    return _EXIT_DONE


def _release(options: argparse.Namespace) -> int:
    config = load_config(options.config)
    _writable(config).release(options.recording)
    _say(f"{options.recording} is not held any more")
    return _EXIT_DONE


def _writable(config: Config) -> Store:
    check_user(config.store.path)
    return compose.store_of(config)


def check_user(store: Path) -> None:
    """What another user wrote there the capture service could neither read nor overwrite."""
    try:
        owner = store.stat().st_uid
    except OSError as problem:
        reason = problem.strerror or "unknown error"
        raise AdminError(f"the store cannot be used: {reason}", "check store.path in the configuration") from problem
    if owner != os.geteuid():
        raise AdminError("this is not the user to whom the store belongs", "run it as that user (sotto-capture)")
