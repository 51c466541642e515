"""The audit log on a disk: what is told durable is there, and half a line is never followed by an entry."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from device.audit import AuditLog, head_of, newest_entries
from device.errors import StoreError, StoreFullError
from device.recording.audited import Happened, What
from device.recording.chain import Head, parse_head, read_line
from provisioning.verify_audit import verify_audit
from tests.audit.logs import KEY, files_of, gap, lines_of, stamp, write
from tests.support import Cut, cuts, fill, small_disk


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "audit"


def numbers(folder: Path) -> list[int]:
    return [read_line(line).number for _, line in lines_of(folder)]


def whats(folder: Path) -> list[str]:
    return [read_line(line).payload["what"] for _, line in lines_of(folder)]


def test_each_entry_holds_the_hash_of_the_line_before(folder: Path) -> None:
    write(folder, 5)
    before = "0" * 64
    for number, (_, line) in enumerate(lines_of(folder), start=1):
        entry = read_line(line)
        assert (entry.number, entry.before) == (number, before)
        before = sha256(line).hexdigest()
    assert head_of(folder) == Head(5, before)


def test_it_goes_on_where_it_was_when_it_is_opened_again(folder: Path) -> None:
    for _ in range(4):
        write(folder, 3)
    assert numbers(folder) == list(range(1, 13))
    assert len(files_of(folder)) == 1
    assert verify_audit(folder).bad is None


def test_a_full_file_is_followed_by_another_and_the_chain_goes_on(folder: Path) -> None:
    for _ in range(3):
        write(folder, 10, rotate_bytes=2000)
    assert len(files_of(folder)) > 4
    assert all(path.stat().st_size <= 2000 for path in files_of(folder))
    firsts = {name: read_line(line).number for name, line in reversed(lines_of(folder))}
    assert [int(name[:12]) for name in firsts] == list(firsts.values())
    report = verify_audit(folder)
    assert (report.bad, report.verdict.entries) == (None, 30)


def test_the_newest_entries_come_first_across_files(folder: Path) -> None:
    write(folder, 12, rotate_bytes=2000)
    assert [entry["number"] for entry in newest_entries(folder)] == list(range(12, 0, -1))


def test_a_second_program_cannot_write_at_the_same_time(folder: Path) -> None:
    first = AuditLog(folder, device_key=KEY)
    with pytest.raises(StoreError, match="another program writes the audit log"):
        AuditLog(folder, device_key=KEY)
    first.close()
    write(folder, 1)


@pytest.mark.parametrize("tail", [b"{", b"x" * 200, bytes(700), bytes(300) + b'ature"}\n', b"\r"])
def test_what_a_power_cut_tore_is_cut_off_and_told(folder: Path, tail: bytes) -> None:
    write(folder, 3)
    with files_of(folder)[0].open("ab") as file:
        file.write(tail)
    torn = verify_audit(folder, head=head_of(folder))
    assert torn.bad is None
    assert torn.verdict.torn == ((files_of(folder)[0].name, len(tail)),)
    write(folder, 1)
    assert whats(folder) == ["gap"] * 3 + ["torn", "gap"]
    told = read_line(lines_of(folder)[3][1]).payload["facts"]
    assert told == {"bytes": len(tail), "digest": sha256(tail).hexdigest()}
    assert verify_audit(folder).bad is None


def test_a_line_that_somebody_spoiled_in_the_middle_does_not_stop_the_log(folder: Path) -> None:
    write(folder, 3)
    path = files_of(folder)[0]
    path.write_bytes(path.read_bytes().replace(b'"number":2', b'"number":7'))
    write(folder, 2)
    bad = verify_audit(folder).bad
    assert bad is not None
    assert (bad.number, numbers_at_the_end(folder)) == (2, [4, 5])


def numbers_at_the_end(folder: Path) -> list[int]:
    return [read_line(line).number for _, line in lines_of(folder)[-2:]]


def test_a_file_that_holds_no_entry_yet_is_used(folder: Path) -> None:
    write(folder, 4, rotate_bytes=1)
    assert len(files_of(folder)) == 4
    files_of(folder)[3].write_bytes(b"torn")
    write(folder, 1)
    assert numbers(folder) == [1, 2, 3, 4, 5]
    assert whats(folder)[3:] == ["torn", "gap"]
    assert verify_audit(folder).bad is None


# -- the disk fails ---------------------------------------------------------------------------------------------------


class Failing:
    """A system call that fails until it is healed, after having done what ``first`` does."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, name: str, code: int, *, first: Callable[..., Any] | None = None
    ) -> None:
        real = getattr(os, name)
        self.healed = False

        def call(*arguments: Any) -> Any:
            if self.healed:
                return real(*arguments)
            if first is not None:
                first(*arguments)
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(os, name, call)


def failing_half_way(monkeypatch: pytest.MonkeyPatch, code: int) -> Failing:
    """A write that puts a hundred bytes there, and then fails."""
    pwrite = os.pwrite
    return Failing(monkeypatch, "pwrite", code, first=lambda file, data, at: pwrite(file, bytes(data[:100]), at))


