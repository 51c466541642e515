"""A store that is missing, read-only, filled by others or failing, and a clock that nobody set: what the room is told.

Told means: the lamp, the tone and what the page says (``device.web.says``). The box itself never ends.
"""

from __future__ import annotations

import errno
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

import device.overwriting
from device.clock import PacedClock
from device.panel_language import Colour, Pattern
from device.recording import CHUNK_BYTES, WITHDRAWN_NAME
from device.recording.manifest import RecordingState
from device.status import Status
from device.web.says import says
from tests.service.rooms import RATE_HZ, MakeBox, only
from tests.support import Box, fill, small_disk, store_at

FAULT_LAMPS = {(Colour.YELLOW, Pattern.HZ_2)}


def page(status: Status) -> str:
    """All that the page says is wrong."""
    return " ".join(f"{wrong.what} {wrong.hint}" for wrong in says(status, stale=False).wrong)


def check_refused(box: Box) -> Status:
    """The lamp says that nothing can be recorded, presses do nothing, and no device is touched."""
    seen = box.until_state("fault")
    assert {(lamp.colour, lamp.pattern) for lamp in seen.panel.lamps} == FAULT_LAMPS
    assert not seen.panel.room_light
    assert all(what and hint for what, hint in seen.faults)
    box.consent()
    box.record()
    box.pass_s(10)
    assert box.status().state == "fault"
    assert "microphone opening" not in box.log.events
    return seen


def check_records_again(box: Box) -> None:
    box.until(lambda status: status.state == "idle" and not status.faults)
    box.begin()
    box.end()
    box.stop()
    assert [manifest.state for manifest in box.manifests()] == [RecordingState.COMPLETE]


def test_a_store_that_is_missing_at_boot_is_a_fault_until_it_is_there(make_box: MakeBox, tmp_path: Path) -> None:
    store = store_at(tmp_path / "store")
    store.path.rmdir()
    box = make_box(store=store)
    assert "No such file or directory" in page(check_refused(box))
    store.path.mkdir()
    check_records_again(box)


def test_a_store_that_is_read_only_at_boot_is_a_fault_until_it_can_be_written(
    make_box: MakeBox, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", 64 * 1024) as disk:
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        box = make_box(store=store_at(disk))
        assert "Read-only file system" in page(check_refused(box))
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        check_records_again(box)


def test_a_store_filled_by_others_refuses_a_start_until_there_is_room_again(make_box: MakeBox, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64 * 1024) as disk:
        filling = fill(disk)
        box = make_box(store=store_at(disk))
        said = page(check_refused(box))
        assert "room" in said or "full" in said
        filling.unlink()
        check_records_again(box)


@pytest.mark.parametrize("call", ["fdatasync", "pwrite"])
def test_a_failing_fsync_ends_the_recording_which_is_sealed_as_it_is_and_told(
    make_box: MakeBox, tmp_path: Path, room: bytes, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    box = make_box()
    box.begin()
    box.pass_s(3)
    real, failed = getattr(os, call), []

    def fail_once(*args: object) -> object:
        if not failed:
            failed.append(args)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(*args)

    monkeypatch.setattr(os, call, fail_once)
    box.until(lambda status: status.state in {"sealing", "sealed", "kept"} and not status.panel.room_light)
    assert "two low tones" in box.panel.tones
    monkeypatch.undo()
    manifest = only(box)
    assert manifest.state is RecordingState.INTERRUPTED
    assert manifest.end == "the store failed: a chunk could not be made durable: Input/output error"
    sound = box.sound(manifest.id, tmp_path)
    assert len(sound) > 2 * RATE_HZ * 2
    assert sound == (room * 3)[: len(sound)]
    assert manifest.size_bytes == box.sealed(manifest.id).stat().st_size
    assert manifest.chunks > 2
    # The next recording goes to a file of its own, and is whole.
    box.until_state("idle", "kept", "sealed")
    box.consent()
    box.until_state("armed")
    box.record()
    box.until(lambda status: status.recording and status.recording.durable_us > 0)
    box.end()
    box.stop()
    second = box.manifests()[-1]
    assert (second.state, second.id != manifest.id) == (RecordingState.COMPLETE, True)
    assert second.size_bytes > CHUNK_BYTES


class UnsetClock(PacedClock):
    """The clock of a box without a battery that has not heard of the time yet."""

    def __init__(self, *, speed: float, start: datetime) -> None:
        super().__init__(speed=speed, start=datetime(1970, 1, 1, tzinfo=UTC))

    def trusted(self) -> bool:
        return False


def test_with_a_clock_that_was_never_set_the_box_records_and_says_so(
    make_box: MakeBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.PacedClock", UnsetClock)
    box = make_box()
    seen = box.begin()
    assert not seen.clock_trusted
    box.pass_s(3)
    box.end()
    box.consent()
    box.until_state("armed")
    box.record()
    box.until(lambda status: status.recording and status.recording.durable_us > 0)
    box.pass_s(1)
    box.end()
    box.stop()
    first, second = box.manifests()
    assert (first.clock_trusted, second.clock_trusted) == (False, False)
    assert first.started.startswith("1970-01-01")
    # Order and duration hang on no clock that anybody sets.
    assert first.id < second.id
    assert first.started_monotonic_us + first.duration_us < second.started_monotonic_us
    assert first.duration_us > 3_000_000


def test_a_disk_that_fails_while_a_withdrawal_is_marked_is_asked_again(
    make_box: MakeBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The mark was given up after one error: until the window closed, a power cut would have kept the recording.
    box = make_box(speed=5)
    box.begin()
    real, failed = device.overwriting.make_name, []

    def fail_twice(path: Path) -> None:
        if len(failed) < 2:
            failed.append(path)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(path)

    monkeypatch.setattr(device.overwriting, "make_name", fail_twice)
    box.consent()
    box.until_state("withdrawn")
    (recording_id,) = box.store.ids()
    seen = box.until(lambda _status: (box.store.folder(recording_id) / WITHDRAWN_NAME).exists())
    assert len(failed) == 2
    assert seen.state == "withdrawn"
