"""What an open recording takes of the disk: each record one page, and its room ahead, which is given back."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import device.sealed_file
from device.age.identities import generate_identity
from device.capture.sealer import Sealer
from device.recording import CHUNK_BYTES, LEDGER_NAME, SESSION_NAME
from device.recording.ledger import RECORD_BYTES, parse_ledger
from device.recovery import close_torn
from device.sealed_file import AHEAD_BYTES, LEDGER_STEP_BYTES, SealedFile
from device.setting_aside import give_back, set_aside
from device.store import Store
from tests.support import manifest_of, store_at

IDENTITY = generate_identity(post_quantum=False)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return store_at(tmp_path / "store")


@contextmanager
def recording(store: Store) -> Iterator[tuple[Path, Callable[[int], None]]]:
    """The folder of an open recording, and what adds so many fragments of one chunk to it."""
    folder = store.new_folder()
    store.write_manifest(manifest_of(folder.name))
    sealer = Sealer([IDENTITY.recipient()], SealedFile(folder), on_durable=lambda _end_us, _size_bytes: None)
    chance = random.Random(4)

    def add(fragments: int) -> None:
        for _ in range(fragments):
            sealer.write(CHUNK_BYTES.to_bytes(4, "big") + b"moof" + chance.randbytes(CHUNK_BYTES - 8), 1_000_000)

    yield folder, add
    sealer.close()


def taken(path: Path) -> int:
    """What a file takes of the disk, in bytes."""
    return path.stat().st_blocks * 512


@pytest.fixture
def _sets_aside(tmp_path: Path) -> None:
    """Only where the file system knows how to."""
    with (tmp_path / "try").open("wb") as file:
        try:
            set_aside(file.fileno(), 0, 1 << 20)
        except OSError as problem:
            pytest.skip(f"no room can be set aside here: {problem}")


def test_a_ledger_has_its_room_written_ahead_and_holds_every_record(store: Store) -> None:
    # Each sync of a ledger that grew had the file system write its own notes about it, for 80 bytes.
    with recording(store) as (folder, add):
        sizes = set()
        for number in range(1, LEDGER_STEP_BYTES // RECORD_BYTES + 20):
            add(1)
            data = (folder / LEDGER_NAME).read_bytes()
            assert len(parse_ledger(data).records) == number
            sizes.add(len(data))
        assert sizes == {LEDGER_STEP_BYTES, 2 * LEDGER_STEP_BYTES}


@pytest.mark.usefixtures("_sets_aside")
def test_room_is_set_aside_while_it_is_open_and_given_back_when_it_is_not(store: Store) -> None:
    with recording(store) as (folder, add):
        add(3)
        path = folder / SESSION_NAME
        assert path.stat().st_size < 4 * CHUNK_BYTES, "it is no longer than what it holds"
        assert AHEAD_BYTES <= taken(path) < 2 * AHEAD_BYTES
        add(AHEAD_BYTES // CHUNK_BYTES)
        assert 2 * AHEAD_BYTES <= taken(path) < 3 * AHEAD_BYTES
        size_bytes = path.stat().st_size
    assert path.stat().st_size == size_bytes
    assert taken(path) < size_bytes + CHUNK_BYTES


@pytest.mark.usefixtures("_sets_aside")
def test_recovery_gives_back_what_a_cut_left_set_aside(store: Store) -> None:
    with recording(store) as (folder, add):
        add(3)
        path = folder / SESSION_NAME
        assert taken(path) >= AHEAD_BYTES
        close_torn(store, folder)
        assert taken(path) < 5 * CHUNK_BYTES


@pytest.mark.parametrize("why", [errno.EOPNOTSUPP, errno.ENOSPC, errno.ENOSYS])
def test_a_file_system_that_sets_nothing_aside_is_asked_once(
    store: Store, monkeypatch: pytest.MonkeyPatch, why: int
) -> None:
    asked = []

    def refuse(*arguments: int) -> None:
        asked.append(arguments)
        raise OSError(why, os.strerror(why))

    monkeypatch.setattr(device.sealed_file, "set_aside", refuse)
    with recording(store) as (folder, add):
        add(AHEAD_BYTES // CHUNK_BYTES + 2)
        assert len(asked) == 1
        assert len(parse_ledger((folder / LEDGER_NAME).read_bytes()).records) == AHEAD_BYTES // CHUNK_BYTES + 2


@pytest.mark.usefixtures("_sets_aside")
def test_what_is_set_aside_changes_neither_size_nor_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"all there is")
    with path.open("r+b") as file:
        set_aside(file.fileno(), 0, 1 << 20)
        assert taken(path) >= 1 << 20
        assert path.read_bytes() == b"all there is"
        give_back(file.fileno())
        assert taken(path) < 1 << 20
        assert path.read_bytes() == b"all there is"


def test_what_cannot_be_set_aside_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with (tmp_path / "file").open("rb") as file, pytest.raises(OSError, match="Bad file descriptor"):
        set_aside(file.fileno(), 0, 1 << 20)
