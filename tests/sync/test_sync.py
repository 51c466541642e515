"""Sync from a closed recording to its receipt: real recordings, a real remote, capture's real answers."""

from __future__ import annotations

import json
import os
import shutil
import stat
import time
from collections.abc import Iterator

import pytest

from device.clock import Stamp
from device.compose_remote import desks_of
from device.recording import ERASE_ORDERS_NAME, MANIFEST_NAME, RECEIPTS_NAME, SESSION_NAME
from device.recording.beside import Wish
from device.recording.chain import Head
from device.recording.erasure import ORDER_KIND
from device.recording.layout import ORDER_NAME
from device.recording.manifest import RecordingState
from device.recording.receipt import proving
from device.recording.signing import verify
from device.recording.wished import read_wish
from device.remote import Remote
from device.sync_status import SyncState
from device.wishes import take_back_wish, write_wish
from device.words import By, Fate
from tests.sync.conftest import MakeWorld, Recorded
from tests.sync.world import ROOM, Handing, Meddling, Refusing, World

LABEL = "attachments/label.age"
AWAY = "the capture service does not answer, so nothing is sent"


@pytest.fixture(autouse=True)
def _clock_on_the_wall(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The room is where its clock says UTC, wherever the tests run."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def is_proven(here: World, recording_id: str) -> bool:
    listed, receipt = here.store.find(recording_id), here.receipt(recording_id)
    assert listed is not None
    manifest = listed.manifest
    return receipt is not None and bool(proving([receipt], digest=manifest.digest, size_bytes=manifest.size_bytes))


def test_every_recording_gets_to_the_remote_is_read_again_and_signed_for(
    make_world: MakeWorld, recorded: Recorded
) -> None:
    here = make_world()
    assert here.synced().last_success is not None
    for listed in here.store.listing():
        manifest = listed.manifest
        assert is_proven(here, manifest.id)
        receipt = here.receipt(manifest.id)
        assert receipt is not None
        assert receipt.folder == here.place(manifest.id)
        assert set(receipt.beside) == {MANIFEST_NAME} == here.held_of(manifest.id) - {SESSION_NAME}
        there = here.server.maker.path / here.place(manifest.id)
        for name in (SESSION_NAME, MANIFEST_NAME):
            assert (there / name).read_bytes() == (here.store.folder(manifest.id) / name).read_bytes()
    # sound alone and what has a bookmark go before the rest
    assert [recording for recording, _ in here.noted()] == [recorded.sound, recorded.starred, recorded.picture]
    assert {state for _, state in here.noted()} == {"verified"}


def test_what_is_synced_is_left_alone(make_world: MakeWorld) -> None:
    here = make_world()
    here.synced()
    kept: list[Handing] = []

    def watched(remote: Remote) -> Remote:
        kept.append(Handing(remote))
        return kept[0]

    here.restart(watched)
    here.turn(4)
    assert kept[0].puts == []


def test_the_newest_line_of_the_audit_log_goes_along(make_world: MakeWorld, recorded: Recorded) -> None:
    here = make_world()
    here.synced()
    lines = {name: path for name, path in here.server._files() if "/audit/" in name}
    # the first recording's receipt is the first entry there is: what goes along with the second is that
    assert sorted(lines) == [f"practice/room-3/audit/{number:08d}.json" for number in (1, 2)]
    log = b"".join(path.read_bytes() for path in sorted((here.store.path / "audit").iterdir()))
    for place, line in enumerate(log.splitlines(keepends=True)[:2], start=1):
        assert lines[f"practice/room-3/audit/{place:08d}.json"].read_bytes() == line
        assert Head().after(line).number == 1
        assert verify("audit", line).payload["number"] == place


# -- what may leave the room ------------------------------------------------------------------------------------------


def test_a_recording_whose_window_is_open_stays_in_the_room_until_it_closes(
    make_world: MakeWorld, recorded: Recorded
) -> None:
    here = make_world()
    here.window(recorded.sound)
    here.turn(6)
    assert here.held_of(recorded.sound) == set()
    assert here.held_of(recorded.picture)
    here.window(recorded.sound, left_s=0.0)
    here.turn(2)
    assert is_proven(here, recorded.sound)


def test_an_open_recording_is_never_touched(make_world: MakeWorld, recorded: Recorded) -> None:
    here = make_world(only=recorded.sound)
    listed = here.store.find(recorded.sound)
    assert listed is not None
    here.store.write_manifest(listed.manifest.model_copy(update={"state": RecordingState.OPEN, "digest": None}))
    assert here.turn(3).waiting == 0
    assert here.held() == {}


@pytest.mark.parametrize("by", list(By))
def test_a_recording_that_somebody_wants_erased_never_leaves(make_world: MakeWorld, recorded: Recorded, by: By) -> None:
    here = make_world(only=recorded.sound)
    names = {By.CLIENT: "withdrawn", By.THERAPIST: "erase.therapist", By.RETENTION: "erase.retention"}
    (here.store.folder(recorded.sound) / names[by]).touch()
    here.turn(3)
    assert here.held() == {}


def test_nothing_leaves_while_capture_says_nothing(make_world: MakeWorld) -> None:
    here = make_world()
    here.capture_is_there = False
    here.clock.run(60_000_000)
    status = here.turn(3)
    assert (status.state, status.trouble is not None and status.trouble[0]) == (SyncState.WAITING, AWAY)
    assert here.held() == {}
    here.capture_is_there = True
    assert here.synced().trouble is None
    assert here.held()


def test_a_capture_that_goes_away_stops_what_is_under_way(make_world: MakeWorld, recorded: Recorded) -> None:
    here = make_world(only=recorded.picture)

    def gone() -> None:
        here.capture_is_there = False
        here.clock.run(60_000_000)

    here.restart(lambda remote: Meddling(remote, at="put", act=gone))
    here.turn(2)
    assert here.held() == {}
    here.capture_is_there = True
    here.synced()
    assert is_proven(here, recorded.picture)


# -- withdrawal and erase orders --------------------------------------------------------------------------------------


def test_withdrawn_before_it_was_sent_it_never_arrives_and_the_order_is_obeyed(
    make_world: MakeWorld, recorded: Recorded
) -> None:
    here = make_world()
    here.withdraw(recorded.sound)
    here.synced()
    assert here.orders() == []
    assert here.held_of(recorded.sound) == set()
    assert here.noted()[0] == (recorded.sound, "erased")


@pytest.mark.parametrize("at", ["put", "read"])
def test_withdrawn_while_it_is_sent_it_stops_at_once_and_nothing_of_it_stays(
    make_world: MakeWorld, recorded: Recorded, at: str
) -> None:
    here = make_world(only=recorded.picture)
    moved: list[int] = []

    def withdrawn() -> None:
        here.store.mark_withdrawn(recorded.picture)
        here.window(recorded.picture, fate=Fate.WITHDRAWN)
        moved.append(1)

    here.restart(lambda remote: Meddling(remote, at=at, act=withdrawn))
    here.turn()
    assert moved
    assert here.published[-1].trouble is None, "it went on, and capture was asked to sign"
    assert (at == "read") == (here.held_of(recorded.picture) == {SESSION_NAME}), "a piece more was sent"
    assert here.receipt(recorded.picture) is None
    here.last = None
    here.withdraw(recorded.picture)
    here.synced()
    assert (here.orders(), here.held(), here.server.unfinished()) == ([], {}, 0)
    assert here.noted() == [(recorded.picture, "erased")]


def test_withdrawn_after_it_was_synced_it_is_erased_there_before_anything_else_is_sent(
    make_world: MakeWorld, recorded: Recorded
) -> None:
    here = make_world()
    here.turn()
    assert is_proven(here, recorded.sound)
    here.withdraw(recorded.sound)
    here.turn()
    assert here.held_of(recorded.sound) == set()
    assert here.orders() == []
    assert here.held() == {}, "an upload went before the order"
    here.synced()
    assert here.noted()[:2] == [(recorded.sound, "verified"), (recorded.sound, "erased")]


def test_a_remote_that_lets_nothing_be_erased_gets_the_signed_order_for_the_clinic(
    make_world: MakeWorld, recorded: Recorded
) -> None:
    here = make_world(only=recorded.sound)
    here.synced()
    here.withdraw(recorded.sound)
    order = (here.store.path / ERASE_ORDERS_NAME / f"{recorded.sound}.json").read_bytes()
    here.restart(Refusing)
    here.synced()
    there = here.server.maker.path / here.place(recorded.sound)
    assert (there / ORDER_NAME).read_bytes() == order
    assert verify(ORDER_KIND, order).payload["by"] == "client"
    assert here.orders() == []
    assert here.noted()[-1] == (recorded.sound, "order handed over")


class Forgetful(Handing):
    """Says that it erased, and has not."""

    def erase(self, folder: str) -> None:
        """Nothing."""


def test_a_remote_that_only_says_that_it_erased_is_told_and_keeps_the_order(
    make_world: MakeWorld, recorded: Recorded
) -> None:
    here = make_world()
    here.turn()
    here.withdraw(recorded.sound)
    here.restart(Forgetful)
    status = here.turn(5)
    assert here.orders() == [recorded.sound]
    assert status.must_act
    assert status.trouble is not None
    assert "still has it" in status.trouble[0]
    assert is_proven(here, recorded.picture), "one order that is not obeyed keeps everything else"
    here.restart()
    here.synced()
    assert (here.orders(), here.held_of(recorded.sound)) == ([], set())


def test_an_order_that_does_not_say_when_it_was_recorded_finds_its_recording(
    make_world: MakeWorld, recorded: Recorded
) -> None:
    here = make_world(only=recorded.sound)
    here.synced()
    here.withdraw(recorded.sound)
    path = here.store.path / ERASE_ORDERS_NAME / f"{recorded.sound}.json"
    facts = verify(ORDER_KIND, path.read_bytes()).payload
    path.write_bytes(here.store.signed(ORDER_KIND, {name: facts[name] for name in facts if name != "started"}))
    here.synced()
    assert (here.held_of(recorded.sound), here.orders()) == (set(), [])


# -- what follows later -----------------------------------------------------------------------------------------------


def test_a_label_that_comes_later_is_sent_alone_and_the_receipt_is_renewed(
    make_world: MakeWorld, recorded: Recorded
) -> None:
    here = make_world()
    here.synced()
    before = here.receipt(recorded.picture)
    recorded.label(here.store.folder(recorded.picture), "M. B., third hour")
    kept: list[Handing] = []

    def watched(remote: Remote) -> Remote:
        kept.append(Handing(remote))
        return kept[0]

    here.restart(watched)
    here.synced()
    assert [name for name in kept[0].puts if "/audit/" not in name] == [f"{here.place(recorded.picture)}/{LABEL}"]
    after = here.receipt(recorded.picture)
    assert before is not None
    assert after is not None
    assert set(after.beside) == {MANIFEST_NAME, LABEL}
    assert after.model_copy(update={"beside": before.beside}) == before
    there = here.server.maker.path / here.place(recorded.picture) / LABEL
    assert there.read_bytes() == (here.store.folder(recorded.picture) / LABEL).read_bytes()


def test_a_label_that_is_changed_replaces_the_one_at_the_remote(make_world: MakeWorld, recorded: Recorded) -> None:
    here = make_world(only=recorded.sound)
    for text in ("third hour", "fourth hour, after all"):
        recorded.label(here.store.folder(recorded.sound), text)
        here.synced()
        there = here.server.maker.path / here.place(recorded.sound) / LABEL
        assert there.read_bytes() == (here.store.folder(recorded.sound) / LABEL).read_bytes()


def test_what_is_asked_for_a_recording_reaches_the_clinic_and_so_does_that_it_is_asked_no_longer(
    make_world: MakeWorld, recorded: Recorded
) -> None:
    here = make_world(only=recorded.sound)
    here.synced()
    folder, at = here.store.folder(recorded.sound), Stamp("2026-11-02T10:00:00.000Z", trusted=True)
    held = here.server.maker.path / here.place(recorded.sound)
    write_wish(here.store, folder, Wish.DELETION, by="a" * 12, at=at)
    here.synced()
    wished, _ = read_wish((held / "asked.deletion").read_bytes(), recorded.sound)
    assert (wished.wish, wished.taken_back) == (Wish.DELETION, False)
    take_back_wish(here.store, folder, Wish.DELETION, by="a" * 12, at=at)
    here.synced()
    wished, _ = read_wish((held / "asked.deletion").read_bytes(), recorded.sound)
    assert wished.taken_back
    receipt = here.receipt(recorded.sound)
    assert receipt is not None
    assert set(receipt.beside) == {MANIFEST_NAME, "asked.deletion"}


# -- what is lost and cut ---------------------------------------------------------------------------------------------


def test_a_receipt_that_was_lost_is_had_again_without_sending_anything_twice(
    make_world: MakeWorld, recorded: Recorded
) -> None:
    here = make_world(only=recorded.sound)
    here.synced()
    shutil.rmtree(here.store.folder(recorded.sound) / RECEIPTS_NAME)
    here.synced()
    assert is_proven(here, recorded.sound)


def test_a_receipt_that_another_box_signed_counts_for_nothing(make_world: MakeWorld, recorded: Recorded) -> None:
    here = make_world(only=recorded.sound)
    here.synced()
    path = here.store.folder(recorded.sound) / RECEIPTS_NAME / "clinic.json"
    document = json.loads(path.read_bytes())
    document["payload"]["beside"] = {}
    path.write_text(json.dumps(document))
    assert here.turn().state is not SyncState.IDLE
    here.synced()
    assert verify("receipt", path.read_bytes()).payload["beside"]


def test_a_pause_lasts_over_a_restart_and_erase_orders_go_all_the_same(
    make_world: MakeWorld, recorded: Recorded
) -> None:
    here = make_world()
    here.turn()
    here.syncing.waiting.pause()
    here.restart()
    here.withdraw(recorded.sound)
    assert here.until(SyncState.PAUSED).waiting == 2
    assert here.held() == {}
    assert here.orders() == []
    here.syncing.waiting.resume()
    here.synced()
    assert is_proven(here, recorded.picture)


def test_a_pause_stops_what_is_under_way(make_world: MakeWorld, recorded: Recorded) -> None:
    here = make_world(only=recorded.picture)
    here.restart(lambda remote: Meddling(remote, at="put", act=here.syncing.waiting.pause))
    assert here.until(SyncState.PAUSED).waiting == 1
    assert here.held() == {}


def test_its_own_folder_may_be_lost_at_any_time(make_world: MakeWorld, recorded: Recorded) -> None:
    here = make_world()
    here.syncing.waiting.pause()
    here.until(SyncState.PAUSED)
    shutil.rmtree(here.folder / "state")
    here.synced()
    assert is_proven(here, recorded.starred)
    here.syncing.waiting.pause()
    assert here.until(SyncState.PAUSED)


# -- office hours -----------------------------------------------------------------------------------------------------

OFFICE = 'office_from = "08:00"\noffice_to = "18:00"\noffice_limit_kbit_s = '


def test_where_nothing_may_be_sent_in_office_hours_it_goes_in_the_evening(
    make_world: MakeWorld, recorded: Recorded
) -> None:
    here = make_world(more=OFFICE + "0")
    here.clock.run(8 * 3_600_000_000 + 55 * 60_000_000)
    assert here.clock.utc().strftime("%H:%M") == "17:55"
    while here.clock.utc().hour < 18:
        assert here.turn().state is SyncState.WAITING
    assert here.held() == {}
    here.synced()
    assert here.clock.utc().hour == 18
    assert is_proven(here, recorded.picture)


@pytest.mark.parametrize(("hour", "kbit_s"), [(9, 64), (20, 640)])
def test_the_limit_of_the_hour_is_kept_there_and_back(make_world: MakeWorld, hour: int, kbit_s: int) -> None:
    here = make_world(more="limit_kbit_s = 640\n" + OFFICE + "64")
    here.clock.run((hour - here.clock.utc().hour) * 3_600_000_000)
    moved = 2 * sum(listed.size_bytes for listed in here.store.listing())
    start_us = here.clock.now_us()
    here.synced()
    took_s = (here.clock.now_us() - start_us) / 1e6
    # the last piece of each file need not be waited for, and pieces are large against these recordings
    assert moved * 0.5 / (kbit_s * 125) < took_s < moved * 1.3 / (kbit_s * 125) + 5


# -- another user -----------------------------------------------------------------------------------------------------


def test_the_group_may_read_all_that_sync_needs_and_may_write_nothing_of_it(
    make_world: MakeWorld, recorded: Recorded
) -> None:
    here = make_world()
    before = os.umask(0o027)  # as the unit has it
    try:
        recorded.label(here.store.folder(recorded.picture), "third hour")
        here.withdraw(recorded.sound)
        here.syncing.sync.turn()
        here.withdraw(recorded.starred)
    finally:
        os.umask(before)
    paths = [path for path in here.store.path.rglob("*") if path.name != "lived.json"]
    assert {path.parent.name for path in paths} >= {"audit", ERASE_ORDERS_NAME, "attachments", recorded.picture}
    for path in paths:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o070 == (0o050 if path.is_dir() else 0o040), path


def test_an_order_finds_what_was_sent_before_the_room_was_renamed(make_world: MakeWorld, recorded: Recorded) -> None:
    here = make_world(only=recorded.sound)
    here.synced()
    here.rename("room-9")
    assert here.held_of(recorded.sound), "what is there already stays where it is"
    here.withdraw(recorded.sound)
    here.synced()
    assert (here.held_of(recorded.sound), here.orders()) == (set(), [])
    here.rename("room-10")
    assert [desk.room for desk in desks_of(here.config)] == ["room-10", ROOM, "room-9"]
