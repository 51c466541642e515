"""A recording's way to the clinic is told as it is known: by receipts that hold, and by a sync that lives."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from shutil import rmtree
from typing import Any

import pytest

from device.attachments import attach
from device.belonging import beside_of, digest_of
from device.clock import Stamp
from device.lived import DAY_US
from device.recording import ATTACHMENTS_NAME, MANIFEST_NAME
from device.recording.beside import Kind, Wish
from device.recording.manifest import RecordingState
from device.recording.receipt import Receipt
from device.retaining import digests_beside
from device.retention import Facts, Policy, days_to_stay, decide
from device.store import Store
from device.sync_status import SyncState, SyncStatus
from device.web.proofs import Proofs
from device.web.setup import Setup
from device.web.texts import TEXTS
from device.web.ways import STEPS, Stage, Way, Ways, goes_text, moving_of
from device.wishes import write_wish
from device.words import By
from tests.web.conftest import Box
from tests.web.published import add_recording, make_store

PROOFS = Proofs()
SETUP = Setup(remote="clinic", policy=Policy(keep_days=30))
NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)


def syncing(**facts: Any) -> SyncStatus:
    usual = {"state": SyncState.IDLE, "remote": "clinic", "published_unix_s": time.time()}
    return SyncStatus.model_validate({**usual, **facts})


def way(
    store: Store, recording_id: str, *, setup: Setup = SETUP, sync: SyncStatus | None = None, back: str | None = None
) -> Way:
    listed = store.find(recording_id)
    assert listed is not None
    return Ways(store, setup, PROOFS, sync=sync, kept_back=back, unix_s=time.time()).of(listed.glimpse)


def receipt(store: Store, recording_id: str, **facts: Any) -> None:
    listed = store.find(recording_id)
    assert listed is not None
    usual = {
        "remote": "clinic",
        "digest": listed.manifest.digest,
        "size_bytes": listed.manifest.size_bytes,
        "verified_at": "2026-03-03T14:00:00.000Z",
        "beside": {
            name: digest_of(store.folder(recording_id) / name) for name in beside_of(store.folder(recording_id))
        },
    }
    store.write_receipt(recording_id, Receipt.model_validate({**usual, **facts}))


@pytest.fixture
def store(bare_box: Box) -> Store:
    return bare_box.store


def test_each_step_of_the_way_is_told(store: Store) -> None:
    recording_id = add_recording(store)
    sending = syncing(state=SyncState.SENDING, recording=recording_id, sent_bytes=1, size_bytes=4)
    assert way(store, recording_id, setup=Setup()).stage is Stage.ALONE
    assert way(store, recording_id).stage is Stage.QUEUED
    assert way(store, recording_id, back=recording_id).stage is Stage.KEPT_BACK
    assert way(store, recording_id, sync=sending).stage is Stage.SENDING
    verifying = sending.model_copy(update={"state": SyncState.VERIFYING})
    assert way(store, recording_id, sync=verifying).stage is Stage.VERIFYING
    receipt(store, recording_id, digest="00" * 32)
    assert way(store, recording_id).stage is Stage.DIFFERS
    receipt(store, recording_id)
    assert way(store, recording_id).stage is Stage.VERIFIED
    store.mark_for_retention(recording_id)
    assert way(store, recording_id).stage is Stage.GOING


def test_what_is_not_closed_is_on_no_way_yet(store: Store) -> None:
    assert way(store, add_recording(store, state=RecordingState.OPEN)).stage is Stage.OPEN


def test_what_was_put_beside_it_later_is_still_to_go(store: Store) -> None:
    recording_id = add_recording(store)
    receipt(store, recording_id)
    (store.folder(recording_id) / ATTACHMENTS_NAME).mkdir()
    (store.folder(recording_id) / ATTACHMENTS_NAME / "label.age").write_bytes(b"sealed")
    assert way(store, recording_id).stage is Stage.LACKING


def test_what_was_changed_or_asked_for_since_is_still_to_go(store: Store) -> None:
    recording_id = add_recording(store)
    receipt(store, recording_id)
    listed = store.find(recording_id)
    assert listed is not None
    store.write_manifest(listed.manifest.model_copy(update={"therapist": "b" * 12}))
    assert way(store, recording_id).stage is Stage.LACKING
    receipt(store, recording_id)
    assert way(store, recording_id).stage is Stage.VERIFIED
    write_wish(store, store.folder(recording_id), Wish.COPY, by="b" * 12, at=Stamp("x", trusted=True))
    assert way(store, recording_id).stage is Stage.LACKING


def test_a_receipt_of_another_box_proves_nothing(store: Store, tmp_path: Any) -> None:
    recording_id = add_recording(store)
    other = make_store(tmp_path / "other")
    (other.path / recording_id).mkdir()
    listed = store.find(recording_id)
    assert listed is not None
    other.write_receipt(
        recording_id,
        Receipt(
            remote="clinic", digest=str(listed.manifest.digest), size_bytes=listed.manifest.size_bytes, verified_at="x"
        ),
    )
    (other.path / recording_id / "receipts").rename(store.folder(recording_id) / "receipts")
    assert way(store, recording_id).stage is Stage.QUEUED


def test_a_sync_that_has_died_moves_nothing(store: Store) -> None:
    recording_id = add_recording(store)
    dead = syncing(state=SyncState.SENDING, recording=recording_id, published_unix_s=time.time() - 600)
    told = way(store, recording_id, sync=dead)
    assert (told.stage, told.moving) == (Stage.QUEUED, None)


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_has_its_words_and_what_to_do(stage: Stage) -> None:
    key = f"way.{stage.replace(' ', '_')}"
    assert TEXTS[key]
    assert TEXTS[f"{key}.do"]


@pytest.mark.parametrize("step", STEPS)
def test_every_step_has_a_name(step: str) -> None:
    assert TEXTS[f"way.step.{step}"]


def test_speed_and_time_left_are_told_once_they_are_known() -> None:
    told = moving_of(syncing(sent_bytes=300_000_000, size_bytes=900_000_000, bytes_per_s=4_000_000))
    assert (told.percent, told.size, told.speed, told.left) == (33, "900 MB", "4 MB a second", "about 2 min 30 s left")
    told = moving_of(syncing(sent_bytes=5, size_bytes=0))
    assert (told.percent, told.speed, told.left) == (0, "", "")
    assert moving_of(syncing(sent_bytes=900, size_bytes=100, bytes_per_s=1)).percent == 100


KEPT = Facts(
    "000001-aaaaaaaaaa",
    RecordingState.COMPLETE,
    "ab",
    7,
    age_us=0,
    receipts=(Receipt(remote="clinic", digest="ab", size_bytes=7, verified_at="x"),),
    verified_for_us=10 * DAY_US,
)


def test_from_when_on_it_may_go_is_a_day_that_anybody_can_wait_for() -> None:
    policy = Policy(keep_days=30)
    assert days_to_stay(KEPT, policy) == 20
    assert goes_text(KEPT, policy, now=NOW) == "It may go from the box on 23 Mar 2026."
    assert (
        goes_text(replace(KEPT, verified_for_us=30 * DAY_US), policy, now=NOW) == "It may go from the box at any time."
    )
    assert goes_text(replace(KEPT, held=True), policy, now=NOW) == "It stays in the box: it is held for research."
    assert goes_text(KEPT, None, now=NOW) == "It stays in the box, too."


@pytest.mark.parametrize(
    "facts",
    [
        replace(KEPT, held=True),
        replace(KEPT, lacking=True),
        replace(KEPT, going=By.CLIENT),
        replace(KEPT, state=RecordingState.OPEN),
        replace(KEPT, receipts=()),
        replace(KEPT, digest="cd"),
        KEPT,
        replace(KEPT, verified_for_us=29 * DAY_US + 1),
        replace(KEPT, verified_for_us=30 * DAY_US),
        replace(KEPT, verified_for_us=31 * DAY_US),
    ],
)
@pytest.mark.parametrize("policy", [None, Policy(warn_days=3), Policy(keep_days=30), Policy(keep_days=0)])
def test_no_day_is_told_that_retention_would_not_keep_to(facts: Facts, policy: Policy | None) -> None:
    days = days_to_stay(facts, policy)
    assert (days == 0) == decide(facts, policy).erase
    if days:
        later = replace(facts, verified_for_us=facts.verified_for_us + days * DAY_US)
        assert decide(later, policy).erase
        assert not decide(replace(later, verified_for_us=later.verified_for_us - DAY_US), policy).erase


def test_what_was_verified_is_remembered_until_it_changes(store: Store) -> None:
    proofs, recording_id = Proofs(), add_recording(store)
    folder, listed = store.folder(recording_id), store.find(recording_id)
    assert listed is not None
    assert proofs.receipts(folder, listed.key) == ()
    receipt(store, recording_id)
    first = proofs.receipts(folder, listed.key)
    assert [one.remote for one in first] == ["clinic"]
    assert proofs.receipts(folder, listed.key) is first
    receipt(store, recording_id, differs=True)
    second = proofs.receipts(folder, listed.key)
    assert [one.differs for one in second] == [True]
    assert proofs.receipts(folder, b"another box") == ()
    assert proofs.receipts(folder, listed.key) == second
    proofs.forget_all_but(set())
    assert proofs._known == {}
    rmtree(folder)
    assert proofs.receipts(folder, listed.key) == ()


def test_what_lies_beside_it_is_digested_once_and_anew_when_it_changes(store: Store) -> None:
    proofs, folder = Proofs(), store.folder(add_recording(store))
    label = folder / ATTACHMENTS_NAME / "label.age"

    def told() -> dict[str, str]:
        found = proofs.digests(folder)
        assert found is not None
        assert found == digests_beside(folder)
        return {name: digest for name, digest in found.items() if name != MANIFEST_NAME}

    assert told() == {}
    assert list(proofs.digests(folder) or ()) == [MANIFEST_NAME]
    attach(folder, Kind.LABEL, b"one")
    attach(folder, Kind.NOTE, b"two")
    assert told() == {
        "attachments/label.age": sha256(b"one").hexdigest(),
        "attachments/note-001.age": sha256(b"two").hexdigest(),
    }
    assert proofs.digests(folder) is proofs.digests(folder)
    attach(folder, Kind.LABEL, b"eno")  # replaced by one that is just as long
    assert told()["attachments/label.age"] == sha256(b"eno").hexdigest()
    before = label.stat()
    with label.open("r+b") as file:
        file.write(b"neo")
    os.utime(label, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert told()["attachments/label.age"] == sha256(b"neo").hexdigest()
    label.unlink()
    assert list(told()) == ["attachments/note-001.age"]
    label.symlink_to("nowhere")  # as one that goes while it is read
    assert proofs.digests(folder) is None
    assert digests_beside(folder) is None
