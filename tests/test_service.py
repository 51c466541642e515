"""The whole capture service with simulated parts: what the room sees, what the devices do, what is in the store.

Time is fast, and stands still while a test thinks (``tests.support.Box``); hands, plugs and disks are the test's.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import pytest

from device.capture.packets import Camera, Picture
from device.capture.simulated import SimulatedCamera
from device.clock import PacedClock
from device.errors import CameraError, RecipientError
from device.panel_language import Colour, Pattern
from device.recording import SESSION_NAME, WITHDRAWN_NAME
from device.recording.manifest import Manifest, RecordingState, SoundVerdict
from device.recording.signing import verify
from device.requests import Mark, People, Stop
from device.status import Status
from device.store import ERASED_NAME, Store
from device.words import Button, Consent
from tests.support import (
    PATIENCE_S,
    Box,
    build_box,
    fill,
    noise,
    small_disk,
    stock_open,
    store_at,
    tracks_of,
    write_wav,
)

RATE_HZ = 16_000
MakeBox = Callable[..., Box]


def wav_of(folder: Path, data: bytes) -> Path:
    return write_wav(folder / "room.wav", data, rate_hz=RATE_HZ, channels=1, bits=16)


@pytest.fixture(scope="module")
def room() -> bytes:
    """What is said in the room, again and again: 16-bit mono, 7 s."""
    return noise(7, rate_hz=RATE_HZ, channels=1, bits=16, quieter=4)


@pytest.fixture
def make_box(tmp_path: Path, room: bytes) -> Iterator[MakeBox]:
    """A box that is stopped, and whose light and devices were in order, when the test is over."""
    with ExitStack() as boxes:

        def make(*, sound: bytes = room, store: Store | None = None, **settings: object) -> Box:
            wav = wav_of(tmp_path, sound)
            box = build_box(store=store or store_at(tmp_path / "store"), wav=wav, **settings)  # type: ignore[arg-type]
            boxes.callback(check_light, box)
            boxes.callback(box.stop)
            return box

        yield make


def check_light(box: Box) -> None:
    """P7: the room light is on whenever a device is open, being opened or being closed, and off otherwise."""
    lit, busy = False, set[str]()
    for event in box.log.events:
        device, _, what = event.partition(" ")
        if device == "light":
            lit = what == "on"
            assert lit or not busy, f"the light went out over an open device: {box.log.events}"
        elif what in {"closed", "failed"}:
            busy.discard(device)
        else:
            busy.add(device)
            assert lit, f"a device was opened in the dark: {box.log.events}"
    assert not lit
    assert not busy


def samples_in(duration_us: int) -> int:
    return round(duration_us * RATE_HZ / 1_000_000)


def only(box: Box) -> Manifest:
    (manifest,) = box.manifests()
    return manifest


def certificates(box: Box) -> list[str]:
    found = sorted((box.store.path / ERASED_NAME).glob("*.json"))
    assert all(verify("erase certificate", path.read_bytes()).payload["by"] == "client" for path in found)
    return [path.stem for path in found]


def troubled(name: str) -> Callable[[Status], bool]:
    return lambda status: status.recording is not None and name in status.recording.troubles


# -- P1: nothing before consent ---------------------------------------------------------------------------------------


def test_no_device_is_opened_before_consent(make_box: MakeBox) -> None:
    box = make_box()
    box.until_state("idle")
    box.record()
    refused = box.until_state("refused")
    assert {lamp.pattern for lamp in refused.panel.lamps} == {Pattern.HZ_2}
    assert refused.panel.tone == "three low tones"
    box.press(Button.RECORD, for_s=2)
    for request in (Mark(), Stop(), People(people=2), People(people=1)):
        box.service.request(request)
    box.panel.finger(Button.RECORD, down=True)
    box.panel.finger(Button.CONSENT, down=True)
    box.pass_s(1)
    box.panel.finger(Button.RECORD, down=False)
    box.panel.finger(Button.CONSENT, down=False)
    box.pass_s(1)
    box.until_state("idle")
    assert box.log.events == []
    consented_s = time.monotonic()
    box.begin()
    assert box.log.times_s[0] > consented_s
    assert box.log.events == ["light on", "microphone opening", "microphone open"]


def test_a_box_without_a_camera_offers_no_picture(make_box: MakeBox) -> None:
    box = make_box()
    box.consent()
    assert box.until_state("armed").consent is Consent.SOUND
    box.consent()
    assert box.status().state == "idle"


def test_consent_lapses_and_can_be_stepped_back_to_none(make_box: MakeBox) -> None:
    camera = ForbiddenCamera()
    box = make_box(camera=lambda _clock: camera)
    box.consent()
    assert box.until_state("armed").consent is Consent.SOUND
    box.consent()
    assert box.until(lambda status: status.consent is Consent.SOUND_AND_PICTURE).armed_left_s
    box.consent()
    box.until_state("idle")
    box.record()
    box.until_state("refused")
    box.until_state("idle")
    box.consent()
    box.until_state("armed")
    box.pass_s(61)
    box.until_state("idle")
    box.record()
    box.until_state("refused")
    assert box.log.events == []
    assert camera.touched == []


def test_a_recording_that_ended_leaves_no_consent_behind(make_box: MakeBox) -> None:
    box = make_box()
    box.begin()
    box.end()
    box.pass_s(121)
    assert box.until_state("idle").consent is Consent.NONE
    box.record()
    box.until_state("refused")
    assert box.log.count("microphone opening") == 1


# -- P2: sound is sound -----------------------------------------------------------------------------------------------


class ForbiddenCamera:
    """A camera that nobody may touch."""

    name = "forbidden"
    size = (160, 96)

    def __init__(self) -> None:
        self.touched: list[str] = []

    def open(self) -> None:
        self.touched.append("open")

    def read(self) -> Picture:
        raise CameraError("never", "never")

    def close(self) -> None:
        self.touched.append("close")

    def kill(self) -> None:
        self.touched.append("kill")


def test_consent_to_sound_never_touches_the_camera(make_box: MakeBox, tmp_path: Path) -> None:
    camera = ForbiddenCamera()
    box = make_box(camera=lambda _clock: camera)
    box.begin()
    box.pass_s(2)
    box.end()
    manifest = only(box)
    assert camera.touched == []
    assert manifest.picture is None
    assert manifest.consent is Consent.SOUND
    (tmp_path / "out.mp4").write_bytes(stock_open(box.sealed(manifest.id), box.identity))
    assert [track["codec_name"] for track in tracks_of(tmp_path / "out.mp4")] == ["flac"]


# -- the picture ------------------------------------------------------------------------------------------------------


def clock_camera(box_of: list[LoggedCamera]) -> Callable[[PacedClock], Camera]:
    def make(clock: PacedClock) -> Camera:
        box_of.append(LoggedCamera(clock))
        return box_of[0]

    return make


class LoggedCamera(SimulatedCamera):
    """The simulated camera, small, which tells a log once it has one."""

    def __init__(self, clock: PacedClock) -> None:
        def command(start_us: int) -> list[str]:
            return [sys.executable, "-m", "device", "simulated-camera", "160x96", "5", str(start_us)]

        super().__init__(size=(160, 96), fps=5, clock=clock, command=command)
        self.add: Callable[[str], None] = lambda _event: None
        self._is_open = False

    def open(self) -> None:
        self.add("camera opening")
        super().open()
        self._is_open = True

    def close(self) -> None:
        super().close()
        if self._is_open:
            self._is_open = False
            self.add("camera closed")


def test_sound_and_picture_are_both_recorded_and_the_light_covers_both(make_box: MakeBox, tmp_path: Path) -> None:
    cameras: list[LoggedCamera] = []
    box = make_box(camera=clock_camera(cameras))
    cameras[0].add = box.log.add
    box.consent()
    box.consent()
    box.until(lambda status: status.consent is Consent.SOUND_AND_PICTURE)
    box.record()
    seen = box.until(lambda status: status.recording and status.recording.pictures > 15)
    assert seen.recording is not None
    assert seen.recording.devices_open == ("microphone", "camera")
    box.end()
    manifest = only(box)
    assert manifest.picture is not None
    assert (manifest.picture.width, manifest.picture.given_up_at_us) == (160, None)
    assert manifest.picture.pictures > 10
    (tmp_path / "out.mp4").write_bytes(stock_open(box.sealed(manifest.id), box.identity))
    assert sorted(track["codec_name"] for track in tracks_of(tmp_path / "out.mp4")) == ["flac", "h264"]
    assert box.log.count("camera closed") == 1


class DyingCamera(ForbiddenCamera):
    """A camera that starts and then never delivers anything."""

    name = "dying"


def test_a_camera_that_dies_five_times_is_given_up_and_the_sound_is_complete(make_box: MakeBox, room: bytes) -> None:
    camera = DyingCamera()
    box = make_box(camera=lambda _clock: camera)
    box.consent()
    box.consent()
    box.record()
    seen = box.until(troubled("no picture"))
    assert seen.state == "troubled"
    assert {(lamp.colour, lamp.pattern) for lamp in seen.panel.lamps} == {(Colour.YELLOW, Pattern.HZ_1)}
    box.pass_s(3)
    box.end()
    manifest = only(box)
    assert camera.touched.count("open") == 5
    assert manifest.picture is not None
    assert manifest.picture.given_up_at_us is not None
    assert manifest.picture.pictures == 0
    assert (manifest.state, manifest.gaps) == (RecordingState.COMPLETE, ())
    assert manifest.duration_us > 3_000_000


# -- P3: withdrawal ---------------------------------------------------------------------------------------------------


def test_a_withdrawal_closes_the_microphone_within_200_ms(make_box: MakeBox) -> None:
    took_ms = []
    for number in range(3):
        box = make_box(speed=1)
        box.begin()
        box.clock.keep_pace("test", None)  # at the speed of a room
        pressed_s = time.monotonic()
        box.panel.finger(Button.CONSENT, down=True)
        box.until(lambda status: status.state == "withdrawn" and not status.panel.room_light)
        took_ms.append((box.log.last_s("microphone closed") - pressed_s) * 1000)
        box.panel.finger(Button.CONSENT, down=False)
        assert box.log.last_s("light off") > box.log.last_s("microphone closed")
        box.stop()
        assert (box.store.folder(box.store.ids()[number]) / WITHDRAWN_NAME).exists()
    print(f"\npress to closed: {', '.join(f'{ms:.0f}' for ms in took_ms)} ms")
    # What the promise allows is 200, and this is no box: something else may have had the processor.
    assert min(took_ms) < 200
    assert median(took_ms) < 500


def test_a_withdrawal_does_not_wait_for_a_disk_that_stalls(make_box: MakeBox, tmp_path: Path) -> None:
    stalled, release = threading.Event(), threading.Event()

    class StallingStore(Store):
        stalls = False

        def check(self) -> None:
            if self.stalls:
                stalled.set()
                assert release.wait(PATIENCE_S)
            super().check()

    base = store_at(tmp_path / "store")
    store = StallingStore(base.path, device_key=base._device_key)
    box = make_box(store=store)
    box.begin()
    store.stalls = True
    box.clock.keep_pace("test", None)
    assert stalled.wait(PATIENCE_S)
    box.press(Button.CONSENT)
    box.until(lambda status: status.state == "withdrawn" and not status.panel.room_light)
    assert box.log.count("microphone closed") == 1
    release.set()


def test_what_was_withdrawn_is_erased_when_its_window_closes(make_box: MakeBox) -> None:
    box = make_box()
    recording_id = box.begin().recording.id  # type: ignore[union-attr]
    assert recording_id is not None
    box.consent()
    seen = box.until(lambda status: status.last and status.last.sealed)
    assert seen.state == "withdrawn"
    assert {lamp.pattern for lamp in seen.panel.lamps} == {Pattern.WINK_THREE}
    assert seen.panel.tone == "three falling tones"
    assert seen.last is not None
    assert (seen.last.fate, seen.last.id) == ("withdrawn", recording_id)
    assert (box.store.folder(recording_id) / WITHDRAWN_NAME).exists()
    assert box.sealed(recording_id).exists()
    box.pass_s(115)
    assert box.store.ids() == [recording_id]
    box.pass_s(10)
    box.until_state("idle")
    box.stop()
    assert box.store.ids() == []
    assert certificates(box) == [recording_id]
    assert [path.name for path in box.store.path.iterdir()] == [ERASED_NAME]


def test_a_withdrawal_can_be_turned_over_and_the_recording_is_kept(make_box: MakeBox) -> None:
    box = make_box()
    box.begin()
    box.consent()
    box.until(lambda status: status.last and status.last.sealed)
    box.press(Button.CONSENT, for_s=3.5)
    seen = box.until_state("kept")
    assert seen.panel.tone == "one long tone"
    box.pass_s(121)
    box.until_state("idle")
    box.stop()
    manifest = only(box)
    assert manifest.state is RecordingState.COMPLETE
    assert [event.what for event in manifest.consent_events] == ["consented", "withdrawn", "kept"]
    assert not (box.store.folder(manifest.id) / WITHDRAWN_NAME).exists()
    assert certificates(box) == []


def test_a_recording_that_was_kept_can_be_withdrawn_in_its_window(make_box: MakeBox) -> None:
    box = make_box()
    box.begin()
    box.end()
    recording_id = only(box).id
    box.press(Button.CONSENT, for_s=3.5)
    box.until_state("withdrawn")
    box.pass_s(121)
    box.until_state("idle")
    box.stop()
    assert box.store.ids() == []
    assert certificates(box) == [recording_id]


def test_a_frightened_client_who_keeps_holding_consent_has_withdrawn(make_box: MakeBox) -> None:
    box = make_box()
    box.begin()
    box.press(Button.CONSENT, for_s=6)
    box.until_state("withdrawn")
    box.pass_s(121)
    box.stop()
    assert box.store.ids() == []


@pytest.mark.parametrize("withdrawn", [True, False], ids=["withdrawn", "kept"])
def test_the_next_clients_press_settles_the_recording_before_and_arms_a_new_one(
    make_box: MakeBox,
    withdrawn: bool,  # noqa: FBT001
) -> None:
    box = make_box()
    box.begin()
    if withdrawn:
        box.consent()
        box.until_state("withdrawn")
    else:
        box.end()
    first = box.store.ids()[0]
    box.consent()
    seen = box.until_state("armed")
    assert (seen.consent, seen.last) == (Consent.SOUND, None)
    box.record()
    box.until(lambda status: status.recording and status.recording.durable_us > 0)
    box.end()
    box.stop()
    kept = [manifest.id for manifest in box.manifests()]
    assert len(kept) == (1 if withdrawn else 2)
    assert (first in kept) != withdrawn
    assert certificates(box) == ([first] if withdrawn else [])


def test_stopping_the_service_in_a_withdrawal_window_leaves_the_mark(make_box: MakeBox) -> None:
    box = make_box()
    box.begin()
    box.consent()
    box.until_state("withdrawn")
    box.stop()
    (recording_id,) = box.store.ids()
    assert (box.store.folder(recording_id) / WITHDRAWN_NAME).exists()
    assert [event.what for event in only(box).consent_events] == ["consented", "withdrawn"]


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


# -- troubles ---------------------------------------------------------------------------------------------------------


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
    box.pass_s(8)
    assert box.status().state == "recording"
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


def test_a_store_that_fills_up_ends_the_recording_which_is_sealed_as_it_is(
    make_box: MakeBox, tmp_path: Path, room: bytes
) -> None:
    with small_disk(tmp_path / "disk", 24 * 1024) as disk:
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
    with small_disk(tmp_path / "disk", 24 * 1024) as disk:
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


# -- marks, people, page ----------------------------------------------------------------------------------------------


def test_bookmarks_come_from_a_held_record_and_from_the_page(make_box: MakeBox) -> None:
    box = make_box()
    box.begin()
    start_us = box.status().recording.elapsed_us  # type: ignore[union-attr]
    box.pass_s(2)
    box.press(Button.RECORD, for_s=1.7)
    box.service.request(Mark())
    box.pass_s(1)
    assert box.status().state == "recording"
    box.end()
    held_us, page_us = only(box).bookmarks_us
    assert start_us + 1_900_000 < held_us < page_us < only(box).duration_us
    assert page_us - held_us < 2_000_000


def test_of_several_people_the_least_choice_counts(make_box: MakeBox) -> None:
    camera = ForbiddenCamera()
    box = make_box(camera=lambda _clock: camera)
    box.service.request(People(people=2))
    box.until(lambda status: status.people == 2)
    box.consent()
    box.consent()
    box.until_state("choosing")
    box.pass_s(4)
    assert box.until(lambda status: len(status.choices) == 1).choices == (Consent.SOUND_AND_PICTURE,)
    box.consent()
    seen = box.until_state("armed")
    assert (seen.choices, seen.consent) == ((Consent.SOUND_AND_PICTURE, Consent.SOUND), Consent.SOUND)
    box.record()
    box.until(lambda status: status.recording and status.recording.durable_us > 0)
    box.end()
    manifest = only(box)
    assert manifest.consent is Consent.SOUND
    assert manifest.consent_events[0].people == 2
    assert camera.touched == []
    assert box.status().people == 1


def test_the_page_can_stop_but_a_stop_is_never_a_withdrawal(make_box: MakeBox) -> None:
    box = make_box()
    box.begin()
    box.service.request(Stop())
    seen = box.until_state("sealed")
    assert seen.panel.tone == "one long tone"
    assert {lamp.colour for lamp in seen.panel.lamps} == {Colour.NONE, Colour.WHITE}
    assert box.until_state("kept").last is not None
    manifest = only(box)
    assert manifest.end == "page"
    assert (box.store.folder(manifest.id) / SESSION_NAME).exists()


def test_both_buttons_at_once_stop(make_box: MakeBox) -> None:
    box = make_box()
    box.begin()
    for down in (True, False):
        for button in Button:
            box.panel.finger(button, down=down)
        box.pass_s(0.3)
    box.until_state("sealed", "kept")
    assert only(box).end == "both buttons"
    assert certificates(box) == []


def test_the_published_states_tell_a_whole_session_in_order(make_box: MakeBox) -> None:
    box = make_box()
    box.begin()
    box.end()
    box.until_state("kept")
    box.pass_s(121)
    box.until_state("idle")
    assert box.watcher.states == ["idle", "armed", "recording", "sealing", "sealed", "kept", "idle"]
    lights = {status.state: status.panel.room_light for status in box.watcher.statuses}
    assert lights["recording"]
    assert not lights["armed"]
    assert not lights["kept"]
    assert [str(tone) for tone in box.panel.tones] == ["one rising tick", "two short tones", "one long tone"]
