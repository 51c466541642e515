"""What a remote, a disk or the box itself can do to a sync: the recording stays here, it is told, and the next chance
succeeds. Where retention is named it is the real one, and it really erases.
"""

from __future__ import annotations

import pytest

from device.capture.upkeep import Upkeep
from device.errors import RemoteAwayError
from device.lived import DAY_US
from device.recording import SESSION_NAME
from device.remote import Remote
from device.retention import Policy
from device.sync_schedule import MOST_BACKOFF_S
from device.sync_status import SyncState
from tests.retained import public_key
from tests.sync.conftest import MakeWorld, Recorded
from tests.sync.test_sync import is_proven
from tests.sync.world import Filling, Handing, Lying, Meddling, Spoiling, World

LABEL = "attachments/label.age"


def retain(here: World) -> Upkeep:
    """Retention, where everything may go that a remote has: it looks, and days later it looks again."""
    upkeep = Upkeep(
        here.store,
        key=public_key(here.store),
        policy=Policy(keep_days=1, warn_days=30),
        clock=here.clock,
        boot="b",
        journal=lambda entry: here.journal.append(entry.message),
    )
    upkeep._may_work = lambda: True
    for _ in range(3):
        upkeep.work()
        here.clock.run(DAY_US)
    return upkeep


def test_a_server_that_only_says_that_it_stored_never_gets_a_recording_deleted(make_world: MakeWorld) -> None:
    here = make_world()
    ids = here.store.ids()
    here.restart(Lying)
    status = here.turn(8)
    assert (status.state, status.must_act, status.spoiled > 0) == (SyncState.HELD_UP, True, True)
    assert status.trouble is not None
    upkeep = retain(here)
    assert here.store.ids() == ids
    assert {state for _, state in here.noted()} == {"differs"}
    assert any("different at the remote" in what for what, _ in upkeep.warnings)
    assert upkeep.unsynced
    here.restart()
    assert here.synced().trouble is None
    upkeep = retain(here)
    assert (here.store.ids(), upkeep.warnings, upkeep.unsynced) == ([], (), False)


@pytest.mark.parametrize("at", [0, 100, 70_000, -1], ids=["magic", "header", "chunk", "end"])
def test_a_copy_that_was_spoiled_on_its_way_is_erased_there_and_sent_again(
    make_world: MakeWorld, recorded: Recorded, at: int
) -> None:
    here = make_world(only=recorded.picture)
    size = (here.store.folder(recorded.picture) / SESSION_NAME).stat().st_size
    here.restart(lambda remote: Spoiling(remote, here.server, times=1, at=at % size))
    assert here.synced().spoiled == 1
    assert is_proven(here, recorded.picture)
    there = here.server.maker.path / here.place(recorded.picture) / SESSION_NAME
    assert there.read_bytes() == (here.store.folder(recorded.picture) / SESSION_NAME).read_bytes()
    assert any("had not what it was sent" in line for line in here.journal)


@pytest.mark.parametrize("at", [100, 70_000, -1], ids=["header", "chunk", "end"])
def test_a_server_that_spoils_everything_never_gets_a_recording_deleted(
    make_world: MakeWorld, recorded: Recorded, at: int
) -> None:
    here = make_world(only=recorded.picture)
    size = (here.store.folder(recorded.picture) / SESSION_NAME).stat().st_size
    kept: list[Handing] = []

    def spoiling(remote: Remote) -> Remote:
        kept.append(Spoiling(remote, here.server, times=99, at=at % size))
        return kept[0]

    here.restart(spoiling)
    assert here.until(SyncState.HELD_UP).must_act
    retain(here)
    assert here.store.ids() == [recorded.picture]
    receipt = here.receipt(recorded.picture)
    assert receipt is not None
    assert receipt.differs
    here.turn()  # days have passed, so it was worth another try
    sent = len(kept[0].puts)
    for _ in range(20):
        here.turn()
    assert len(kept[0].puts) == sent, "gigabytes are sent to it again and again"


def test_a_label_that_is_spoiled_is_sent_again(make_world: MakeWorld, recorded: Recorded) -> None:
    here = make_world(only=recorded.sound)
    recorded.label(here.store.folder(recorded.sound), "third hour")
    here.restart(lambda remote: Spoiling(remote, here.server, times=1, at=5, file=LABEL))
    here.synced()
    there = here.server.maker.path / here.place(recorded.sound) / LABEL
    assert there.read_bytes() == (here.store.folder(recorded.sound) / LABEL).read_bytes()


