"""Labels and notes: sealed before they reach the disk, opened by stock age, and nowhere in plain."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.age.identities import KeyIdentity, generate_identity
from device.attachments import MOST_NOTES, MOST_TEXT_BYTES, Kind, attach
from device.durable import aside
from device.errors import StoreError, StoreFullError
from device.recording import ATTACHMENTS_NAME
from tests.support import Cut, cuts, fill, own_open, small_disk, stock_open

TEXT = "Ürgent: the sofa 🛋, third hour"


@pytest.fixture(scope="module")
def identity() -> KeyIdentity:
    return generate_identity(post_quantum=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "000001-abcdefghij"
    folder.mkdir()
    return folder


def test_stock_age_opens_what_was_attached(folder: Path, identity: KeyIdentity) -> None:
    for kind, name in ((Kind.LABEL, "label.age"), (Kind.NOTE, "note-001.age"), (Kind.NOTE, "note-002.age")):
        assert attach(folder, kind, TEXT, [identity.recipient()]) == name
        assert stock_open(folder / ATTACHMENTS_NAME / name, identity).decode() == TEXT


def test_a_post_quantum_recipient_opens_it_as_well(folder: Path) -> None:
    identity = generate_identity(post_quantum=True)
    name = attach(folder, Kind.LABEL, TEXT, [identity.recipient()])
    assert own_open(folder / ATTACHMENTS_NAME / name, identity).decode() == TEXT


def test_nothing_of_a_text_is_in_any_file_or_name(folder: Path, identity: KeyIdentity) -> None:
    attach(folder, Kind.LABEL, TEXT, [identity.recipient()])
    attach(folder, Kind.NOTE, TEXT, [identity.recipient()])
    for path in folder.rglob("*"):
        assert "sofa" not in str(path)
        assert path.is_dir() or b"sofa" not in path.read_bytes()


def test_the_next_label_takes_the_place_of_the_one_before(folder: Path, identity: KeyIdentity) -> None:
    attach(folder, Kind.LABEL, "one", [identity.recipient()])
    attach(folder, Kind.LABEL, "two", [identity.recipient()])
    assert [path.name for path in (folder / ATTACHMENTS_NAME).iterdir()] == ["label.age"]
    assert own_open(folder / ATTACHMENTS_NAME / "label.age", identity) == b"two"


@pytest.mark.parametrize("text", ["", "x" * (MOST_TEXT_BYTES + 1), "é" * (MOST_TEXT_BYTES // 2 + 1)])
def test_a_text_that_is_empty_or_too_long_is_refused(folder: Path, identity: KeyIdentity, text: str) -> None:
    with pytest.raises(StoreError, match="empty or too long"):
        attach(folder, Kind.NOTE, text, [identity.recipient()])
    assert list(folder.iterdir()) == []


def test_the_longest_text_is_kept(folder: Path, identity: KeyIdentity) -> None:
    name = attach(folder, Kind.NOTE, "x" * MOST_TEXT_BYTES, [identity.recipient()])
    assert len(own_open(folder / ATTACHMENTS_NAME / name, identity)) == MOST_TEXT_BYTES


def test_a_recording_has_only_so_many_notes(folder: Path, identity: KeyIdentity) -> None:
    place = folder / ATTACHMENTS_NAME
    place.mkdir()
    (place / f"note-{MOST_NOTES:03d}.age").write_bytes(b"")
    with pytest.raises(StoreError, match="too many notes"):
        attach(folder, Kind.NOTE, TEXT, [identity.recipient()])


def test_a_cut_at_any_moment_leaves_the_old_label_or_the_new_one(
    tmp_path: Path, identity: KeyIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = 0
    for cut in cuts(monkeypatch):
        folder = tmp_path / str(rounds)
        folder.mkdir()
        attach(folder, Kind.LABEL, "old", [identity.recipient()])
        with cut:
            attach(folder, Kind.LABEL, "new", [identity.recipient()])
        assert own_open(folder / ATTACHMENTS_NAME / "label.age", identity) in {b"old", b"new"}
        rounds += 1
    assert rounds > 3


def test_a_disk_that_fails_is_told_in_our_words(
    folder: Path, identity: KeyIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Cut(monkeypatch, at=2, error=OSError(5, "Input/output error")), pytest.raises(StoreError, match="label or"):
        attach(folder, Kind.LABEL, TEXT, [identity.recipient()])


def test_a_full_store_is_told_and_keeps_what_was_there(tmp_path: Path, identity: KeyIdentity) -> None:
    with small_disk(tmp_path / "disk", 256) as disk:
        attach(disk, Kind.LABEL, "old", [identity.recipient()])
        fill(disk)
        with pytest.raises(StoreFullError):
            attach(disk, Kind.LABEL, TEXT, [identity.recipient()])
        assert own_open(disk / ATTACHMENTS_NAME / "label.age", identity) == b"old"
        assert aside(Path("label.age")).name == "label.age.new"
