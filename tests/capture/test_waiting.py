"""What waits for a recording: never lost, never beside two, never beside one that it was not given for."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.attachments import link
from device.capture.waiting import MOST_WAITING, WaitingRoom
from device.clock import Stamp, wire_time
from device.errors import StoreError, StoreFullError
from device.recording import ATTACHMENTS_NAME
from device.recording.beside import Kind
from device.waiting import WAITING_NAME, WAITS_S, Waiting, read_waiting, waits_still
from tests.support import START, Cut, cuts, fill, small_disk

ANNA, BEN = "a" * 12, "b" * 12
SECOND_US = 1_000_000


def at(after_s: float = 0.0, *, trusted: bool = True, boot: str = "b") -> Stamp:
    wall = wire_time(START + timedelta(seconds=after_s))
    return Stamp(wall, trusted=trusted, boot=boot, monotonic_us=round((1000 + after_s) * SECOND_US))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    (tmp_path / "store").mkdir()
    return tmp_path / "store"


@pytest.fixture
def room(store: Path) -> WaitingRoom:
    return WaitingRoom(store)


def recording(store: Path, number: int = 1) -> Path:
    folder = store / f"{number:06d}-abcdefghij"
    folder.mkdir(exist_ok=True)
    return folder


def beside(store: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(store.glob(f"*/{ATTACHMENTS_NAME}/*.age"))]


def test_what_was_given_waits_sealed_as_it_came_with_its_plain_facts_beside_it(store: Path, room: WaitingRoom) -> None:
    name = room.put(Kind.MEASURE, b"sealed", by=ANNA, at=at())
    assert (store / WAITING_NAME / name).read_bytes() == b"sealed"
    (one,) = read_waiting(store)
    assert (one.name, one.kind, one.by, one.left) == (name, Kind.MEASURE, ANNA, False)
    assert room.find(name) == one
    assert room.find("measure-000000000000.age") is None


def test_a_label_takes_the_place_of_the_same_persons_label_and_of_nobody_elses(store: Path, room: WaitingRoom) -> None:
    room.put(Kind.LABEL, b"one", by=ANNA, at=at(0))
    room.put(Kind.LABEL, b"of Ben", by=BEN, at=at(1))
    room.put(Kind.LABEL, b"two", by=ANNA, at=at(2))
    contents = [(store / WAITING_NAME / one.name).read_bytes() for one in room.all()]
    assert contents == [b"of Ben", b"two"]
    assert len(list((store / WAITING_NAME).iterdir())) == 4


def test_only_so_much_waits(store: Path, room: WaitingRoom) -> None:
    room.put(Kind.NOTE, b"sealed", by=ANNA, at=at())
    (first,) = room.all()
    for number in range(MOST_WAITING - 2):
        name = f"note-{number:012x}.age"
        (room.folder / name).write_bytes(b"sealed")
        facts = first.model_copy(update={"name": name}).model_dump_json()
        (room.folder / name).with_suffix(".json").write_text(facts)
    room.put(Kind.NOTE, b"sealed", by=ANNA, at=at())
    with pytest.raises(StoreError, match="too much waits"):
        room.put(Kind.NOTE, b"sealed", by=ANNA, at=at())


def test_what_was_left_stays_left_after_a_restart(store: Path, room: WaitingRoom) -> None:
    room.put(Kind.MEASURE, b"sealed", by=ANNA, at=at())
    room.leave(room.all())
    assert [one.left for one in room.all()] == [True]
    assert [one.left for one in WaitingRoom(store).all()] == [True]


def test_where_the_disk_refuses_it_is_left_all_the_same(
    store: Path, room: WaitingRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.put(Kind.MEASURE, b"sealed", by=ANNA, at=at())
    waiting = room.all()
    with Cut(monkeypatch, at=1, error=OSError(5, "Input/output error")), pytest.raises(StoreError, match="left"):
        room.leave(waiting)
    assert [one.left for one in room.all()] == [True]


# -- putting it beside a recording ------------------------------------------------------------------------------------


def place(room: WaitingRoom, folder: Path) -> None:
    for one in room.all():
        room.place(one, lambda path, one=one: link(path, folder, one.kind))  # type: ignore[misc]  # mypy knows no types for defaults of a lambda


def test_a_cut_at_any_moment_leaves_it_waiting_or_beside_the_recording_and_never_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds, ends = 0, set[str]()
    for cut in cuts(monkeypatch):
        store = tmp_path / str(rounds)
        store.mkdir()
        room = WaitingRoom(store)
        room.put(Kind.MEASURE, b"sealed", by=ANNA, at=at())
        with cut:
            place(room, recording(store))
        after = WaitingRoom(store)
        after.tidy()
        waits, placed = len(after.all()), beside(store)
        assert (waits, placed) in ((1, []), (0, [b"sealed"]))
        ends.add("waits" if waits else "placed")
        place(after, recording(store, 2))
        assert beside(store) == [b"sealed"], "beside one recording, and one only"
        assert list((store / WAITING_NAME).iterdir()) == []
        rounds += 1
    assert rounds > 5
    assert ends == {"waits", "placed"}


def test_a_cut_at_any_moment_keeps_all_of_it_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = set[int]()
    for number, cut in enumerate(cuts(monkeypatch)):
        store = tmp_path / str(number)
        store.mkdir()
        with cut:
            WaitingRoom(store).put(Kind.NOTE, b"sealed", by=ANNA, at=at())
        after = WaitingRoom(store)
        after.tidy()
        assert all((store / WAITING_NAME / one.name).read_bytes() == b"sealed" for one in after.all())
        seen.add(len(after.all()))
        left = list((store / WAITING_NAME).iterdir()) if (store / WAITING_NAME).exists() else []
        assert len(left) == 2 * len(after.all()), "nothing half is left lying about"
    assert seen == {0, 1}


def test_where_it_cannot_be_taken_from_what_waits_it_still_goes_beside_no_other(
    store: Path, room: WaitingRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.put(Kind.MEASURE, b"sealed", by=ANNA, at=at())
    (one,) = room.all()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as failing, pytest.raises(StoreError, match="what waits"):
        failing.setattr(os, "unlink", refuse)
        place(room, recording(store))
    assert beside(store) == [b"sealed"]
    assert [one.left for one in room.all()] == [True]
    room.erase(one)
    assert room.all() == ()
    assert beside(store) == [b"sealed"], "what lies beside a recording is that one's, and is not overwritten"


def test_another_name_for_it_elsewhere_is_no_sign_that_it_was_placed(store: Path, room: WaitingRoom) -> None:
    name = room.put(Kind.NOTE, b"sealed", by=ANNA, at=at())
    (store / "backup").hardlink_to(store / WAITING_NAME / name)
    WaitingRoom(store).tidy()
    assert len(room.all()) == 1


def test_what_is_erased_is_overwritten_first(store: Path, room: WaitingRoom) -> None:
    name = room.put(Kind.MEASURE, b"sealed" * 100, by=ANNA, at=at())
    (one,) = room.all()
    with (store / WAITING_NAME / name).open("rb") as held:
        room.erase(one)
        held.seek(0)
        assert b"sealed" not in held.read()
    assert list((store / WAITING_NAME).iterdir()) == []


def test_a_full_store_is_told_and_keeps_what_waits(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 256) as disk:
        room = WaitingRoom(disk)
        room.put(Kind.NOTE, b"first", by=ANNA, at=at())
        fill(disk)
        with pytest.raises(StoreFullError):
            room.put(Kind.NOTE, b"second" * 4000, by=ANNA, at=at(1))
        assert [(disk / WAITING_NAME / one.name).read_bytes() for one in room.all()] == [b"first"]


def test_what_cannot_be_read_is_left_out_and_let_be(store: Path, room: WaitingRoom) -> None:
    name = room.put(Kind.NOTE, b"sealed", by=ANNA, at=at())
    facts = (store / WAITING_NAME / name).with_suffix(".json")
    for content in (b"", b"{}", facts.read_bytes().replace(name.encode(), b"note-000000000000.age")):
        facts.write_bytes(content)
        assert room.all() == ()
        room.tidy()
        assert (store / WAITING_NAME / name).exists()


# -- for how long -----------------------------------------------------------------------------------------------------


def given_at(stamp: Stamp) -> Waiting:
    return Waiting(
        name="note-000000000000.age",
        kind=Kind.NOTE,
        by=ANNA,
        sealed=stamp.wall,
        clock_trusted=stamp.trusted,
        boot=stamp.boot or "",
        monotonic_us=stamp.monotonic_us or 0,
    )


@given(
    after_s=st.floats(-WAITS_S * 3, WAITS_S * 3),
    wall_s=st.floats(-1e8, 1e8),
    then=st.booleans(),
    now=st.booleans(),
    same=st.booleans(),
)
def test_three_hours_are_three_hours_whatever_the_wall_clock_says(
    after_s: float, wall_s: float, *, then: bool, now: bool, same: bool
) -> None:
    one = given_at(at(WAITS_S * 4, trusted=then))
    wall = datetime.fromisoformat(one.sealed) + timedelta(seconds=wall_s)
    later = Stamp(
        wire_time(wall),
        trusted=now,
        boot="b" if same else "c",
        monotonic_us=max(0, one.monotonic_us + round(after_s * SECOND_US)),
    )
    really_s = (later.monotonic_us or 0) / SECOND_US - one.monotonic_us / SECOND_US
    if same:
        assert waits_still(one, later) == (0 <= really_s <= WAITS_S)
    elif not (then and now):
        assert not waits_still(one, later), "nobody knows how long ago it was"
    elif abs(wall_s) > 0.001 and abs(wall_s - WAITS_S) > 0.001:
        assert waits_still(one, later) == (0 < wall_s < WAITS_S)
    assert not waits_still(one.model_copy(update={"left": True}), later)
