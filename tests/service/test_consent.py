"""P1 and P2 in the real service: nothing before consent, and `sound` is sound. The picture, where it is allowed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from device.capture.packets import Camera
from device.capture.simulated import SimulatedCamera
from device.clock import PacedClock
from device.panel_language import Colour, Pattern
from device.recording.manifest import RecordingState
from device.requests import Mark, People, Stop
from device.words import Button, Consent
from tests.service.rooms import ForbiddenCamera, MakeBox, only, troubled
from tests.support import (
    stock_open,
    tracks_of,
)

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


def test_a_camera_that_dies_and_comes_back_is_noted_and_costs_no_sound(make_box: MakeBox) -> None:
    cameras: list[LoggedCamera] = []
    box = make_box(camera=clock_camera(cameras))
    cameras[0].add = box.log.add
    box.consent()
    box.consent()
    box.record()
    box.until(lambda status: status.recording and status.recording.pictures > 5)
    cameras[0].kill()
    box.until(troubled("no picture"))
    box.until_state("recording")
    box.end()
    manifest = only(box)
    assert manifest.picture is not None
    (away,) = manifest.picture.away
    assert away.to_us is not None
    assert 0 < away.from_us < away.to_us
    assert (manifest.picture.given_up_at_us, manifest.gaps) == (None, ())


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
    (away,) = manifest.picture.away
    assert away.to_us is None
    assert (manifest.state, manifest.gaps) == (RecordingState.COMPLETE, ())
    assert manifest.duration_us > 3_000_000
