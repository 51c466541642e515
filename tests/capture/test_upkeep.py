"""What the box does for its store while nobody is there, and that it does nothing while somebody is."""

from __future__ import annotations

import errno
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from device.capture.upkeep import warnings_of
from device.clock import stamp
from device.lived import DAY_US, HOUR_US, MOST_OFF_US
from device.recording import ERASED_NAME, SESSION_NAME, WITHDRAWN_NAME
from device.recording.beside import Kind
from device.recording.signing import verify
from device.retention import Policy
from device.store import LIVED_NAME, Store
from device.waiting import order_erased
from device.words import By
from tests.retained import HEAD, FreeClock, Kept, add_receipt, add_recording
from tests.support import store_at

POLICY = Policy(keep_days=30, warn_days=14)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return store_at(tmp_path / "store")


def synced(kept: Kept) -> str:
    recording_id = add_recording(kept.store, boot=f"boot {kept.boot}", started_us=kept.clock.monotonic_us)
    add_receipt(kept.store, recording_id)
    kept.work()
    return recording_id


def test_a_synced_recording_goes_when_its_days_are_over_and_not_before(store: Store) -> None:
    kept = Kept(store, POLICY)
    recording_id = synced(kept)
    kept.days(29)
    kept.clock.run(23 * HOUR_US)
    kept.work()
    assert store.ids() == [recording_id]
    kept.clock.run(HOUR_US)
    kept.work()
    assert store.ids() == []
    certificate = verify("erase certificate", (store.path / ERASED_NAME / f"{recording_id}.json").read_bytes())
    assert certificate.payload["by"] == "retention"
    assert kept.told == [f"{recording_id} is erased by retention: its copy at clinic is verified, known for 30 days"]


def test_the_same_where_the_box_is_switched_off_every_night_and_its_clock_comes_late(store: Store) -> None:
    kept = Kept(store, POLICY)
    recording_id = synced(kept)
    for day in range(1, 32):
        kept.clock.run(9 * HOUR_US)
        kept.work()
        kept.switched_off(14 * HOUR_US)
        kept.clock.is_trusted = False
        kept.work()
        kept.clock.is_trusted = True
        kept.clock.run(10 * 60_000_000)
        kept.work()
        kept.clock.run(HOUR_US)
        kept.work()
        assert (store.ids() == [recording_id]) == (day < 30), f"day {day}"


@pytest.mark.parametrize("years", [1, 40, -30])
def test_a_clock_that_jumps_while_it_runs_deletes_nothing(store: Store, years: int) -> None:
    kept = Kept(store, POLICY)
    synced(kept)
    kept.clock.wall += timedelta(days=365 * years)
    for _ in range(20):
        kept.clock.run(HOUR_US)
        kept.work()
    kept.switched_off(0)
    kept.days(28)
    assert len(store.ids()) == 1


@pytest.mark.parametrize("years", [1, 40, -10])
def test_a_clock_that_jumps_between_two_boots_deletes_nothing(store: Store, years: int) -> None:
    kept = Kept(store, POLICY)
    synced(kept)
    for sign in (1, -1, 1, -1):
        kept.switched_off(0)
        kept.clock.wall += timedelta(days=365 * years * sign)
        kept.work()
    kept.days(28)
    assert len(store.ids()) == 1


def test_lost_or_damaged_lived_time_only_makes_things_younger(store: Store) -> None:
    kept = Kept(store, POLICY)
    synced(kept)
    kept.days(29)
    (store.path / LIVED_NAME).write_bytes(b"{}")
    kept.days(29)
    assert len(store.ids()) == 1
    kept.days(2)
    assert store.ids() == []


def test_without_retention_nothing_is_ever_deleted(store: Store) -> None:
    kept = Kept(store, None)
    synced(kept)
    for _ in range(100):
        kept.switched_off(MOST_OFF_US)
        kept.work()
    assert len(store.ids()) == 1
    assert kept.upkeep.warnings == ()


def test_what_is_old_and_not_synced_is_told_on_the_page_and_stays(store: Store) -> None:
    kept = Kept(store, POLICY)
    for _ in range(2):
        add_recording(store, started_us=kept.clock.monotonic_us)
    kept.work()
    kept.days(13)
    assert kept.upkeep.warnings == ()
    kept.days(60)
    ((what, hint),) = kept.upkeep.warnings
    assert what == "2 recordings are older than retention expects and not synced"
    assert "nothing is deleted before a copy is verified" in hint
    assert len(store.ids()) == 2


def test_a_copy_that_differs_is_told_on_the_page(store: Store) -> None:
    kept = Kept(store, POLICY)
    add_receipt(store, add_recording(store), digest="cd" * 32)
    kept.work()
    ((what, _),) = kept.upkeep.warnings
    assert what == "1 recording is different at the remote from what the box has"
    assert warnings_of(()) == ()


# -- what waited in vain ----------------------------------------------------------------------------------------------


def given(kept: Kept) -> Path:
    """Somebody gave a measure, and no recording came."""
    at = stamp(kept.clock, f"boot {kept.boot}")
    return kept.waiting.folder / kept.waiting.put(Kind.MEASURE, b"sealed", by="a" * 12, at=at)


