"""A framing check in the real service: the camera and nothing else, into memory and nowhere else, and gone at once."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest

from device.capture.camera import ChildCamera
from device.capture.packets import Picture
from device.capture.simulated import SimulatedCamera
from device.clock import PacedClock
from device.errors import CameraError
from device.panel_language import Colour, Pattern
from device.requests import Mark, People, Stop
from device.stills import Still
from device.words import Button, Consent
from tests.service.rooms import ForbiddenCamera, MakeBox, only
from tests.support import Box, Log

SIZE = (160, 96)


class Looked(SimulatedCamera):
    """The simulated camera, small, that tells the box's log; it sends stills, or the pictures of a recording."""

    def __init__(self, clock: PacedClock, *, stills: bool) -> None:
        def command(start_us: int) -> list[str]:
            flags = ["--stills", "160x96", "2"] if stills else ["160x96", "5"]
            return [sys.executable, "-m", "device", "simulated-camera", *flags, str(start_us)]

        super().__init__(size=SIZE, fps=2 if stills else 5, clock=clock, command=command)
        self.log: Log | None = None
        self._is_open = False

    def open(self) -> None:
        assert self.log is not None
        self.log.add("camera opening")
        super().open()
        self._is_open = True

    def close(self) -> None:
        super().close()
        if self._is_open and self.log is not None:
            self._is_open = False
            self.log.add("camera closed")


MakeFramer = Callable[..., Box]


@pytest.fixture
def framer(make_box: MakeBox) -> MakeFramer:
    """A box with a camera that can be looked through."""

    def make(**settings: object) -> Box:
        cameras: list[Looked] = []

        def camera(clock: PacedClock, *, stills: bool) -> Looked:
            cameras.append(Looked(clock, stills=stills))
            return cameras[-1]

        usual = {
            "camera": lambda clock: camera(clock, stills=False),
            "stills": lambda clock: camera(clock, stills=True),
        }
        box = make_box(**{**usual, **settings})
        for one in cameras:
            one.log = box.log
        return box

    return make


def allow_picture(box: Box) -> None:
    box.consent()
    box.consent()
    box.until(lambda status: status.state == "armed" and status.consent is Consent.SOUND_AND_PICTURE)


def look(box: Box) -> Still:
    """Hold RECORD, and wait for the first still."""
    allow_picture(box)
    box.press(Button.RECORD, for_s=1.7)
    box.until(lambda status: status.state == "framing" and box.service.still())
    still = box.service.still()
    assert still is not None
    return still


def in_store(box: Box) -> dict[str, bytes]:
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in box.store.path.rglob("*")}


def test_a_framing_check_opens_the_camera_alone_and_stores_nothing(framer: MakeFramer) -> None:
    box = framer()
    before = in_store(box)
    still = look(box)
    assert (still.jpeg[:2], still.jpeg[-2:]) == (b"\xff\xd8", b"\xff\xd9")
    seen = box.status()
    assert seen.framing is not None
    assert seen.framing.devices_open == ("camera",)
    assert (seen.recording, seen.level, seen.panel.room_light) == (None, None, True)
    assert {(lamp.colour, lamp.pattern) for lamp in seen.panel.lamps} == {(Colour.BLUE, Pattern.DARK_MOMENT)}
    assert seen.panel.tone == "four ticks"
    later = box.until(lambda _status: box.service.still() != still)
    assert later.state == "framing"
    box.consent()
    box.until(lambda status: status.state == "idle" and not status.panel.room_light)
    assert box.log.events == ["light on", "camera opening", "camera closed", "light off"]
    assert in_store(box) == before
    for status in box.watcher.statuses:
        assert len(status.model_dump_json()) < 2000  # no picture in what is published


