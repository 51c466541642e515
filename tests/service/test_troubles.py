"""What goes wrong while a recording runs is told, and costs as little as it can."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest

from device.capture.simulated import SimulatedMicrophone
from device.capture.take import STORE_FULL
from device.clock import PacedClock
from device.errors import RecipientError
from device.panel_language import Colour, Pattern
from device.recording.manifest import RecordingState, SoundVerdict
from device.status import Status
from tests.service.rooms import RATE_HZ, MakeBox, only, samples_in, troubled
from tests.support import (
    PATIENCE_S,
    fill,
    small_disk,
    store_at,
    write_wav,
)

# -- troubles ---------------------------------------------------------------------------------------------------------


def test_a_second_microphone_steps_in_mid_session_and_everybody_is_told(
    make_box: MakeBox, tmp_path: Path, room: bytes
) -> None:
    other = write_wav(tmp_path / "second.wav", room, rate_hz=RATE_HZ, channels=1, bits=16)
    box = make_box(second=lambda clock: SimulatedMicrophone(other, clock=clock, loop=True))
    box.begin()
    box.pass_s(1)
    box.microphone.unplug()
    seen = box.until(troubled("second microphone"))
    assert seen.state == "troubled"
    assert seen.panel.room_light
    box.pass_s(2)
    box.end()
    manifest = only(box)
    assert manifest.sound is not None
    first, second = manifest.sound.microphones
    assert (first.at_us, first.name) == (0, "simulated: room.wav")
    assert second.name == "simulated: second.wav"
    assert second.at_us > 1_000_000
    (gap,) = manifest.gaps
    assert gap.samples < 10 * RATE_HZ
    assert manifest.duration_us > 3_000_000


def test_a_session_that_begins_on_the_second_microphone_says_so_from_the_start(
    make_box: MakeBox, tmp_path: Path, room: bytes
) -> None:
    other = write_wav(tmp_path / "second.wav", room, rate_hz=RATE_HZ, channels=1, bits=16)
    box = make_box(second=lambda clock: SimulatedMicrophone(other, clock=clock, loop=True))
    box.microphone.unplug()
    box.begin()
    box.until(troubled("second microphone"))
    box.end()
    manifest = only(box)
    assert manifest.sound is not None
    assert [microphone.at_us for microphone in manifest.sound.microphones] == [0]
    assert not manifest.gaps


def test_a_stand_in_that_hears_otherwise_is_not_mixed_into_the_recording(
    make_box: MakeBox, tmp_path: Path, room: bytes
) -> None:
    """One track has one format, and nothing is ever converted: the gap goes on until the first one is back."""
    other = write_wav(tmp_path / "other.wav", room * 2, rate_hz=RATE_HZ, channels=2, bits=16)
    box = make_box(second=lambda clock: SimulatedMicrophone(other, clock=clock, loop=True))
    box.begin()
    box.pass_s(1)
    box.microphone.unplug()
    box.until(troubled("microphone gone"))
    box.pass_s(3)
    box.microphone.plug()
    box.until_state("recording")
    box.end()
    manifest = only(box)
    assert manifest.sound is not None
    assert len(manifest.sound.microphones) == 1
    assert sum(gap.samples for gap in manifest.gaps) > 2.9 * RATE_HZ


def test_a_microphone_that_was_gone_leaves_a_gap_of_exact_length(
    make_box: MakeBox, tmp_path: Path, room: bytes
) -> None:
    box = make_box(speed=10)
    box.begin()
    box.pass_s(1)
    box.microphone.unplug()
    seen = box.until(troubled("microphone gone"))
    assert seen.state == "troubled"
    assert seen.panel.room_light
    assert {(lamp.colour, lamp.pattern) for lamp in seen.panel.lamps} == {(Colour.YELLOW, Pattern.HZ_1)}
    assert seen.panel.tone == "two low tones"
    box.pass_s(3)
    box.microphone.plug()
    box.until_state("recording")
    box.pass_s(2)
    box.end()
    manifest = only(box)
    (gap,) = manifest.gaps
    assert manifest.report.verdict is SoundVerdict.GAPS
    assert 2.9 * RATE_HZ < gap.samples < 4 * RATE_HZ
    sound = box.sound(manifest.id, tmp_path)
    before, missing = sound[: 2 * gap.start_sample], sound[2 * gap.start_sample : 2 * (gap.start_sample + gap.samples)]
    after = sound[len(before) + len(missing) :]
    assert before == (room * 3)[: len(before)]
    assert missing == bytes(2 * gap.samples)
    # The room went on meanwhile: what follows the gap is what was said when it ended, to a tenth of a second.
    at = (room * 3).index(after)
    print(f"\nafter a gap of {gap.samples} samples the sound is {at // 2 - gap.start_sample - gap.samples} samples off")
    assert abs(at // 2 - gap.start_sample - gap.samples) < RATE_HZ / 10
    assert len(sound) == 2 * samples_in(manifest.duration_us)


def test_silence_is_told_after_ten_seconds_and_forgotten_when_there_is_sound(make_box: MakeBox, room: bytes) -> None:
    box = make_box(sound=bytes(14 * RATE_HZ * 2) + room)
    box.begin()
    seen = box.until(troubled("no sound"))
    assert seen.recording is not None
    assert 9_900_000 < seen.recording.elapsed_us < 12_000_000
    assert seen.level is not None
    assert not seen.level.above_floor
    seen = box.until_state("recording")
    assert seen.level is not None
    assert seen.level.above_floor
    box.end()
    assert box.watcher.states.count("troubled") == 1


class ImpatientClock(PacedClock):
    """A time that waits for the test only: disks are as slow as they are."""

    def keep_pace(self, who: str, until_us: int | None) -> None:
        if who == "test":
            super().keep_pace(who, until_us)


def test_a_disk_that_stalls_costs_no_sound_and_is_told(
    make_box: MakeBox, tmp_path: Path, room: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.PacedClock", ImpatientClock)
    box = make_box(speed=20)
    box.begin()
    release, real = threading.Event(), os.fdatasync

    def slow(descriptor: int) -> None:
        assert release.wait(PATIENCE_S)
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", slow)
    seen = box.until(troubled("storage slow"))
    assert seen.recording is not None
    assert seen.recording.elapsed_us - seen.recording.durable_us > 3_900_000
    box.pass_s(5)
    release.set()
    box.until_state("recording")
    box.end()
    manifest = only(box)
    assert manifest.gaps == ()
    assert box.sound(manifest.id, tmp_path) in room * 9


# -- the store fails --------------------------------------------------------------------------------------------------


SMALL_KIB = 48 * 1024  # room for one session of a minute, and little more


def test_a_store_that_others_fill_at_once_ends_the_recording_which_is_sealed_as_it_is(
    make_box: MakeBox, tmp_path: Path, room: bytes
) -> None:
    with small_disk(tmp_path / "disk", SMALL_KIB) as disk:
        box = make_box(store=store_at(disk))
        box.begin()
        box.pass_s(3)
        filling = fill(disk, but=200_000)
        box.until_state("sealing", "sealed", "kept")
        assert box.panel.tones[-1] in {"two low tones", "one long tone"}
        assert "two low tones" in box.panel.tones
        seen = box.until(lambda status: status.faults)
        assert "no room" in str(seen.faults) or "full" in str(seen.faults)
        filling.unlink()
        box.until(lambda status: not status.faults)
        first = box.store.ids()[0]
        sound = box.sound(first, tmp_path)
        assert len(sound) > 3 * RATE_HZ * 2
        assert sound == (room * 3)[: len(sound)]
        listed = box.store.find(first)
        assert listed is not None
        assert (listed.manifest.state, listed.manifest.end) in {
            (RecordingState.INTERRUPTED, "the store is full: a chunk could not be made durable"),
            (RecordingState.OPEN, None),  # where there was no room even for its manifest; the next start closes it
            (RecordingState.COMPLETE, STORE_FULL),  # where the look at the room came before the chunk that had none
        }
        box.consent()
        box.until_state("armed")
        box.record()
        box.until(lambda status: status.recording and status.recording.durable_us > 0)
        box.end()
        box.stop()
        assert box.manifests()[-1].state is RecordingState.COMPLETE
        assert box.manifests()[-1].id != first


def test_a_recording_of_which_nothing_became_durable_is_never_called_sealed(make_box: MakeBox, tmp_path: Path) -> None:
    # The lamp said "sealed", though not one chunk had reached the disk.
    with small_disk(tmp_path / "disk", SMALL_KIB) as disk:
        box = make_box(store=store_at(disk))
        box.consent()
        box.until_state("armed")
        filling = fill(disk)
        box.record()
        box.until_state("refused", "fault")
        assert "sealed" not in box.watcher.states
        assert "one long tone" not in box.panel.tones
        assert box.store.listing() == []
        filling.unlink()
        box.until(lambda status: status.state == "idle" and not status.faults)
        box.begin()
        box.end()
        box.stop()
        assert [manifest.state for manifest in box.manifests()] == [RecordingState.COMPLETE]


def test_a_store_that_is_gone_is_a_fault_until_it_is_back(make_box: MakeBox) -> None:
    box = make_box()
    box.until_state("idle")
    box.store.path.rename(box.store.path.with_name("elsewhere"))
    seen = box.until_state("fault")
    assert {(lamp.colour, lamp.pattern) for lamp in seen.panel.lamps} == {(Colour.YELLOW, Pattern.HZ_2)}
    assert not seen.panel.room_light
    assert all(what and hint for what, hint in seen.faults)
    box.consent()
    box.record()
    assert box.status().state == "fault"
    assert box.log.events == []
    box.store.path.with_name("elsewhere").rename(box.store.path)
    assert box.until_state("idle").faults == ()
    box.begin()
    box.end()
    assert len(box.manifests()) == 1


def test_a_store_that_goes_while_recording_ends_it_and_is_told(make_box: MakeBox) -> None:
    box = make_box()
    box.begin()
    shutil.rmtree(box.store.path)
    box.record()
    box.until_state("sealed", "kept", "sealing")
    box.pass_s(121)
    assert box.until_state("fault").faults


def test_without_a_recipient_the_box_shows_a_fault_and_records_nothing(make_box: MakeBox) -> None:
    problem = RecipientError("there is no recipient", "make a key")
    box = make_box(recipients=[], standing=(problem,))
    seen = box.until_state("fault")
    assert seen.faults == (("there is no recipient", "make a key"),)
    assert {(lamp.colour, lamp.pattern) for lamp in seen.panel.lamps} == {(Colour.YELLOW, Pattern.HZ_2)}
    box.consent()
    box.record()
    box.pass_s(20)
    assert box.status().state == "fault"
    assert box.log.events == []
    assert list(box.store.path.iterdir()) == []


def test_a_status_that_cannot_be_published_does_not_end_a_recording(make_box: MakeBox) -> None:
    box = make_box()
    box.begin()
    publish = box.service._publish

    def full(_status: Status) -> None:
        raise OSError(28, "No space left on device")

    box.service._publish = full
    box.pass_s(3)
    box.service._publish = publish
    box.until_state("recording")
    box.end()
    assert only(box).duration_us > 3_000_000
