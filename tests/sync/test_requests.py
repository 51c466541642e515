"""What sync can have capture sign, and what it cannot, whatever it says: over the real socket, with real recordings."""

from __future__ import annotations

import json
import os
import socket
import stat
from contextlib import closing
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device.capture.receipts import Receipts
from device.clock import Stamp
from device.errors import AdminError, RetryError, StoreError
from device.recording import ERASE_ORDERS_NAME, MANIFEST_NAME, RECEIPTS_NAME
from device.recording.audited import Happened
from device.recording.copied import Copying
from device.recording.manifest import RecordingState
from device.store import StoreReader
from device.sync_requests import SYNC_SOCKET_NAME, Ask, BesideAsk, ObeyedAsk, ReceiptAsk, SyncServer, ask_capture
from device.words import By
from tests.retained import public_key
from tests.support import PowerCut
from tests.sync.conftest import MakeWorld, Recorded
from tests.sync.test_sync import is_proven
from tests.sync.world import World

OTHER = "ab" * 32


def honest(here: World, recording_id: str, **facts: Any) -> ReceiptAsk:
    listed = here.store.find(recording_id)
    assert listed is not None
    manifest = listed.manifest
    usual: dict[str, Any] = {
        "recording": recording_id,
        "remote": "clinic",
        "digest": manifest.digest,
        "header_digest": manifest.header_digest,
        "closing_digest": manifest.closing_digest,
        "size_bytes": manifest.size_bytes,
        "folder": here.place(recording_id),
        "beside": {MANIFEST_NAME: OTHER},
    }
    return ReceiptAsk(**(usual | facts))


def ask(here: World, asked: Ask) -> None:
    ask_capture(asked, here.config.box.run)


def said(here: World, data: bytes) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.connect(str(here.config.box.run / SYNC_SOCKET_NAME))
        client.send(data)
        return dict(json.loads(client.recv(1 << 16)))


def test_what_was_found_to_be_the_recording_is_signed_as_a_proof(make_world: MakeWorld, recorded: Recorded) -> None:
    here = make_world(only=recorded.sound)
    ask(here, honest(here, recorded.sound))
    assert is_proven(here, recorded.sound)
    assert here.noted() == [(recorded.sound, "verified")]
    path = here.store.folder(recorded.sound) / RECEIPTS_NAME / "clinic.json"
    assert stat.S_IMODE(path.stat().st_mode) & 0o040, "sync, which is only of the group, could not read it"


@pytest.mark.parametrize("what", ["digest", "header_digest", "closing_digest"])
def test_whatever_differs_is_never_turned_into_a_proof_not_even_over_one(
    make_world: MakeWorld, recorded: Recorded, what: str
) -> None:
    here = make_world(only=recorded.sound)
    for _ in range(2):
        ask(here, honest(here, recorded.sound, **{what: OTHER}))
        receipt = here.receipt(recorded.sound)
        assert receipt is not None
        assert receipt.differs
        assert not is_proven(here, recorded.sound)
        ask(here, honest(here, recorded.sound))
        assert is_proven(here, recorded.sound)
        with_size = honest(here, recorded.sound)
        ask(here, with_size.model_copy(update={"size_bytes": with_size.size_bytes - 1}))
        assert not is_proven(here, recorded.sound)


def test_nothing_is_signed_for_what_is_not_here_not_closed_or_going(make_world: MakeWorld, recorded: Recorded) -> None:
    here = make_world()
    gone = honest(here, recorded.sound).model_copy(update={"recording": "000099-abcdefghij"})
    with pytest.raises(RetryError, match="no such recording"):
        ask(here, gone)
    asked = honest(here, recorded.picture)
    here.store.mark_withdrawn(recorded.picture)
    with pytest.raises(RetryError, match="being erased"):
        ask(here, asked)
    asked = honest(here, recorded.sound)
    listed = here.store.find(recorded.sound)
    assert listed is not None
    here.store.write_manifest(listed.manifest.model_copy(update={"state": RecordingState.OPEN}))
    with pytest.raises(RetryError, match="not closed"):
        ask(here, asked)
    assert here.noted() == []
    assert not list(here.store.path.glob(f"*/{RECEIPTS_NAME}/*"))


def test_a_receipt_is_renewed_only_where_there_is_a_proof(make_world: MakeWorld, recorded: Recorded) -> None:
    here = make_world(only=recorded.sound)
    renewal = BesideAsk(recording=recorded.sound, remote="clinic", beside={"attachments/label.age": OTHER})
    with pytest.raises(RetryError, match="could be renewed"):
        ask(here, renewal)
    ask(here, honest(here, recorded.sound, digest=OTHER))
    with pytest.raises(RetryError, match="could be renewed"):
        ask(here, renewal)
    ask(here, honest(here, recorded.sound))
    ask(here, renewal)
    receipt = here.receipt(recorded.sound)
    assert receipt is not None
    assert receipt.beside == renewal.beside
    assert is_proven(here, recorded.sound)


def test_an_order_is_taken_away_once_and_noted_once(make_world: MakeWorld, recorded: Recorded) -> None:
    here = make_world(only=recorded.sound)
    here.withdraw(recorded.sound)
    obeyed = ObeyedAsk(recording=recorded.sound, remote="clinic")
    ask(here, obeyed)
    ask(here, obeyed)
    assert here.orders() == []
    assert here.noted() == [(recorded.sound, "erased")]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff" * 100,
        b"[]",
        b"{}",
        b'{"ask": "erase", "recording": "000001-abcdefghij"}',
        b'{"ask": "obeyed", "recording": "../../etc", "remote": "clinic"}',
        b'{"ask": "obeyed", "recording": "000001-abcdefghij", "remote": "../clinic"}',
        b'{"ask": "beside", "recording": "000001-abcdefghij", "remote": "c", "beside": {"../x": "%s"}}' % (b"a" * 64),
        b'{"ask": "beside", "recording": "000001-abcdefghij", "remote": "c", "beside": {"manifest.json": "short"}}',
    ],
)
def test_what_nobody_can_ask_is_refused_and_the_next_is_answered(
    make_world: MakeWorld, recorded: Recorded, data: bytes
) -> None:
    here = make_world(only=recorded.sound)
    if data:
        assert said(here, data) == {"done": False, "why": "that is nothing that can be asked"}
    ask(here, honest(here, recorded.sound))