def test_consent_closes_the_camera_within_200_ms(framer: MakeFramer) -> None:
    took_ms = []
    for _ in range(3):
        box = framer(speed=1)
        look(box)
        box.clock.keep_pace("test", None)  # at the speed of a room
        pressed_s = time.monotonic()
        box.panel.finger(Button.CONSENT, down=True)
        box.until(lambda status: status.state == "idle" and not status.panel.room_light)
        took_ms.append((box.log.last_s("camera closed") - pressed_s) * 1000)
        box.panel.finger(Button.CONSENT, down=False)
        assert box.log.last_s("light off") > box.log.last_s("camera closed")
        assert box.status().consent is Consent.NONE
        box.stop()
    print(f"\npress to closed: {', '.join(f'{ms:.0f}' for ms in took_ms)} ms")
    # What the promise allows is 200, and this is no box: something else may have had the processor.
    assert min(took_ms) < 200
    assert median(took_ms) < 500


def both(box: Box) -> None:
    for down in (True, False):
        for button in Button:
            box.panel.finger(button, down=down)
        box.pass_s(0.3)


ENDS: dict[str, tuple[Callable[[Box], None], str]] = {
    "CONSENT": (lambda box: box.consent(), "idle"),
    "both buttons": (both, "idle"),
    "the page's stop": (lambda box: box.service.request(Stop()), "armed"),
    "the page's people": (lambda box: box.service.request(People(people=2)), "idle"),
    "a minute": (lambda box: box.pass_s(61), "idle"),
}


@pytest.mark.parametrize("end", ENDS)
def test_whatever_ends_a_framing_check_leaves_nothing_of_it(framer: MakeFramer, end: str) -> None:
    box = framer()
    look(box)
    ends, state = ENDS[end]
    ends(box)
    assert box.status().state == state
    assert box.service.still() is None
    seen = box.until(lambda status: not status.panel.room_light)
    assert (seen.state, seen.framing) == (state, None)
    assert seen.consent is (Consent.SOUND_AND_PICTURE if state == "armed" else Consent.NONE)
    box.pass_s(3)
    assert box.service.still() is None
    assert box.log.count("camera opening") == box.log.count("camera closed") == 1
    assert box.log.count("microphone opening") == 0


def test_nothing_but_a_held_record_looks_through_the_camera(framer: MakeFramer) -> None:
    box = framer()
    box.press(Button.RECORD, for_s=2)
    box.until_state("idle")
    allow_picture(box)
    for request in (Mark(), Stop()):
        box.service.request(request)
    assert box.status().state == "armed"
    assert box.service.still() is None
    box.panel.finger(Button.RECORD, down=True)
    box.pass_s(1)
    assert box.status().state == "armed"
    assert box.log.events == []
    box.consent()
    box.panel.finger(Button.RECORD, down=False)
    box.pass_s(0.5)
    assert box.until_state("refused").consent is Consent.NONE
    assert box.log.events == []


def test_with_sound_allowed_a_held_record_records_and_no_camera_is_touched(make_box: MakeBox) -> None:
    camera, stills = ForbiddenCamera(), ForbiddenCamera()
    box = make_box(camera=lambda _clock: camera, stills=lambda _clock: stills)
    box.consent()
    box.press(Button.RECORD, for_s=2)
    box.until(lambda status: status.state == "recording" and status.recording and status.recording.durable_us > 0)
    assert box.service.still() is None
    box.end()
    assert (camera.touched, stills.touched) == ([], [])


def test_record_in_a_framing_check_starts_a_recording_with_a_picture_of_its_own(framer: MakeFramer) -> None:
    box = framer()
    look(box)
    box.record()
    assert box.service.still() is None
    box.until(lambda status: status.recording and status.recording.pictures > 5)
    box.end()
    box.until(lambda status: not status.panel.room_light)
    manifest = only(box)
    assert manifest.consent is Consent.SOUND_AND_PICTURE
    assert manifest.picture is not None
    assert (manifest.picture.width, manifest.picture.given_up_at_us) == (160, None)
    assert [event for event in box.log.events if not event.startswith("microphone")] == [
        "light on",
        "camera opening",
        "camera closed",  # the light stays on: it is another device, or the same one again
        "camera opening",
        "camera closed",
        "light off",
    ]


