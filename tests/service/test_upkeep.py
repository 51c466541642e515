"""Upkeep in the real service: it waits for everybody to be gone, and what it has to tell is on the status."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from device.capture.upkeep import Upkeep
from device.clock import PacedClock
from device.journal import to_nobody
from device.retention import Policy
from device.store import LIVED_NAME, Store
from tests.retained import add_receipt, add_recording, public_key
from tests.service.rooms import MakeBox
from tests.support import PATIENCE_S, store_at


def upkeep_of(store: Store, clock: PacedClock) -> Upkeep:
    policy = Policy(keep_days=0, warn_days=1)
    return Upkeep(store, key=public_key(store), policy=policy, clock=clock, boot="boot 1", journal=to_nobody)


@pytest.mark.parametrize("until", ["a recording runs", "its window is open"])
def test_retention_waits_until_no_recording_runs_and_no_window_is_open(
    make_box: MakeBox, tmp_path: Path, until: str
) -> None:
    store = store_at(tmp_path / "store")
    add_receipt(store, old := add_recording(store))
    box = make_box(store=store, upkeep=upkeep_of, max_length_min=5)
    box.begin()
    if until == "its window is open":
        box.end()
    box.pass_s(66)  # upkeep looks for the first time after a minute
    assert old in store.ids()
    assert not (store.path / LIVED_NAME).exists()
    if until == "a recording runs":
        box.end()
    for _ in range(20):  # and then every ten
        box.pass_s(30)
        if old not in store.ids():
            break
    assert box.status().state == "idle"
    until_s = time.monotonic() + PATIENCE_S
    while old in store.ids() and time.monotonic() < until_s:
        box.pass_s(5)
    box.stop()
    assert old not in store.ids()
    assert len(box.manifests()) == 1


def test_what_upkeep_has_to_tell_is_on_the_status(make_box: MakeBox, tmp_path: Path) -> None:
    store = store_at(tmp_path / "store")
    add_receipt(store, add_recording(store), digest="cd" * 32)
    box = make_box(store=store, upkeep=upkeep_of, speed=60)
    box.pass_s(70)
    seen = box.until(lambda status: status.warnings)
    assert seen.warnings[0][0] == "1 recording is different at the remote from what the box has"
    assert seen.state == "idle", "it keeps nothing from being recorded"
