"""Retention in a real store: a receipt that proves nothing keeps nothing from staying, and a hold comes before all."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.attachments import attach
from device.claim import claimed, other_writer
from device.clock import Stamp
from device.errors import StoreError
from device.lived import DAY_US, Lived
from device.recording import ERASE_ORDERS_NAME, ERASED_NAME, HOLD_NAME, MANIFEST_NAME, RECEIPTS_NAME
from device.recording.beside import Kind, Wish
from device.recording.signing import verify
from device.retaining import carry_out, read_receipts, survey
from device.retention import Decision, Policy
from device.store import LIVED_NAME, Store
from device.wishes import take_back_wish, write_wish
from device.words import By
from tests.retained import add_receipt, add_recording, public_key
from tests.support import Cut, cuts, store_at

AT = Stamp("2026-03-02T10:00:00.000Z", trusted=True, boot="boot 1", monotonic_us=7)
POLICY = Policy(keep_days=0)
LIVED = Lived(boot="boot 1", monotonic_us=0, lived_us=100 * DAY_US)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return store_at(tmp_path / "store")


def decided(store: Store, policy: Policy | None = POLICY) -> dict[str, Decision]:
    found = survey(store, LIVED, policy=policy, key=public_key(store))
    return {decision.recording: decision for decision in found.decisions}


def test_what_is_synced_and_verified_goes_and_nothing_else_does(store: Store) -> None:
    ids = [add_recording(store) for _ in range(6)]
    ids.append(add_recording(store, state="open"))
    add_receipt(store, ids[0])
    add_receipt(store, ids[1], digest="cd" * 32)
    add_receipt(store, ids[2], size=1)
    add_receipt(store, ids[3], key=Ed25519PrivateKey.generate())
    add_receipt(store, ids[4])
    (store.folder(ids[4]) / MANIFEST_NAME).write_bytes(b"{}")
    add_receipt(store, ids[6])
    assert [recording_id for recording_id, decision in decided(store).items() if decision.erase] == ids[:1]
    assert list(decided(store)) == ids
    assert not any(decision.erase for decision in decided(store, None).values())


@pytest.mark.parametrize("at", [0, 30, 150, -5])
def test_a_damaged_receipt_proves_nothing(store: Store, at: int) -> None:
    recording_id = add_recording(store)
    add_receipt(store, recording_id)
    path = store.folder(recording_id) / RECEIPTS_NAME / "clinic.json"
    document = bytearray(path.read_bytes())
    document[at] ^= 1
    path.write_bytes(document)
    assert read_receipts(store.folder(recording_id), public_key(store)) == ()
    assert not decided(store)[recording_id].erase


def test_a_receipt_of_one_recording_proves_nothing_about_another(store: Store) -> None:
    first, second = add_recording(store), add_recording(store)
    add_receipt(store, first)
    manifest = store.folder(second) / MANIFEST_NAME
    changed = json.loads(manifest.read_bytes())["payload"] | {"digest": "ef" * 32}
    store.write_manifest(store.listing()[0].manifest.model_validate(changed))
    (store.folder(first) / RECEIPTS_NAME).rename(store.folder(second) / RECEIPTS_NAME)
    assert "not what the box has" in decided(store)[second].why


def test_a_survey_changes_nothing(store: Store) -> None:
    add_receipt(store, add_recording(store))
    before = {path: path.read_bytes() for path in store.path.rglob("*") if path.is_file()}
    survey(store, LIVED, policy=POLICY, key=public_key(store))
    assert {path: path.read_bytes() for path in store.path.rglob("*") if path.is_file()} == before


def test_what_goes_leaves_a_certificate_and_no_order(store: Store) -> None:
    recording_id = add_recording(store)
    add_receipt(store, recording_id)
    assert carry_out(store, decided(store)[recording_id], key=public_key(store), at=AT, go_on=lambda: True)
    certificate = verify("erase certificate", (store.path / ERASED_NAME / f"{recording_id}.json").read_bytes())
    assert certificate.payload["by"] == "retention"
    assert store.ids() == []
    assert not (store.path / ERASE_ORDERS_NAME).exists()


def test_carrying_out_a_decision_to_keep_does_nothing(store: Store) -> None:
    recording_id = add_recording(store)
    assert not carry_out(store, decided(store)[recording_id], key=public_key(store), at=AT, go_on=lambda: True)
    assert store.find(recording_id) is not None


def test_what_was_put_beside_it_after_the_decision_keeps_it(store: Store) -> None:
    recording_id = add_recording(store)
    add_receipt(store, recording_id)
    decision = decided(store)[recording_id]
    attach(store.folder(recording_id), Kind.LABEL, b"sealed")
    assert not carry_out(store, decision, key=public_key(store), at=AT, go_on=lambda: True)
    assert store.find(recording_id) is not None
    assert store.going() == []


def assigned(store: Store, recording_id: str) -> None:
    listed = store.find(recording_id)
    assert listed is not None
    store.write_manifest(listed.manifest.model_copy(update={"therapist": "b" * 12}))


def asked_for(store: Store, recording_id: str) -> None:
    write_wish(store, store.folder(recording_id), Wish.DELETION, by="b" * 12, at=AT)


def taken_back(store: Store, recording_id: str) -> None:
    take_back_wish(store, store.folder(recording_id), Wish.COPY, by="b" * 12, at=AT)


@pytest.mark.parametrize("change", [assigned, asked_for, taken_back])
def test_what_was_changed_or_asked_for_since_keeps_it_until_the_remote_has_that_too(
    store: Store, change: Callable[[Store, str], None]
) -> None:
    recording_id = add_recording(store)
    write_wish(store, store.folder(recording_id), Wish.COPY, by="b" * 12, at=AT)
    add_receipt(store, recording_id)
    decision = decided(store)[recording_id]
    assert decision.erase
    change(store, recording_id)
    kept = decided(store)[recording_id]
    assert (kept.erase, kept.why) == (
        False,
        "its copy at clinic is verified; what was put beside it or changed later is not synced",
    )
    assert not carry_out(store, decision, key=public_key(store), at=AT, go_on=lambda: True)
    add_receipt(store, recording_id)
    assert decided(store)[recording_id].erase


def test_nothing_can_be_put_beside_it_between_the_last_look_and_the_mark(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording_id = add_recording(store)
    add_receipt(store, recording_id)
    locked: list[bool] = []
    real = Store.mark_for_retention

    def mark(self: Store, one: str) -> bool:
        locked.append(self.erasing.undisturbed().locked())
        return real(self, one)

    monkeypatch.setattr(Store, "mark_for_retention", mark)
    assert carry_out(store, decided(store)[recording_id], key=public_key(store), at=AT, go_on=lambda: True)
    assert locked == [True]


# -- the research hold ------------------------------------------------------------------------------------------------


def test_a_hold_keeps_a_recording_until_it_is_released(store: Store) -> None:
    recording_id = add_recording(store)
    add_receipt(store, recording_id)
    store.hold(recording_id, at=AT)
    signed = verify("hold", (store.folder(recording_id) / HOLD_NAME).read_bytes())
    assert signed.payload == {"recording": recording_id, "held": AT.wall, "clock_trusted": True}
    assert decided(store)[recording_id].why == "it is held for research"
    assert store.listing()[0].held
    store.release(recording_id)
    store.release(recording_id)
    assert decided(store)[recording_id].erase


def test_a_hold_that_comes_after_the_decision_comes_first_all_the_same(store: Store) -> None:
    recording_id = add_recording(store)
    add_receipt(store, recording_id)
    decision = decided(store)[recording_id]
    store.hold(recording_id, at=AT)
    assert not carry_out(store, decision, key=public_key(store), at=AT, go_on=lambda: True)
    assert store.find(recording_id) is not None
    assert store.going() == []


def test_a_damaged_hold_holds(store: Store) -> None:
    recording_id = add_recording(store)
    add_receipt(store, recording_id)
    (store.folder(recording_id) / HOLD_NAME).write_bytes(b"")
    assert not decided(store)[recording_id].erase


def test_what_is_being_erased_cannot_be_held_any_more(store: Store) -> None:
    recording_id = add_recording(store)
    assert store.mark_for_retention(recording_id)
    with pytest.raises(StoreError, match="being erased"):
        store.hold(recording_id, at=AT)


def test_a_hold_keeps_nothing_from_its_client(store: Store) -> None:
    recording_id = add_recording(store)
    store.hold(recording_id, at=AT)
    assert store.erase(recording_id, by=By.CLIENT, at=AT)
    assert store.ids() == []


def test_a_hold_is_there_or_not_wherever_it_was_cut(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    recording_id = add_recording(store)
    seen = set()
    for cut in cuts(monkeypatch):
        store.release(recording_id)
        with cut:
            store.hold(recording_id, at=AT)
        path = store.folder(recording_id) / HOLD_NAME
        seen.add(path.exists())
        if path.exists():
            verify("hold", path.read_bytes())
    assert seen == {True, False}
    order: list[str] = []
    with Cut(monkeypatch, at=1000, log=order):
        store.hold(recording_id, at=AT)
    assert order[-3:] == ["rename", "open", "fsync"]


@pytest.mark.parametrize("name", ["../store", "000099-abcdefghij"])
def test_only_a_recording_can_be_held(store: Store, name: str) -> None:
    for way_in in (lambda: store.hold(name, at=AT), lambda: store.release(name)):
        with pytest.raises(StoreError) as told:
            way_in()
        assert told.value.hint


# -- lived time on disk -----------------------------------------------------------------------------------------------


def test_lived_time_is_read_back_only_whole_and_from_the_box_that_wrote_it(store: Store) -> None:
    assert store.read_lived(public_key(store)) is None
    store.write_lived(LIVED)
    assert store.read_lived(public_key(store)) == LIVED
    assert store.read_lived(public_key(store_at(store.path))) is None
    path = store.path / LIVED_NAME
    whole = path.read_bytes()
    for at in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[at] ^= 4
        path.write_bytes(damaged)
        assert store.read_lived(public_key(store)) in (None, LIVED), "a changed count would be believed"
    path.write_bytes(whole[:-40])
    assert store.read_lived(public_key(store)) is None
    assert store.ids() == []


# -- one writer -------------------------------------------------------------------------------------------------------


def test_a_store_has_one_writer_at_a_time(store: Store) -> None:
    with claimed(store.path, otherwise=other_writer()):
        with (
            pytest.raises(StoreError, match="another program writes") as told,
            claimed(store.path, otherwise=other_writer()),
        ):
            raise AssertionError
        assert told.value.hint
    with claimed(store.path, otherwise=other_writer()):
        pass
    with claimed(store.path / "nowhere", otherwise=other_writer()):
        pass


def test_two_erasures_of_one_recording_do_not_meet(store: Store) -> None:
    recording_id = add_recording(store)
    first, problems = threading.Event(), []

    def go_on() -> bool:
        first.set()
        return True

    def erase() -> None:
        try:
            store.erase(recording_id, by=By.CLIENT, at=AT, go_on=go_on)
        except StoreError as problem:
            problems.append(problem)

    threads = [threading.Thread(target=erase) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert first.is_set()
    assert problems == []
    assert store.ids() == []
