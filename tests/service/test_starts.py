"""Starts that do not work, and sessions that follow each other."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from device.recording.manifest import Manifest, RecordingState, SoundVerdict
from device.requests import Stop
from device.store import Store
from tests.service.rooms import MakeBox, only, samples_in
from tests.support import (
    PATIENCE_S,
    store_at,
)

# -- starts that do not work ------------------------------------------------------------------------------------------


def test_a_microphone_that_cannot_be_opened_is_a_refusal_and_leaves_nothing(make_box: MakeBox) -> None:
    box = make_box()
    box.microphone.unplug()
    box.consent()
    box.record()
    seen = box.until_state("refused")
    assert not seen.panel.room_light
    assert seen.panel.tone == "three low tones"
    box.until_state("idle")
    assert list(box.store.path.iterdir()) == []
    assert box.log.events == ["light on", "microphone opening", "microphone failed", "light off"]
    box.microphone.plug()
    box.begin()
    box.end()
    assert only(box).state is RecordingState.COMPLETE


@pytest.mark.parametrize("plugged", [True, False])
def test_a_withdrawal_while_the_microphone_is_still_opening_keeps_the_light_on_and_the_box_alive(
    make_box: MakeBox,
    plugged: bool,  # noqa: FBT001
) -> None:
    # The light went out before the device was closed; and the fate of a take that had never begun stopped the service.
    box = make_box()
    box.microphone.gate.clear()
    box.consent()
    box.until_state("armed")
    box.record()
    assert box.microphone.opening.wait(PATIENCE_S)
    box.consent()
    assert box.until_state("withdrawn").panel.room_light
    if not plugged:
        box.microphone.unplug()
    box.microphone.gate.set()
    box.until(lambda status: not status.panel.room_light)
    box.pass_s(121)
    assert box.until_state("idle").sealing == 0
    box.microphone.plug()
    box.begin()
    box.end()
    box.stop()
    assert len(box.manifests()) == 1


def test_a_stop_before_the_microphone_is_free_ends_without_a_recording(make_box: MakeBox) -> None:
    # The second take never had its turn, told nobody, and the service could not be stopped any more.
    box = make_box()
    closing, release = threading.Event(), threading.Event()
    close = box.microphone.close

    def slow_close() -> None:
        closing.set()
        assert release.wait(PATIENCE_S)
        close()

    box.begin()
    box.microphone.close = slow_close  # type: ignore[method-assign]
    box.record()
    assert closing.wait(PATIENCE_S)
    box.consent()
    box.until_state("armed")
    box.record()
    box.until_state("recording")
    box.service.request(Stop())
    assert box.until_state("sealing").panel.room_light
    release.set()
    box.until_state("refused")
    box.until(lambda status: status.state == "idle" and status.sealing == 0)
    box.microphone.close = close  # type: ignore[method-assign]
    box.stop()
    assert only(box).state is RecordingState.COMPLETE
    assert box.log.count("microphone open") == 1


def test_a_microphone_whose_program_fails_is_told_and_the_box_goes_on(make_box: MakeBox) -> None:
    box = make_box()
    healthy = box.microphone.open

    def broken() -> None:
        raise ZeroDivisionError

    box.microphone.open = broken  # type: ignore[assignment, method-assign]
    box.consent()
    box.record()
    box.until_state("refused")
    box.until_state("idle")
    box.microphone.open = healthy  # type: ignore[method-assign]
    box.begin()
    box.end()
    assert only(box).state is RecordingState.COMPLETE


# -- one after the other ----------------------------------------------------------------------------------------------


def test_two_sessions_ten_seconds_apart_are_both_complete(make_box: MakeBox, tmp_path: Path, room: bytes) -> None:
    box = make_box()
    for _ in range(2):
        box.begin()
        box.pass_s(4)
        box.end()
        box.pass_s(9.4)
    box.stop()
    first, second = box.manifests()
    assert [first.state, second.state] == [RecordingState.COMPLETE] * 2
    assert first.started_monotonic_us + first.duration_us < second.started_monotonic_us
    assert (first.end, second.end) == ("button", "button")
    for manifest in (first, second):
        sound = box.sound(manifest.id, tmp_path)
        assert len(sound) == 2 * samples_in(manifest.duration_us)
        assert sound in room * 5
        assert manifest.gaps == ()
        assert manifest.report.verdict is SoundVerdict.GOOD


def test_a_second_session_starts_and_stops_while_the_first_is_still_being_sealed(
    make_box: MakeBox, tmp_path: Path
) -> None:
    reached, release = threading.Event(), threading.Event()

    class SlowStore(Store):
        def write_manifest(self, manifest: Manifest) -> None:
            if manifest.state is RecordingState.COMPLETE and manifest.id.startswith("000001"):
                reached.set()
                assert release.wait(PATIENCE_S)
            super().write_manifest(manifest)

    base = store_at(tmp_path / "store")
    box = make_box(store=SlowStore(base.path, device_key=base._device_key))
    box.begin()
    box.record()
    assert reached.wait(PATIENCE_S)
    assert box.until_state("sealing").sealing == 1
    box.consent()
    box.until_state("armed")
    box.record()
    assert box.until_state("recording").sealing == 1
    box.service.request(Stop())
    box.until_state("sealing")
    release.set()
    box.until(lambda status: status.state in {"sealed", "kept"} and status.sealing == 0)
    box.stop()
    first, second = box.manifests()
    assert (first.state, second.state) == (RecordingState.COMPLETE, RecordingState.COMPLETE)
    assert (first.end, second.end) == ("button", "page")


def test_stopping_the_service_seals_what_was_being_recorded(make_box: MakeBox, tmp_path: Path, room: bytes) -> None:
    box = make_box()
    box.begin()
    box.pass_s(1)
    box.stop()
    manifest = only(box)
    assert manifest.state is RecordingState.COMPLETE
    assert box.sound(manifest.id, tmp_path) in room * 2


def test_the_longest_session_is_stopped_and_kept(make_box: MakeBox) -> None:
    box = make_box(speed=40)
    box.begin()
    box.pass_s(61)
    box.until_state("sealed", "kept")
    box.stop()
    manifest = only(box)
    assert manifest.end == "maximum length"
    assert 59_500_000 <= manifest.duration_us <= 70_000_000  # fast time runs on until the service is let run
