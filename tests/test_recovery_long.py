"""Recovery of a long recording costs what its last fragment and its ledger cost, whatever its length."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from device.recording import LEDGER_NAME, SESSION_NAME
from device.recording.manifest import RecordingState
from device.recovery import recover
from device.store import read_manifest
from tests.bench_recovery import AT, CHUNK_US, make_torn
from tests.support import store_at

SIZE_BYTES = 24_000_000


def test_of_a_long_recording_only_the_ledger_and_the_end_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_at(tmp_path / "store")
    folder = make_torn(store, SIZE_BYTES)
    chunks = SIZE_BYTES // (1 << 16) - 1
    read_bytes, real = [0], os.pread

    def counted(descriptor: int, size: int, offset: int) -> bytes:
        read_bytes[0] += size
        return real(descriptor, size, offset)

    monkeypatch.setattr(os, "pread", counted)
    (found,) = recover(store, at=AT)
    assert (found.what, found.duration_us) == ("closed", chunks * CHUNK_US)
    manifest = read_manifest(folder)
    assert (manifest.state, manifest.chunks) == (RecordingState.INTERRUPTED, chunks)
    assert manifest.size_bytes == (folder / SESSION_NAME).stat().st_size
    assert not (folder / LEDGER_NAME).exists()
    assert 0 < read_bytes[0] <= 8 * (1 << 16)


def test_progress_is_told_before_each_recording(tmp_path: Path) -> None:
    store = store_at(tmp_path / "store")
    for _ in range(3):
        make_torn(store, 1_000_000)
    told: list[tuple[int, int]] = []
    found = recover(store, at=AT, progress=lambda done, total: told.append((done, total)))
    assert [one.what for one in found] == ["closed"] * 3
    assert told == [(0, 3), (1, 3), (2, 3)]
