"""Nobody waits for the audit log's disk; what it could not take in is told, in its place."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from device.audit import AuditLog
from device.capture.auditor import Auditor
from device.clock import SystemClock
from device.errors import StoreError
from device.recording.chain import Head, read_line
from provisioning.verify_audit import verify_audit
from tests.audit.logs import KEY, gap, lines_of
from tests.support import PATIENCE_S


class Disk:
    """Opens logs on a disk that can be stopped, and that can fail."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs = threading.Event()
        self.runs.set()
        self.reached = threading.Event()
        self.failing = False

    def open(self) -> AuditLog:
        disk = self

        class Log(AuditLog):
            def append(self, *arguments: Any) -> Head:
                disk.reached.set()
                assert disk.runs.wait(PATIENCE_S)
                if disk.failing:
                    raise StoreError("the store failed: an audit entry could not be written", "look at it")
                return super().append(*arguments)

        return Log(self.folder, device_key=KEY)

    def entries(self) -> list[dict[str, Any]]:
        return [read_line(line).payload for _, line in lines_of(self.folder)]


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path / "audit")


Make = Callable[..., Auditor]


@pytest.fixture
def make(disk: Disk) -> Iterator[Make]:
    made: list[Auditor] = []

    def make(**settings: Any) -> Auditor:
        made.append(Auditor(disk.open, clock=SystemClock(), boot="b", **settings))
        return made[-1]

    yield make
    disk.runs.set()
    for auditor in made:
        auditor.close()


def test_what_is_told_is_written_in_that_order(disk: Disk, make: Make) -> None:
    auditor = make()
    for number in range(50):
        auditor.note(gap(number))
    assert auditor.note_durably(gap(50), patience_s=PATIENCE_S) == 51
    assert [entry["facts"]["start_sample"] for entry in disk.entries()] == list(range(51))
    assert auditor.head is not None
    assert auditor.head.number == 51
    assert auditor.problem is None


def test_a_stalled_disk_keeps_nobody_waiting_and_what_waited_is_written_with_its_own_time(
    disk: Disk, make: Make
) -> None:
    auditor = make()
    disk.runs.clear()
    told_us = []
    for number in range(100):
        told_us.append(SystemClock().now_us())
        auditor.note(gap(number))
    assert auditor.note_durably(gap(100), patience_s=0.01) is None
    resumed_us = SystemClock().now_us()
    disk.runs.set()
    auditor.close()
    entries = disk.entries()
    assert [entry["facts"]["start_sample"] for entry in entries] == list(range(100))  # and nobody waits for the last
    assert all(at_us <= entry["monotonic_us"] <= resumed_us for at_us, entry in zip(told_us, entries, strict=True))


def test_what_found_no_room_is_counted_where_it_is_missing(disk: Disk, make: Make) -> None:
    auditor = make(most_waiting=10)
    disk.runs.clear()
    auditor.note(gap(0))
    assert disk.reached.wait(PATIENCE_S)
    for number in range(1, 31):
        auditor.note(gap(number))
    assert auditor.problem is not None
    assert "entries were lost" in auditor.problem.what
    disk.runs.set()
    auditor.close()
    entries = disk.entries()
    kept = [entry["facts"].get("start_sample") for entry in entries]
    assert kept == [*range(9), None]
    assert (entries[-1]["what"], entries[-1]["facts"]) == ("lost", {"count": 22})
    assert verify_audit(disk.folder).bad is None


def test_what_comes_after_a_loss_stands_after_the_count(disk: Disk, make: Make) -> None:
    auditor = make(most_waiting=5)
    disk.runs.clear()
    for number in range(20):
        auditor.note(gap(number))
    disk.runs.set()
    until_s = time.monotonic() + PATIENCE_S
    while auditor.note_durably(gap(99), patience_s=PATIENCE_S) is None:  # until what waited before has found its place
        assert time.monotonic() < until_s
    whats = [entry["what"] for entry in disk.entries()]
    assert whats.index("lost") == 4
    assert disk.entries()[-1]["facts"] == {"start_sample": 99, "samples": 480, "cause": "other"}
    assert auditor.problem is None


def test_a_disk_that_fails_is_told_and_nothing_is_lost_once_it_is_well(disk: Disk, make: Make) -> None:
    auditor = make()
    disk.failing = True
    auditor.note(gap(0))
    assert disk.reached.wait(PATIENCE_S)
    while auditor.problem is None:
        assert auditor.head is None
    assert auditor.note_durably(gap(7), patience_s=PATIENCE_S) is None  # at once: nobody waits for a disk that fails
    disk.failing = False
    auditor.note(gap(1))
    auditor.close()
    assert [entry["facts"]["start_sample"] for entry in disk.entries()] == [0, 1]
    assert auditor.problem is None


def test_a_log_that_cannot_be_opened_is_tried_again(disk: Disk, make: Make) -> None:
    other = disk.open()
    auditor = make()
    auditor.note(gap(0))
    while auditor.problem is None:
        assert auditor.head is None
    assert auditor.problem.what == "another program writes the audit log"
    other.close()
    auditor.note(gap(1))
    auditor.close()
    assert len(disk.entries()) == 2


def test_the_end_of_the_service_does_not_wait_for_ever_for_a_disk(disk: Disk, make: Make) -> None:
    auditor = make()
    disk.failing = True
    auditor.note(gap(0))
    auditor.close()
    assert auditor.problem is not None
    assert disk.entries() == []


def test_a_thread_that_dies_is_told(disk: Disk, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(AuditLog, "append", broken)
    auditor = make()
    auditor.note(gap(0))
    auditor._thread.join(PATIENCE_S)
    assert auditor.problem is not None
    assert "a part of the program failed" in auditor.problem.what
