"""How fast the store is, found out without leaving anything in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from device.check.disk import DiskFigures, judge_disk, judge_room, measure_disk
from device.check.finding import Finding, Level
from device.errors import StoreError, StoreFullError
from device.recording import CHUNK_BYTES
from tests.support import Cut, fill, small_disk


def judged(*records_s: float) -> Finding:
    (found,) = judge_disk(DiskFigures(records_s), needed_bytes_per_s=310_000)
    return found


def test_a_measurement_leaves_nothing_behind(tmp_path: Path) -> None:
    disk = measure_disk(tmp_path, seconds=0.05)
    assert len(disk.records_s) >= 4
    assert disk.bytes_per_s > 0
    assert list(tmp_path.iterdir()) == []


def test_the_file_has_no_name_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[list[Path]] = []
    real = os.fdatasync

    def looked_at(descriptor: int) -> None:
        names.append(list(tmp_path.iterdir()))
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", looked_at)
    measure_disk(tmp_path, seconds=0)
    assert names == [[]] * 4


def test_nothing_is_left_in_a_store_that_fails_halfway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Cut(monkeypatch, at=6, error=OSError(5, "Input/output error")), pytest.raises(StoreError):
        measure_disk(tmp_path, seconds=1)
    assert list(tmp_path.iterdir()) == []


def test_a_full_store_is_told_as_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "store", 512) as store:
        fill(store, but=CHUNK_BYTES * 2)
        with pytest.raises(StoreFullError):
            measure_disk(store, seconds=1)
        assert [path.name for path in store.iterdir()] == ["fill"]


def test_a_store_that_keeps_up_is_good() -> None:
    found = judged(0.01, 0.02, 0.01, 0.03)
    assert found.level is Level.GOOD
    assert found.figures["median_ms"] == 20.0
    assert found.figures["worst_ms"] == 30.0


@pytest.mark.parametrize("records_s", [(0.15, 0.16, 0.15), (0.01, 0.01, 0.7, 0.01)], ids=["slow", "stalls"])
def test_little_to_spare_is_worth_a_look(records_s: tuple[float, ...]) -> None:
    assert judged(*records_s).level is Level.LOOK


def test_a_store_slower_than_the_sound_is_bad() -> None:
    found = judged(0.3, 0.2, 0.4)
    assert found.level is Level.BAD
    assert "too slow" in found.what


@pytest.mark.parametrize(("sessions", "level"), [(0, Level.BAD), (1, Level.LOOK), (5, Level.GOOD)])
def test_free_room_is_told_in_whole_sessions(sessions: int, level: Level) -> None:
    (found,) = judge_room(sessions * 1000 + 999, session_bytes=1000)
    assert found.level is level
    assert found.figures["sessions"] == sessions
