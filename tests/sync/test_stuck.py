"""Recordings that do not get to the clinic for days: sync says so, the page says so, and the lamp in the room does."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from device.capture.upkeep import Upkeep
from device.config import parse_config
from device.devicekey import load_or_make_device_key
from device.lived import DAY_US, Lived
from device.panel_language import Colour, Pattern
from device.retention import Policy, policy_of
from device.status import LampStatus
from device.store import Store
from device.sync_status import SyncState
from device.web.says import says
from tests.retained import public_key
from tests.service.rooms import RATE_HZ, wav_of
from tests.support import build_box, noise
from tests.sync.conftest import MakeWorld, Recorded
from tests.sync.world import CONFIG, World


def grow_old(store: Store, days: int) -> None:
    """So much time has been lived since the recordings were seen first."""
    seen = dict.fromkeys(store.ids(), 0)
    store.write_lived(Lived(boot="another", monotonic_us=0, lived_us=days * DAY_US, seen=seen))


def away(here: World) -> None:
    here.server.kill()
    here.turn(2)


@pytest.mark.parametrize(("days", "stuck"), [(2, False), (3, True)])
def test_sync_says_that_it_is_stuck_from_the_third_day_on_and_until_it_is_not(
    make_world: MakeWorld, *, days: int, stuck: bool
) -> None:
    here = make_world()
    grow_old(here.store, days)
    away(here)
    assert here.published[-1].stuck == stuck
    here.server.start()
    assert not here.synced().stuck
    assert here.published[-1].state is SyncState.IDLE


@pytest.mark.parametrize(
    ("more", "policy"),
    [
        ("", Policy(warn_days=3)),
        ("stuck_days = 5", Policy(warn_days=5)),
        ("stuck_days = 5\n[retention]\nkeep_days = 30", Policy(keep_days=30, warn_days=5)),
        ("stuck_days = 5\n[retention]\nwarn_days = 14", Policy(warn_days=14)),
    ],
)
def test_capture_warns_by_the_same_days_unless_retention_names_others(more: str, policy: Policy) -> None:
    assert policy_of(parse_config(CONFIG.format(folder="/box", remote="/clinic", more=more))) == policy


@pytest.mark.parametrize(("days", "told"), [(2, False), (3, True)])
def test_the_lamp_in_the_room_and_the_page_say_so_and_a_session_is_as_ever(
    recorded: Recorded, tmp_path: Path, *, days: int, told: bool
) -> None:
    folder = tmp_path / "box"
    shutil.copytree(recorded.folder, folder)
    store = Store(folder / "store", device_key=load_or_make_device_key(folder / "device.key"))
    grow_old(store, days)
    wink = LampStatus(colour=Colour.WHITE, pattern=Pattern.WINK_ONE, beats_ms=Pattern.WINK_ONE.beats_ms)
    dark = LampStatus(colour=Colour.NONE, pattern=Pattern.OFF, beats_ms=())

    def upkeep(store: Store, clock: object) -> Upkeep:
        return Upkeep(
            store,
            key=public_key(store),
            policy=Policy(warn_days=3),
            clock=clock,  # type: ignore[arg-type]
            boot="this",
            journal=lambda _entry: None,
        )

    box = build_box(
        store=store, wav=wav_of(tmp_path, noise(3, rate_hz=RATE_HZ, channels=1, bits=16, quieter=4)), upkeep=upkeep
    )
    try:
        box.pass_s(70)  # it looks a minute after the start
        box.until(lambda _status: store.read_lived(public_key(store)).boot == "this")  # type: ignore[union-attr]
        if told:
            status = box.until(lambda status: status.panel.lamps == (dark, wink))
            assert any("not synced" in wrong.what for wrong in says(status, stale=False).wrong)
            assert "4 seconds" in says(status, stale=False).lamps[1]
        else:
            status = box.status()
            assert status.panel.lamps[1].pattern == Pattern.DIM
        assert (status.state, status.faults, status.panel.room_light) == ("idle", (), False)
        assert box.begin().panel.lamps == (dark, dark)
        box.end()
    finally:
        box.stop()