def test_without_capture_sync_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(AdminError, match="does not answer"):
        ask_capture(ObeyedAsk(recording="000001-abcdefghij", remote="clinic"), tmp_path)


def test_only_the_group_can_reach_the_socket(make_world: MakeWorld) -> None:
    here = make_world()
    assert stat.S_IMODE((here.config.box.run / SYNC_SOCKET_NAME).stat().st_mode) == 0o660


# -- cuts -------------------------------------------------------------------------------------------------------------


def receipts_of(here: World, noted: list[Happened], *, writes: bool = True) -> Receipts:
    def note(happened: Happened) -> int | None:
        noted.append(happened)
        return len(noted) if writes else None

    return Receipts(here.store, key=public_key(here.store), note=note, now=lambda: Stamp("2026-03-02T12:00:00.000Z"))


def test_what_cannot_be_noted_is_not_done(make_world: MakeWorld, recorded: Recorded) -> None:
    here = make_world()
    here.withdraw(recorded.picture)
    receipts = receipts_of(here, [], writes=False)
    with pytest.raises(StoreError, match="audit log"):
        receipts.answer(honest(here, recorded.sound))
    with pytest.raises(StoreError, match="audit log"):
        receipts.answer(ObeyedAsk(recording=recorded.picture, remote="clinic"))
    assert here.receipt(recorded.sound) is None
    assert here.orders() == [recorded.picture]


def test_a_cut_between_the_log_and_the_file_is_asked_again_and_never_goes_unsaid(
    make_world: MakeWorld, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, noted = make_world(), list[Happened]()
    here.withdraw(recorded.picture)
    receipts = receipts_of(here, noted)
    with monkeypatch.context() as power:
        power.setattr("device.store.write_whole", _cut)
        power.setattr("pathlib.Path.unlink", _cut)
        for asked in (honest(here, recorded.sound), ObeyedAsk(recording=recorded.picture, remote="clinic")):
            with pytest.raises(PowerCut):
                receipts.answer(asked)
    assert here.receipt(recorded.sound) is None
    assert here.orders() == [recorded.picture]
    assert [happened.recording for happened in noted] == [recorded.sound, recorded.picture]
    here.restart()
    here.synced()
    assert is_proven(here, recorded.sound)
    assert here.orders() == []


def _cut(*_: object, **__: object) -> None:
    raise PowerCut


def test_a_recording_that_goes_while_it_is_signed_for_is_erased_all_the_same(
    make_world: MakeWorld, recorded: Recorded
) -> None:
    here = make_world(only=recorded.sound)
    asked = honest(here, recorded.sound)

    def note(_happened: Happened) -> int | None:
        here.store.mark_withdrawn(recorded.sound)
        return 1

    receipts = Receipts(here.store, key=public_key(here.store), note=note, now=lambda: Stamp("now"))
    with pytest.raises(StoreError, match="being erased"):
        receipts.answer(asked)
    assert here.store.erase(recorded.sound, by=By.CLIENT, at="2026-03-02T12:00:00.000Z")
    assert (here.store.path / ERASE_ORDERS_NAME / f"{recorded.sound}.json").exists()


# -- digests ----------------------------------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.data())
def test_a_copy_in_pieces_of_any_size_has_the_manifests_digests_and_any_altered_byte_shows(
    recorded: Recorded, data: st.DataObject
) -> None:
    store = StoreReader(recorded.folder / "store")
    listed = store.find(recorded.sound)
    assert listed is not None
    sealed = bytearray((store.folder(recorded.sound) / "session.mp4.age").read_bytes())
    altered = data.draw(st.one_of(st.none(), st.integers(0, len(sealed) - 1)))
    end = data.draw(st.one_of(st.just(len(sealed)), st.integers(0, len(sealed) - 1)))
    if altered is not None:
        sealed[altered] ^= 1
    copying, at = Copying(listed.manifest), 0
    sizes = cycle(data.draw(st.lists(st.integers(1000, 200_000), min_size=1, max_size=5)))
    while at < end:
        size = next(sizes)
        copying.take(bytes(sealed[at : min(end, at + size)]))
        at += size
    assert copying.end().is_of(listed.manifest) == (altered is None and end == len(sealed))


def test_whoever_is_not_syncs_user_is_refused_whatever_its_group(tmp_path: Path) -> None:
    asked: list[Ask] = []
    others = SyncServer(tmp_path / SYNC_SOCKET_NAME, asked.append, users=frozenset({os.geteuid() + 1}))
    with closing(others), pytest.raises(RetryError, match="only sync may ask"):
        ask_capture(ObeyedAsk(recording="000001-abcdefghjk", remote="clinic"), tmp_path)
    with closing(SyncServer(tmp_path / SYNC_SOCKET_NAME, asked.append, users=frozenset({os.geteuid()}))):
        ask_capture(ObeyedAsk(recording="000001-abcdefghjk", remote="clinic"), tmp_path)
    assert [one.ask for one in asked] == ["obeyed"]
