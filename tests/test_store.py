"""The store: numbers, names, lists, and an erasure that nothing can leave half done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from device.age.identities import generate_identity
from device.capture.sealer import Sealer
from device.errors import DamagedError, StoreError, StoreFullError
from device.recording import (
    ATTACHMENTS_NAME,
    CHUNK_BYTES,
    ERASE_ORDERS_NAME,
    ERASED_NAME,
    LEDGER_NAME,
    MANIFEST_NAME,
    RECEIPTS_NAME,
    SESSION_NAME,
    WITHDRAWN_NAME,
)
from device.recording.signing import verify
from device.recovery import recover
from device.sealed_file import SealedFile
from device.store import Store, StoreReader, read_manifest
from device.words import By
from tests.support import Cut, cuts, fill, manifest_of, small_disk, store_at

AT = "2026-03-02T10:00:00.000Z"
CHUNK = b"\0\1\0\0moof" + bytes(CHUNK_BYTES - 8)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return store_at(tmp_path / "store")


def sealed_recording(store: Store, *, chunks: int = 6, digest: str | None = "ab") -> str:
    """A recording with everything beside it; its id."""
    folder = store.new_folder()
    store.write_manifest(manifest_of(folder.name, digest=digest))
    recipient = generate_identity(post_quantum=False).recipient()
    sealer = Sealer([recipient], SealedFile(folder), on_durable=lambda _end_us, _size_bytes: None)
    for number in range(chunks):
        sealer.write(CHUNK, number * 700_000)
    sealer.close()
    for name in (ATTACHMENTS_NAME, RECEIPTS_NAME):
        (folder / name).mkdir()
        (folder / name / "one").write_bytes(b"something")
    return folder.name


def readable_headers(store: Store) -> list[Path]:
    """Every file in the store in which the head of an age file still stands."""
    files = [path for path in store.path.rglob("*") if path.is_file()]
    return [path for path in files if b"age-encryption.org" in path.read_bytes()]


# -- names and numbers ------------------------------------------------------------------------------------------------


def test_numbers_follow_the_highest_ever_used_even_when_it_was_erased(store: Store) -> None:
    ids = [sealed_recording(store) for _ in range(3)]
    assert [recording_id[:6] for recording_id in ids] == ["000001", "000002", "000003"]
    store.erase(ids[2], by=By.CLIENT, at=AT)
    assert store.new_folder().name[:6] == "000004"
    store.erase(ids[0], by=By.CLIENT, at=AT)
    assert store.new_folder().name[:6] == "000005"
    assert len({recording_id[7:] for recording_id in ids}) == 3


@given(st.text() | st.from_regex(r"[0-9]{5,7}.?[a-z0-9]{9,11}.?", fullmatch=True))
@example("..")
@example("000001-abcdefghij\n")
@example("000001-abcdefghij/")
@example("٠٠٠٠٠١-abcdefghij")
@example("000001-abcdefghij")
@example("")
def test_no_name_leads_out_of_the_store(name: str) -> None:
    reader = StoreReader(Path("/store"))
    try:
        folder = reader.folder(name)
    except StoreError as problem:
        assert problem.hint
    else:
        assert folder.parent == Path("/store")
        assert len(name) == 17
        assert name.isascii()
        assert name.replace("-", "").isalnum()


def test_a_listing_shows_the_newest_first_and_passes_over_what_is_damaged(store: Store) -> None:
    ids = [sealed_recording(store) for _ in range(5)]
    (store.folder(ids[0]) / MANIFEST_NAME).write_bytes(b"{}")
    (store.folder(ids[1]) / SESSION_NAME).unlink()
    changed = json.loads((store.folder(ids[2]) / MANIFEST_NAME).read_bytes())
    changed["payload"]["box"] = "Room 2"
    (store.folder(ids[2]) / MANIFEST_NAME).write_text(json.dumps(changed))
    (store.path / "notes.txt").write_text("not ours")
    store.mark_withdrawn(ids[3])
    listing = store.listing()
    assert [listed.manifest.id for listed in listing] == [ids[4], ids[3]]
    assert [listed.withdrawn for listed in listing] == [False, True]
    assert listing[0].size_bytes == (store.folder(ids[4]) / SESSION_NAME).stat().st_size
    assert store.find(ids[2]) is None
    assert store.find("000099-abcdefghij") is None
    with pytest.raises(DamagedError, match="changed after the box signed it"):
        read_manifest(store.folder(ids[2]))


# -- withdrawal and erasure -------------------------------------------------------------------------------------------


def test_a_withdrawal_is_durable_and_can_be_taken_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    recording_id = sealed_recording(store)
    order: list[str] = []
    with Cut(monkeypatch, at=1000, log=order):
        store.mark_withdrawn(recording_id)
    assert order == ["open", "open", "fsync"], "one sync is all that a press waits for"
    assert (store.folder(recording_id) / WITHDRAWN_NAME).exists()
    store.unmark_withdrawn(recording_id)
    store.unmark_withdrawn(recording_id)
    assert not (store.folder(recording_id) / WITHDRAWN_NAME).exists()


def test_an_erased_recording_leaves_a_signed_certificate_an_order_and_nothing_else(store: Store) -> None:
    recording_id = sealed_recording(store)
    assert store.erase(recording_id, by=By.CLIENT, at=AT)
    left = sorted(path for path in store.path.rglob("*") if path.is_file())
    assert left == [store.path / name / f"{recording_id}.json" for name in (ERASE_ORDERS_NAME, ERASED_NAME)]
    facts = {"recording": recording_id, "by": "client", "digest": "ab"}
    facts |= {"started": "2026-03-02T09:00:00.000Z", "clock_trusted": False, "boot": None, "monotonic_us": None}
    assert verify("erase order", left[0].read_bytes()).payload == {**facts, "ordered": AT}
    certificate = verify("erase certificate", left[1].read_bytes()).payload
    assert certificate == {**facts, "erased": AT, "header": "overwritten", "rest": "overwritten"}
    assert sorted(path.name for path in store.path.iterdir()) == [ERASE_ORDERS_NAME, ERASED_NAME]
    assert store.listing() == []


def test_the_header_is_overwritten_before_anything_is_unlinked(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    recording_id = sealed_recording(store)
    file = (store.folder(recording_id) / SESSION_NAME).open("rb")  # as whoever scans the flash still sees it
    order: list[str] = []
    heads: list[bytes] = []
    real = os.ftruncate

    def seen(descriptor: int, size: int) -> None:
        file.seek(0)
        heads.append(file.read(300_000))
        real(descriptor, size)

    monkeypatch.setattr(os, "ftruncate", seen)
    with Cut(monkeypatch, at=1000, log=order):
        store.erase(recording_id, by=By.CLIENT, at=AT)
    file.close()
    assert set(heads[0][: 1 << 18]) == {0}
    assert order.index("pwrite") < order.index("ftruncate") < order.index("unlink")
    assert order[order.index("pwrite") + 1] == "fsync"


def test_an_erasure_that_was_cut_anywhere_is_finished_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = 0
    for cut in cuts(monkeypatch):
        store = store_at(tmp_path / f"store-{rounds}")
        recording_id = sealed_recording(store)
        with cut:
            store.erase(recording_id, by=By.CLIENT, at=AT)
        marked = (store.folder(recording_id) / WITHDRAWN_NAME).exists()
        assert marked or cut.passed <= 3 or not any(store.folder(recording_id).glob("*"))
        if marked:
            recover(store, at="2026-03-02T11:00:00.000Z")
        elif store.find(recording_id) is not None:
            # Not one step of it was durable: the caller still knows that it has to be erased.
            store.erase(recording_id, by=By.CLIENT, at=AT)
        else:
            recover(store, at="2026-03-02T11:00:00.000Z")
        assert readable_headers(store) == []
        assert store.ids() == []
        certificate = verify("erase certificate", (store.path / ERASED_NAME / f"{recording_id}.json").read_bytes())
        assert certificate.payload["digest"] == "ab", "the digest is known only as long as the manifest is there"
        rounds += 1
    assert rounds > 15


def test_an_open_recording_is_erased_with_its_ledger(store: Store) -> None:
    recording_id = sealed_recording(store, digest=None)
    assert (store.folder(recording_id) / LEDGER_NAME).exists()
    store.erase(recording_id, by=By.CLIENT, at=AT)
    assert store.ids() == []


def test_a_recording_is_withdrawn_and_erased_in_a_store_without_a_byte_of_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1024) as disk:
        store = store_at(disk)
        recording_id = sealed_recording(store)
        fill(disk)
        with pytest.raises(OSError, match="No space left"):
            (disk / "probe").write_bytes(b"x")
        (disk / "probe").unlink()
        store.mark_withdrawn(recording_id)
        store.erase(recording_id, by=By.CLIENT, at=AT)
        assert readable_headers(store) == []
        assert store.ids() == []
        assert (disk / ERASED_NAME / f"{recording_id}.json").exists()


# -- a store that does not work ---------------------------------------------------------------------------------------


def test_a_store_that_can_be_written_says_nothing(store: Store) -> None:
    store.check()
    assert store.free_bytes() > 0
    assert list(store.path.iterdir()) == []


def test_a_missing_store_is_told_by_every_way_in(tmp_path: Path) -> None:
    store = store_at(tmp_path / "store")
    store.path.rmdir()
    for way_in in (store.look, store.check, store.ids, store.listing, store.free_bytes, store.new_folder):
        with pytest.raises(StoreError, match="No such file") as told:
            way_in()
        assert told.value.hint


def test_a_file_in_the_place_of_the_store_is_told(tmp_path: Path) -> None:
    path = tmp_path / "store"
    path.write_bytes(b"")
    store = Store(path, device_key=store_at(tmp_path / "other")._device_key)
    with pytest.raises(StoreError, match="Not a directory"):
        store.check()


def test_somebody_elses_store_is_told(tmp_path: Path) -> None:
    # A child of another user, for root may write everywhere.
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    program = (
        "import os, sys; from pathlib import Path; from device.store import Store; "
        "from device.errors import StoreError; "
        "from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey\n"
        "store = Store(Path('.'), device_key=Ed25519PrivateKey.generate()); os.setgid(65534); os.setuid(65534)\n"
        "for way_in in (store.look, store.check, store.new_folder):\n"
        "    try: way_in()\n"
        "    except StoreError as problem: print(problem.what, '|', problem.hint)\n"
    )
    place = tmp_path / "store"
    place.mkdir(mode=0o755)
    told = subprocess.run([sys.executable, "-c", program], cwd=place, capture_output=True, text=True, check=True)
    lines = told.stdout.splitlines()
    assert len(lines) == 3
    for line in lines:
        assert "Permission denied" in line
        assert line.endswith("| check the store's disk and who may write to its folder")


def test_a_look_finds_a_store_read_only_and_writes_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1024) as disk:
        store = store_at(disk)
        before = disk.stat().st_mtime_ns
        store.look()
        assert disk.stat().st_mtime_ns == before
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with pytest.raises(StoreError, match="Read-only file system"):
            store.look()


def test_a_full_disk_is_told_with_what_to_do(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1024) as disk:
        store = store_at(disk)
        folder = store.new_folder()
        fill(disk)
        for way_in in (store.check, lambda: store.write_manifest(manifest_of(folder.name))):
            with pytest.raises(StoreFullError) as told:
                way_in()
            assert "free room" in told.value.hint


def test_a_recording_that_met_a_full_disk_is_never_written_to_again(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1024) as disk:
        store = store_at(disk)
        folder = store.new_folder()
        file = SealedFile(folder)
        file.append(b"head" + CHUNK, bytes(24), b"record")
        filling = fill(disk)
        with pytest.raises(StoreFullError, match="could not be made durable"):
            file.append(CHUNK * 2, bytes(24), b"record")
        filling.unlink()
        with pytest.raises(StoreError, match="cannot be written any more"):
            file.append(CHUNK, bytes(24), b"record")
        file.close()
        file.close()