def test_the_first_picture_hardly_waits_for_the_framing_check_to_end(framer: MakeFramer) -> None:
    took_s = {}
    for framed in (False, True):
        box = framer(speed=1)
        (look if framed else allow_picture)(box)
        box.clock.keep_pace("test", None)
        pressed_s = time.monotonic()
        box.panel.finger(Button.RECORD, down=True)
        time.sleep(0.1)
        box.panel.finger(Button.RECORD, down=False)
        box.until(lambda status: status.recording and status.recording.pictures > 0)
        took_s[framed] = time.monotonic() - pressed_s
        handed_s = box.log.times_s[-1] - box.log.last_s("camera closed") if framed else 0.0
        box.stop()
    print(f"\npress to first picture: {took_s[False]:.2f} s, out of a framing check {took_s[True]:.2f} s")
    assert handed_s < 2
    assert took_s[True] < took_s[False] + 5  # on a machine that does something else besides


def test_the_camera_of_the_recording_before_is_closed_before_it_is_looked_through(framer: MakeFramer) -> None:
    box = framer()
    allow_picture(box)
    box.record()
    box.until(lambda status: status.recording and status.recording.pictures > 1)
    box.record()
    look(box)
    assert [event for event in box.log.events if event.startswith("camera")] == [
        "camera opening",
        "camera closed",
        "camera opening",
    ]


def test_a_camera_that_dies_in_a_framing_check_is_told_and_the_consent_stands(framer: MakeFramer) -> None:
    stills: list[Looked] = []

    def camera(clock: PacedClock) -> Looked:
        stills.append(Looked(clock, stills=True))
        return stills[0]

    box = framer(stills=camera)
    stills[0].log = box.log
    look(box)
    stills[0].kill()
    seen = box.until(lambda status: status.state == "armed" and not status.panel.room_light)
    assert (seen.consent, seen.panel.tone) == (Consent.SOUND_AND_PICTURE, "two low tones")
    assert box.service.still() is None
    box.record()
    box.until(lambda status: status.recording and status.recording.pictures > 0)


class OneStill:
    """A camera that sends one still and then hangs."""

    name = "hanging"
    size = SIZE

    def __init__(self, clock: PacedClock) -> None:
        self._clock = clock
        self._killed = threading.Event()
        self._sent = False

    def open(self) -> None:
        self._killed.clear()
        self._sent = False

    def read(self) -> Picture:
        if not self._sent:
            self._sent = True
            return Picture(b"\xff\xd8 a still \xff\xd9", self._clock.now_us(), key=True)
        self._killed.wait()
        raise CameraError("the camera was let go", "none")

    def kill(self) -> None:
        self._killed.set()

    def close(self) -> None:
        """Nothing is held."""


def test_a_still_is_not_shown_for_longer_than_two_seconds(framer: MakeFramer) -> None:
    box = framer(stills=OneStill)
    allow_picture(box)
    box.press(Button.RECORD, for_s=1.6)
    box.until(lambda _status: box.service.still())
    box.pass_s(2.1)
    assert box.status().state == "framing"
    assert box.service.still() is None
    box.service.request(Stop())
    box.until(lambda status: not status.panel.room_light)


def test_a_camera_that_will_not_end_is_made_to(framer: MakeFramer) -> None:
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(end='', flush=True)\n"
    command = [sys.executable, "-c", stubborn + "while True: time.sleep(60)"]
    box = framer(stills=lambda _clock: ChildCamera(name="stubborn", size=SIZE, command=lambda: command))
    allow_picture(box)
    box.press(Button.RECORD, for_s=1.6)
    box.until(lambda status: status.framing and status.framing.devices_open)
    box.consent()
    box.until(lambda status: status.state == "idle" and not status.panel.room_light)
    assert box.service.still() is None


def test_a_service_that_is_stopped_closes_the_camera_first(framer: MakeFramer, tmp_path: Path) -> None:
    box = framer()
    look(box)
    box.stop()
    assert box.log.events == ["light on", "camera opening", "camera closed", "light off"]
    assert box.service.still() is None
    assert list((tmp_path / "store").iterdir()) == []


def test_a_box_that_cannot_be_looked_through_says_so_and_records_all_the_same(framer: MakeFramer) -> None:
    box = framer(stills=None)
    allow_picture(box)
    box.press(Button.RECORD, for_s=1.7)
    seen = box.until_state("armed")
    assert seen.panel.tone == "two low tones"
    box.record()
    box.until(lambda status: status.recording and status.recording.pictures > 0)
