"""What lies beside a recording: sealed before it reaches the disk, opened by stock age, and nowhere in plain."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from device.age.errors import AgeError
from device.age.identities import KeyIdentity, generate_identity
from device.age.sealing import encrypt
from device.attachments import MOST_BYTES, MOST_OF_A_KIND, TooManyError, attach, check_sealed, link, seal
from device.durable import aside
from device.errors import StoreError, StoreFullError
from device.recording import ATTACHMENTS_NAME
from device.recording.beside import Kind, file_name_of, kind_of
from tests.support import Cut, cuts, fill, own_open, small_disk, stock_open

TEXT = "Ürgent: the sofa 🛋, third hour".encode()


@pytest.fixture(scope="module")
def identity() -> KeyIdentity:
    return generate_identity(post_quantum=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "000001-abcdefghij"
    folder.mkdir()
    return folder


def put(folder: Path, kind: Kind, content: bytes, identity: KeyIdentity) -> str:
    return attach(folder, kind, seal(kind, content, [identity.recipient()]))


def opened(folder: Path, name: str, identity: KeyIdentity) -> bytes:
    return own_open(folder / ATTACHMENTS_NAME / name, identity)


def test_stock_age_opens_what_was_attached(folder: Path, identity: KeyIdentity) -> None:
    names = ("label.age", "note-001.age", "note-002.age", "measure-001.age")
    for kind, name in zip((Kind.LABEL, Kind.NOTE, Kind.NOTE, Kind.MEASURE), names, strict=True):
        assert put(folder, kind, TEXT, identity) == name
        assert stock_open(folder / ATTACHMENTS_NAME / name, identity) == TEXT


def test_a_post_quantum_recipient_opens_it_as_well(folder: Path) -> None:
    identity = generate_identity(post_quantum=True)
    assert opened(folder, put(folder, Kind.LABEL, TEXT, identity), identity) == TEXT


def test_nothing_of_a_text_is_in_any_file_or_name(folder: Path, identity: KeyIdentity) -> None:
    for kind in (Kind.LABEL, Kind.NOTE, Kind.MEASURE):
        put(folder, kind, TEXT, identity)
    for path in folder.rglob("*"):
        assert "sofa" not in str(path)
        assert path.is_dir() or b"sofa" not in path.read_bytes()


def test_the_next_label_takes_the_place_of_the_one_before(folder: Path, identity: KeyIdentity) -> None:
    put(folder, Kind.LABEL, b"one", identity)
    put(folder, Kind.LABEL, b"two", identity)
    assert [path.name for path in (folder / ATTACHMENTS_NAME).iterdir()] == ["label.age"]
    assert opened(folder, "label.age", identity) == b"two"


@pytest.mark.parametrize("kind", [Kind.LABEL, Kind.NOTE, Kind.MEASURE])
def test_what_is_empty_or_too_long_is_refused_and_the_longest_is_kept(
    folder: Path, identity: KeyIdentity, kind: Kind
) -> None:
    for content in (b"", b"x" * (MOST_BYTES[kind] + 1)):
        with pytest.raises(StoreError, match="empty or too long"):
            put(folder, kind, content, identity)
    assert list(folder.iterdir()) == []
    assert len(opened(folder, put(folder, kind, b"x" * MOST_BYTES[kind], identity), identity)) == MOST_BYTES[kind]


@pytest.mark.parametrize("kind", [Kind.NOTE, Kind.MEASURE, Kind.CLIP, Kind.REVIEW])
def test_a_recording_has_only_so_many_of_a_kind(folder: Path, kind: Kind) -> None:
    place = folder / ATTACHMENTS_NAME
    place.mkdir()
    (place / file_name_of(kind, MOST_OF_A_KIND[kind])).write_bytes(b"")
    with pytest.raises(TooManyError, match="too many of them"):
        attach(folder, kind, b"sealed")


def test_names_are_told_apart() -> None:
    for kind in Kind:
        assert kind_of(file_name_of(kind, 7)) is kind
    for name in ("label.age.new", "note-1.age", "note-0001.age", "other-001.age", "../note-001.age", "note-001.age "):
        assert kind_of(name) is None


# -- clips and reviews -------------------------------------------------------------------------------------------------


def sealed_elsewhere(content: bytes, identity: KeyIdentity) -> bytes:
    sealed = io.BytesIO()
    encrypt(io.BytesIO(content), sealed, [identity.recipient()])
    return sealed.getvalue()


@pytest.mark.parametrize("kind", [Kind.CLIP, Kind.REVIEW])
def test_only_what_begins_as_an_age_file_does_can_be_brought(identity: KeyIdentity, kind: Kind) -> None:
    sealed = sealed_elsewhere(b"clip", identity)
    check_sealed(kind, sealed)
    for other in (b"in the plain", sealed[:100], b"age-encryption.org/v1\nin the plain\n", sealed[1:]):
        with pytest.raises(AgeError):
            check_sealed(kind, other)
    for other in (b"", sealed + bytes(MOST_BYTES[kind])):
        with pytest.raises(StoreError, match="empty or too long"):
            check_sealed(kind, other)


# -- what waited ------------------------------------------------------------------------------------------------------


def test_what_waited_is_one_file_under_both_names_until_it_is_forgotten(tmp_path: Path, folder: Path) -> None:
    waiting = tmp_path / "measure-x.age"
    waiting.write_bytes(b"sealed")
    assert link(waiting, folder, Kind.MEASURE) == "measure-001.age"
    assert (folder / ATTACHMENTS_NAME / "measure-001.age").samefile(waiting)


def test_a_label_that_waited_never_takes_the_place_of_a_newer_one(tmp_path: Path, folder: Path) -> None:
    attach(folder, Kind.LABEL, b"newer")
    waiting = tmp_path / "label-x.age"
    waiting.write_bytes(b"older")
    assert link(waiting, folder, Kind.LABEL) == "label.age"
    assert (folder / ATTACHMENTS_NAME / "label.age").read_bytes() == b"newer"


# -- cuts and disks ---------------------------------------------------------------------------------------------------


def test_a_cut_at_any_moment_leaves_the_old_label_or_the_new_one(
    tmp_path: Path, identity: KeyIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = 0
    new = seal(Kind.LABEL, b"new", [identity.recipient()])
    for cut in cuts(monkeypatch):
        folder = tmp_path / str(rounds)
        folder.mkdir()
        put(folder, Kind.LABEL, b"old", identity)
        with cut:
            attach(folder, Kind.LABEL, new)
        assert opened(folder, "label.age", identity) in {b"old", b"new"}
        rounds += 1
    assert rounds > 3


def test_a_disk_that_fails_is_told_in_our_words(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Cut(monkeypatch, at=2, error=OSError(5, "Input/output error")), pytest.raises(StoreError, match="attachment"):
        attach(folder, Kind.LABEL, b"sealed")


def test_a_full_store_is_told_and_keeps_what_was_there(tmp_path: Path, identity: KeyIdentity) -> None:
    with small_disk(tmp_path / "disk", 256) as disk:
        put(disk, Kind.LABEL, b"old", identity)
        fill(disk)
        with pytest.raises(StoreFullError):
            put(disk, Kind.LABEL, TEXT, identity)
        assert opened(disk, "label.age", identity) == b"old"
        assert aside(Path("label.age")).name == "label.age.new"