@pytest.mark.parametrize("policy", [None, Policy(warn_days=1), POLICY, Policy(keep_days=0)])
def test_what_found_no_recording_is_told_from_three_hours_on_and_retention_never_takes_it(
    store: Store, policy: Policy | None
) -> None:
    """It was never synced, so it is nowhere else (promise P6)."""
    kept = Kept(store, policy)
    path = given(kept)
    kept.clock.run(3 * HOUR_US)
    kept.work()
    assert kept.upkeep.warnings == ()
    kept.clock.run(HOUR_US)
    kept.work()
    ((what, hint),) = kept.upkeep.warnings
    assert what == "1 label, note or measure lies beside no recording"
    assert "sotto erase" in hint
    for _ in range(100):
        kept.switched_off(MOST_OFF_US)
        kept.work()
    assert path.exists()
    assert kept.noted == []


def test_by_order_it_goes_and_is_noted_first(store: Store) -> None:
    kept = Kept(store, POLICY)
    path = given(kept)
    kept.clock.run(4 * HOUR_US)
    order_erased(store.path, path.name, now=stamp(kept.clock, f"boot {kept.boot}"))
    kept.notes = False
    kept.work()
    assert path.exists(), "what cannot be noted is not erased"
    kept.notes, kept.there = True, True
    kept.work()
    assert path.exists(), "somebody is there"
    kept.there = False
    kept.work()
    assert not path.exists()
    assert [(one.what, one.by, one.facts) for one in kept.noted] == [("erased", "clinic", {"attachment": "measure"})]
    assert kept.told == ["a measure that found no recording is erased by order"]
    assert kept.upkeep.warnings == ()


# -- erasures that were not finished ----------------------------------------------------------------------------------


def test_a_withdrawn_recording_that_could_not_be_erased_is_erased_at_the_next_round(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Kept(store, None)
    recording_id = add_recording(store)
    store.mark_withdrawn(recording_id)
    with monkeypatch.context() as patched:

        def fail(*_: Any, **__: Any) -> None:
            raise OSError(errno.EIO, "Input/output error")

        patched.setattr(os, "mkdir", fail)
        kept.work()
    assert HEAD not in b"".join(path.read_bytes() for path in store.path.rglob("*") if path.is_file())
    ((what, hint),) = kept.upkeep.warnings
    assert what == "the store failed: a recording could not be erased: Input/output error"
    assert "tries again by itself" in hint
    kept.work()
    assert store.ids() == []
    assert kept.upkeep.warnings == ()
    assert kept.told[-1] == f"{recording_id} is erased now"


def test_one_that_could_not_even_be_marked_is_not_forgotten(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept(store, None)
    recording_id = add_recording(store)
    store.erasing.owed[recording_id] = By.CLIENT  # as an erasure leaves it that found no room for a name
    assert not (store.folder(recording_id) / WITHDRAWN_NAME).exists()
    kept.work()
    assert store.ids() == []


def test_an_erasure_stops_at_its_next_piece_when_somebody_comes_and_goes_on_when_they_are_gone(store: Store) -> None:
    kept = Kept(store, Policy(keep_days=0))
    recording_id = add_recording(store)
    add_receipt(store, recording_id)
    sealed = store.folder(recording_id) / SESSION_NAME
    sealed.write_bytes(HEAD + bytes(9 << 20))
    asked = 0

    def may_work() -> bool:
        nonlocal asked
        asked += 1
        return asked <= 3

    kept.upkeep._may_work = may_work
    kept.work()
    assert 0 < sealed.stat().st_size < 9 << 20
    asked = -100
    kept.work()
    assert store.ids() == []


def test_a_store_that_stalls_is_given_up_politely(store: Store) -> None:
    kept = Kept(store, Policy(keep_days=0))
    for _ in range(3):
        add_receipt(store, add_recording(store))

    class Stalling(FreeClock):
        def now_us(self) -> int:
            self.run(6_000_000)  # each step takes six seconds
            return self.monotonic_us

    kept.upkeep._clock = Stalling(kept.clock.monotonic_us)
    kept.work()
    assert len(store.ids()) == 3


def test_a_store_that_is_not_there_is_told_and_looked_for_again(store: Store) -> None:
    kept = Kept(store, POLICY)
    store.path.rmdir()
    kept.work()
    assert kept.told == ["the store failed: it cannot be listed: No such file or directory"]
    assert kept.upkeep.warnings[0][1]
    store.path.mkdir()
    kept.work()
    assert kept.upkeep.warnings == ()


def test_a_mistake_of_the_program_is_told_and_ends_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept(store, POLICY)
    monkeypatch.setattr(Store, "going", lambda _store: 1 / 0)
    kept.work()
    assert "ZeroDivisionError" in kept.told[0]
    assert "recordings are safe" in kept.upkeep.warnings[0][1]


def test_nothing_is_done_while_somebody_is_there(store: Store) -> None:
    kept = Kept(store, Policy(keep_days=0))
    add_receipt(store, add_recording(store))
    kept.there = True
    kept.upkeep.start(may_work=lambda: not kept.there)
    kept.clock.run(DAY_US)
    assert kept.upkeep._thread.is_alive()
    kept.upkeep.stop(patience_s=10)
    assert not kept.upkeep._thread.is_alive()
    assert len(store.ids()) == 1
    assert not (store.path / LIVED_NAME).exists()
