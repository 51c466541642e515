"""``sotto wishes`` and ``sotto erase``: a deletion needs somebody who asks, and somebody at the box who grants it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from device import compose
from device.attachments import link
from device.capture.waiting import WaitingRoom
from device.cli import main
from device.clock import Stamp, SystemClock, boot_id, stamp
from device.config import load_config
from device.demo import DemoChoices, demo_config
from device.recording import ERASE_ORDERS_NAME, ERASED_NAME
from device.recording.beside import Kind, Wish
from device.recording.signing import verify
from device.recording.wished import read_wish
from device.recovery import recover
from device.store import Store
from device.waiting import order_erased
from device.wishes import grant_deletion, take_back_wish, wishes_of, write_wish
from device.words import By
from tests.retained import Kept, add_recording
from tests.support import cuts
from tests.test_cli import refused

ANNA = "a" * 12
AT = Stamp("2026-03-02T10:00:00.000Z", trusted=True, boot="boot 1", monotonic_us=7)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    for name in ("run", "store"):
        (tmp_path / name).mkdir()
    path = tmp_path / "sotto.toml"
    path.write_text(demo_config(DemoChoices(tmp_path, 0, None, picture=False), "age1nonsense"), encoding="utf-8")
    return path


@pytest.fixture
def store(config: Path) -> Store:
    return compose.store_of(load_config(config))


def asked(store: Store, wish: Wish = Wish.DELETION) -> str:
    recording_id = add_recording(store)
    write_wish(store, store.folder(recording_id), wish, by=ANNA, at=AT)
    return recording_id


def test_wishes_are_shown_to_people_and_to_scripts(
    config: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = asked(store), asked(store, Wish.COPY)
    add_recording(store)
    assert main(("wishes", "--config", str(config))) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{first}  deletion  asked 2026-03-02T10:00:00.000Z, by {ANNA}",
        f"{second}  copy      asked 2026-03-02T10:00:00.000Z, by {ANNA}",
        "2 wishes",
    ]
    assert main(("wishes", "--json", "--config", str(config))) == 0
    assert [one["recording"] for one in json.loads(capsys.readouterr().out)["wishes"]] == [first, second]


def test_a_deletion_that_is_asked_for_and_granted_ends_erased_with_an_order_for_the_remote(
    config: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = asked(store), asked(store)
    assert main(("erase", one, "--config", str(config))) == 0
    assert "is marked" in capsys.readouterr().out
    assert store.going() == [(one, By.THERAPIST)]
    Kept(store, None).work()
    assert store.ids() == [other]
    for name, kind in ((ERASED_NAME, "erase certificate"), (ERASE_ORDERS_NAME, "erase order")):
        signed = verify(kind, (store.path / name / f"{one}.json").read_bytes())
        assert signed.payload["by"] == "therapist"


def test_the_next_start_erases_it_where_the_box_did_not_run(store: Store) -> None:
    one = asked(store)
    grant_deletion(store, one)
    assert [found.what for found in recover(store, at=AT)] == ["erased"]
    assert store.ids() == []


def test_what_nobody_asks_for_is_not_closed_or_is_held_is_not_erased(
    config: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    unasked, copied, taken_back, held = add_recording(store), asked(store, Wish.COPY), asked(store), asked(store)
    take_back_wish(store, store.folder(taken_back), Wish.DELETION, by=ANNA, at=AT)
    store.hold(held, at=AT)
    is_open = add_recording(store, state="open")
    write_wish(store, store.folder(is_open), Wish.DELETION, by=ANNA, at=AT)
    for one in (unasked, copied, taken_back, "000099-abcdefghij"):
        assert "nobody asks" in refused(capsys, "erase", one, "--config", str(config))[0]
    assert "held for research" in refused(capsys, "erase", held, "--config", str(config))[0]
    assert "not closed" in refused(capsys, "erase", is_open, "--config", str(config))[0]
    assert "not the id" in refused(capsys, "erase", "../x", "--config", str(config))[0]
    assert store.going() == []


def test_a_wish_for_one_recording_is_none_for_another(store: Store) -> None:
    one, other = asked(store), add_recording(store)
    (store.folder(other) / "asked.deletion").write_bytes((store.folder(one) / "asked.deletion").read_bytes())
    assert wishes_of(store.folder(other)) == ()


def test_a_wish_is_there_or_not_wherever_it_was_cut(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    recording_id, seen = add_recording(store), set[int]()
    folder = store.folder(recording_id)
    for cut in cuts(monkeypatch):
        take_back_wish(store, folder, Wish.COPY, by=ANNA, at=AT)
        with cut:
            write_wish(store, folder, Wish.COPY, by=ANNA, at=AT)
        seen.add(len(wishes_of(folder)))
    assert seen == {0, 1}
    write_wish(store, folder, Wish.COPY, by=ANNA, at=AT)
    seen.clear()
    for cut in cuts(monkeypatch):
        write_wish(store, folder, Wish.COPY, by=ANNA, at=AT)
        with cut:
            take_back_wish(store, folder, Wish.COPY, by=ANNA, at=AT)
        seen.add(len(wishes_of(folder)))
    assert seen == {0, 1}


def test_a_wish_that_was_taken_back_says_so_and_can_be_asked_again(store: Store) -> None:
    folder = store.folder(asked(store))
    take_back_wish(store, folder, Wish.COPY, by=ANNA, at=AT)
    assert not (folder / "asked.copy").exists(), "what nobody asked for leaves nothing"
    take_back_wish(store, folder, Wish.DELETION, by="b" * 12, at=AT)
    wished, _ = read_wish((folder / "asked.deletion").read_bytes(), folder.name)
    assert (wished.taken_back, wished.by) == (True, "b" * 12)
    assert wishes_of(folder) == ()
    write_wish(store, folder, Wish.DELETION, by=ANNA, at=AT)
    assert [one.by for one in wishes_of(folder)] == [ANNA]


# -- what lies beside no recording ------------------------------------------------------------------------------------


def left(store: Store) -> str:
    """A measure that was given before a recording that never came, and was left."""
    room = WaitingRoom(store.path)
    name = room.put(Kind.MEASURE, b"sealed", by=ANNA, at=AT)
    room.leave(room.all())
    return name


def test_what_lies_beside_no_recording_is_named_and_can_be_erased_at_the_box(
    config: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    name, other = left(store), left(store)
    assert main(("wishes", "--config", str(config))) == 0
    assert f"{name}  beside no recording, given {AT.wall}, by {ANNA}" in capsys.readouterr().out
    assert main(("wishes", "--json", "--config", str(config))) == 0
    assert {one["name"] for one in json.loads(capsys.readouterr().out)["left"]} == {name, other}
    assert main(("erase", name, "--config", str(config))) == 0
    assert "is marked" in capsys.readouterr().out
    kept = Kept(store, None)
    kept.work()
    assert [one.name for one in kept.waiting.all()] == [other]
    assert [(one.what, one.by, one.facts) for one in kept.noted] == [("erased", "clinic", {"attachment": "measure"})]
    assert sorted(path.suffix for path in (store.path / "waiting").iterdir()) == [".age", ".json"]


def test_what_still_waits_or_is_not_there_is_not_erased(
    config: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    name = WaitingRoom(store.path).put(Kind.LABEL, b"sealed", by=ANNA, at=stamp(SystemClock(), boot_id()))
    assert "still waits" in refused(capsys, "erase", name, "--config", str(config))[0]
    for nothing in ("measure-000000000000.age", "../lived.age"):
        assert "nothing of that name" in refused(capsys, "erase", nothing, "--config", str(config))[0]
    Kept(store, None).work()
    assert [one.name for one in WaitingRoom(store.path).all()] == [name]


def test_an_order_goes_with_what_it_was_for(store: Store) -> None:
    """Somebody put it beside a recording before it was erased: there it belongs to that, and the order is over."""
    name, recording_id = left(store), add_recording(store)
    order_erased(store.path, name, now=AT)
    room = WaitingRoom(store.path)
    room.place(room.all()[0], lambda path: link(path, store.folder(recording_id), Kind.MEASURE))
    Kept(store, None).work()
    assert (store.folder(recording_id) / "attachments/measure-001.age").read_bytes() == b"sealed"
    assert list((store.path / "waiting").iterdir()) == []


def test_an_order_is_there_or_not_wherever_it_was_cut(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    name, seen = left(store), set[bool]()
    mark = (store.path / "waiting" / name).with_suffix(".erase")
    for cut in cuts(monkeypatch):
        mark.unlink(missing_ok=True)
        with cut:
            order_erased(store.path, name, now=AT)
        seen.add(mark.exists())
        WaitingRoom(store.path).tidy()
        assert mark.exists() in seen
    assert seen == {False, True}