def test_a_label_that_is_not_synced_keeps_its_recording(make_world: MakeWorld, recorded: Recorded) -> None:
    here = make_world(only=recorded.sound)
    here.synced()
    recorded.label(here.store.folder(recorded.sound), "third hour")
    retain(here)
    assert here.store.ids() == [recorded.sound]
    here.synced()
    retain(here)
    assert here.store.ids() == []


def test_a_recording_that_is_spoiled_here_is_told_and_never_called_verified(
    make_world: MakeWorld, recorded: Recorded
) -> None:
    here = make_world()
    path = here.store.folder(recorded.sound) / SESSION_NAME
    with path.open("r+b") as file:
        file.seek(70_000)
        byte = file.read(1)[0]
        file.seek(70_000)
        file.write(bytes([byte ^ 1]))
    here.turn(6)
    status = here.published[-1]
    assert status.trouble is not None
    assert f"{recorded.sound} is not what the box wrote" in status.trouble[0]
    assert status.must_act
    assert here.receipt(recorded.sound) is None
    assert is_proven(here, recorded.picture), "one bad file keeps all others"
    retain(here)
    assert here.store.ids() == [recorded.sound]


def test_a_full_remote_is_asked_with_the_least_there_is_and_takes_all_once_it_has_room(
    make_world: MakeWorld, recorded: Recorded
) -> None:
    here = make_world()
    filling: list[Filling] = []

    def full(remote: Remote) -> Remote:
        filling.append(Filling(remote))
        return filling[0]

    here.restart(full)
    status = here.turn(6)
    assert (status.state, status.must_act) == (SyncState.HELD_UP, True)
    least = min(here.store.listing(), key=lambda listed: listed.size_bytes).manifest.id
    assert {name.split("/")[-2] for name in filling[0].puts[1:]} == {least}
    assert len(filling[0].puts) == 6  # one request a turn, and no more
    filling[0].is_full = False
    assert here.synced().trouble is None
    assert all(is_proven(here, one) for one in here.store.ids())


def test_an_erase_order_goes_to_a_full_remote_first_for_it_makes_room(
    make_world: MakeWorld, recorded: Recorded
) -> None:
    here = make_world()
    here.turn()
    here.restart(Filling)
    here.turn()
    here.withdraw(recorded.sound)
    here.turn()
    assert (here.orders(), here.held_of(recorded.sound)) == ([], set())


def test_an_hours_outage_costs_a_handful_of_tries_and_the_next_chance_succeeds(make_world: MakeWorld) -> None:
    here = make_world()
    here.server.kill()
    start_us, tries = here.clock.now_us(), 0
    while here.clock.now_us() < start_us + 3_600_000_000:
        status = here.turn()
        tries += 1
        assert status.state is SyncState.HELD_UP
        assert status.trouble is not None
    assert not status.must_act
    assert tries < 20
    assert status.next_try_s is None or status.next_try_s <= MOST_BACKOFF_S
    here.server.start()
    assert here.synced().trouble is None
    assert all(is_proven(here, one) for one in here.store.ids())


class Busy(Handing):
    """Not now, and says when."""

    def put(self, *_: object, **__: object) -> bool:
        self.puts.append("")
        raise RemoteAwayError("the remote is busy", "nothing", retry_after_s=700.0)


def test_what_the_server_says_of_when_to_come_back_is_honoured(make_world: MakeWorld) -> None:
    here = make_world()
    here.restart(Busy)
    before_us = here.clock.now_us()
    here.turn()
    assert 700.0 <= (here.clock.now_us() - before_us) / 1e6 < 720.0
    here.clock.before_wait = lambda: (here.publish(), here.syncing.waiting.hurry())[0]  # type: ignore[method-assign]
    before_us = here.clock.now_us()
    here.turn()
    assert (here.clock.now_us() - before_us) / 1e6 < 10.0, "nobody could hurry it"


def test_a_capture_that_is_away_for_a_moment_when_it_should_sign_costs_nothing_twice(
    make_world: MakeWorld, recorded: Recorded
) -> None:
    here = make_world(only=recorded.picture)
    socket_path = here.config.box.run / "receipts.sock"
    aside = here.config.box.run / "aside.sock"
    kept: list[Meddling] = []

    def meddling(remote: Remote) -> Remote:
        kept.append(Meddling(remote, at="read", act=lambda: socket_path.rename(aside)))
        return kept[0]

    here.restart(meddling)
    waits = 0

    def back() -> None:
        nonlocal waits
        waits += 1
        here.publish()
        if waits == 20:
            aside.rename(socket_path)

    here.clock.before_wait = back  # type: ignore[method-assign]
    here.turn(1)
    assert is_proven(here, recorded.picture)
    assert len([name for name in kept[0].puts if name.endswith(SESSION_NAME)]) == 1