def test_a_write_that_fails_half_way_leaves_no_half_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = AuditLog(folder, device_key=KEY)
    log.append(gap(1), stamp())
    failing = failing_half_way(monkeypatch, errno.ENOSPC)
    with pytest.raises(StoreFullError):
        log.append(gap(2), stamp())
    assert files_of(folder)[0].read_bytes().endswith(b"\n")
    failing.healed = True
    assert log.append(gap(3), stamp()).number == 2
    log.close()
    assert verify_audit(folder).bad is None


def test_a_half_line_that_could_not_be_cut_off_is_cut_off_before_the_next_entry(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = AuditLog(folder, device_key=KEY)
    log.append(gap(1), stamp())
    write_fails = failing_half_way(monkeypatch, errno.EIO)
    cut_fails = Failing(monkeypatch, "ftruncate", errno.EIO)
    with pytest.raises(StoreError):
        log.append(gap(2), stamp())
    write_fails.healed = True
    with pytest.raises(StoreError):  # it cannot be cut: nothing is written behind it
        log.append(gap(2), stamp())
    assert not files_of(folder)[0].read_bytes().endswith(b"\n")
    cut_fails.healed = True
    assert log.append(gap(2), stamp()).number == 2
    log.close()
    report = verify_audit(folder)
    assert (report.bad, report.verdict.torn, report.verdict.entries) == (None, (), 2)


def test_after_a_sync_that_failed_nothing_more_is_written_to_that_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = AuditLog(folder, device_key=KEY)
    log.append(gap(1), stamp())
    failing = Failing(monkeypatch, "fdatasync", errno.EIO)
    for _ in range(3):
        with pytest.raises(StoreError):
            log.append(gap(2), stamp())
    failing.healed = True
    assert log.append(gap(2), stamp()).number == 2
    log.close()
    assert [path.name for path in files_of(folder)] == ["000000000001.jsonl", "000000000002.jsonl"]
    assert numbers(folder) == [1, 2]
    assert verify_audit(folder).bad is None


def test_a_power_cut_at_any_call_loses_no_entry_that_was_told_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 0
    for cut in cuts(monkeypatch):
        count += 1
        folder = tmp_path / f"audit-{count}"
        told: list[Head] = []
        log: AuditLog | None = None
        with cut:
            log = AuditLog(folder, device_key=KEY, rotate_bytes=900)
            for number in range(4):
                told.append(log.append(gap(number), stamp()))  # noqa: PERF401  # what was told before the cut counts
        if log is not None:
            log.close()  # a program that is gone has let go of its lock; nothing is written by this
        write(folder, 1, rotate_bytes=900)
        report = verify_audit(folder, head=told[-1] if told else None)
        assert report.bad is None
        assert report.verdict.entries > len(told)
    assert count > 10


def test_a_full_disk_is_told_and_the_log_goes_on_once_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64) as disk:
        log = AuditLog(disk / "audit", device_key=KEY)
        log.append(gap(1), stamp())
        filling, written = fill(disk), 1
        with pytest.raises(StoreFullError):  # what is left of the last page still takes some
            for _ in range(100):
                log.append(gap(2), stamp())
                written += 1
        assert len(lines_of(disk / "audit")) == written
        filling.unlink()
        log.append(gap(3), stamp())
        log.close()
        report = verify_audit(disk / "audit")
        assert (report.bad, report.verdict.entries) == (None, written + 1)


# -- kill -9 ----------------------------------------------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
from device.audit import AuditLog
from tests.audit.logs import KEY, gap, stamp
log = AuditLog(Path(sys.argv[1]), device_key=KEY, rotate_bytes=8000)
while True:
    print(log.append(gap(1), stamp()), flush=True)
"""


def test_kill_in_the_middle_of_writing_loses_nothing_that_was_told_durable(folder: Path, rounds: int) -> None:
    root = Path(__file__).parent.parent.parent
    command = [sys.executable, "-c", WRITER, folder]
    for number in range(1, rounds + 1):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as writer:
            assert writer.stdout is not None
            told = [writer.stdout.readline() for _ in range(7 * number)]
            writer.send_signal(signal.SIGKILL)
            told += writer.stdout.readlines()
        heads = [head.strip() for head in told if head.endswith("\n")]
        report = verify_audit(folder, head=parse_head(heads[-1]))
        assert report.bad is None
        assert report.verdict.head_seen
        assert report.verdict.entries >= int(heads[-1].split(":")[0])


def test_what_is_in_the_log_can_be_read_with_any_editor(folder: Path) -> None:
    log = AuditLog(folder, device_key=KEY)
    log.append(Happened(What.BOX_ENDED), stamp())
    log.close()
    (line,) = files_of(folder)[0].read_text().splitlines()
    assert json.loads(line)["payload"] == {
        "at": "2026-03-02T09:00:01.000Z",
        "before": "0" * 64,
        "boot": "b",
        "clock_trusted": True,
        "monotonic_us": 1,
        "number": 1,
        "what": "box ended",
    }


def test_the_name_of_a_new_file_is_durable_before_its_first_entry(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    log = AuditLog(folder, device_key=KEY, rotate_bytes=1)
    log.append(gap(1), stamp())
    with Cut(monkeypatch, at=1000, log=calls):
        log.append(gap(2), stamp())
    log.close()
    # Opened: the new file, and the folder to sync it.
    assert calls == ["open", "open", "fsync", "pwrite", "fdatasync"]
