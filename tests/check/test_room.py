"""The test of the room: begun by a press and by nothing else, under the light, and ended by any further press."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

from device.capture.camera import ChildCamera
from device.capture.packets import Camera, Gap, Microphone, Sound, SoundFormat
from device.capture.picture import Glance
from device.capture.simulated import SimulatedCamera
from device.check.finding import Finding, Findings, Level
from device.check.room import Plan, RoomCheck, RoomParts
from device.clock import PacedClock, SystemClock
from device.panel import Panel
from device.panel_gpio import GpioPanel, Pins
from device.panel_simulated import SimulatedPanel
from device.session_events import Tone
from device.words import Button
from tests.check.flashes import TickingMicrophone
from tests.panel_lines import FakeLines, contacts
from tests.support import PATIENCE_S, START, Log, LoggedMicrophone, LoggedPanel, be_patient_with_cameras

ROOM = Path(__file__).parents[2] / "device" / "capture" / "room.wav"
SLACK_US = 300_000
PRESS_US = 150_000


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long a box waits for pictures is for other tests: here a busy machine took longer, and nothing was wrong."""
    be_patient_with_cameras(monkeypatch)


class PacedMicrophone(LoggedMicrophone):
    """Time waits for it, so that a slow machine makes the test longer and nothing else."""

    def __init__(self, *, clock: PacedClock, log: Log) -> None:
        super().__init__(ROOM, clock=clock, loop=True, log=log)
        self._paced = clock

    def open(self) -> SoundFormat:
        now_us = self._paced.now_us()
        self._paced.keep_pace("microphone", now_us)  # time stands still until it is open
        sound = super().open()
        self._paced.keep_pace("microphone", now_us + SLACK_US)
        return sound

    def read(self) -> Sound | Gap:
        period = super().read()
        self._paced.keep_pace("microphone", period.end_us + SLACK_US)
        return period

    def close(self) -> None:
        self._paced.keep_pace("microphone", None)
        super().close()


class Room:
    """A check of a room of programs, with a hand that presses when it is asked to."""

    def __init__(self, *, speed: float = 20.0) -> None:
        self.clock = PacedClock(speed=speed, start=START)
        self.log = Log()
        self.panel = LoggedPanel(clock=self.clock, log=self.log)
        self.microphone: Microphone = PacedMicrophone(clock=self.clock, log=self.log)
        self.camera: Camera | None = None
        self.plan = Plan(room_s=4.0)
        self.said: list[str] = []
        # What the hand does once something is said that begins so: buttons, and after how many microseconds.
        self.hand: dict[str, list[tuple[Button, int]]] = {"press CONSENT": [(Button.CONSENT, 500_000)]}
        self._hands: list[threading.Thread] = []
        # Until when, after the last press, the light has to be out: time goes no further before it is, or has failed.
        self.dark_within_us: int | None = None
        self.was_dark_in_time = False

    def run(self) -> Findings:
        parts = RoomParts(self.clock, self.panel, self.microphone, self.camera, 25)
        try:
            return RoomCheck(parts, self.plan, say=self.say, glance=Glance().look).run()
        finally:
            self.clock.keep_pace("hand", None)
            for hand in self._hands:
                hand.join()

    def say(self, text: str) -> None:
        self.said.append(text)
        for beginning, presses in self.hand.items():
            if text.startswith(beginning) and presses:
                now_us = self.clock.now_us()
                self.clock.keep_pace("hand", now_us + presses[0][1])  # time does not run past the hand
                self._hands.append(threading.Thread(target=self._press, args=(now_us, presses)))
                self._hands[-1].start()

    def _press(self, now_us: int, presses: list[tuple[Button, int]]) -> None:
        for button, after_us in presses:
            for down, at_us in ((True, now_us + after_us), (False, now_us + after_us + PRESS_US)):
                self.clock.keep_pace("hand", at_us)
                condition = threading.Condition()
                with condition:
                    while self.clock.now_us() < at_us:
                        self.clock.wait(condition, at_us)
                self.panel.finger(button, down=down)
        if self.dark_within_us is not None and self.log.count("light on"):
            self.clock.keep_pace("hand", now_us + presses[-1][1] + self.dark_within_us)
            until_s = time.monotonic() + PATIENCE_S
            while not self.log.count("light off") and time.monotonic() < until_s:
                threading.Event().wait(0.005)
            self.was_dark_in_time = self.log.count("light off") == 1
        self.clock.keep_pace("hand", None)


def named(findings: Findings, name: str) -> Finding:
    (found,) = [finding for finding in findings if finding.name == name]
    return found


class LoggedCamera(SimulatedCamera):
    """The simulated camera, which writes down when it is opened and closed."""

    log: Log

    def open(self) -> None:
        self.log.add("camera opening")
        super().open()

    def close(self) -> None:
        super().close()
        self.log.add("camera closed")


def with_camera(room: Room) -> None:
    def command(start_us: int) -> list[str]:
        return [sys.executable, "-m", "device", "simulated-camera", "320x180", "25", str(start_us)]

    room.camera = camera = LoggedCamera(size=(320, 180), fps=25, clock=room.clock, command=command)
    camera.log = room.log


# -- a whole one ------------------------------------------------------------------------------------------------------


def test_after_a_press_both_devices_are_tested_under_the_light() -> None:
    room = Room()
    with_camera(room)
    found = room.run()
    assert {finding.name: finding.level for finding in found} == dict.fromkeys(
        ("panel", "microphone", "noise floor", "hum", "clipping", "channels", "voice", "camera"), Level.GOOD
    )
    assert named(found, "camera").figures["fps"] == pytest.approx(25, abs=0.5)
    assert named(found, "microphone").figures["wire"] == "S24_3LE"
    assert room.log.events[0] == "light on"
    assert room.log.events[-1] == "light off"
    assert {"microphone opening", "microphone closed", "camera opening", "camera closed"} <= {*room.log.events}
    assert room.log.count("light on") == room.log.count("light off") == 1
    assert room.panel.tones == [Tone.TWO_SHORT, Tone.TICK]


def test_a_box_without_a_camera_is_told_so() -> None:
    room = Room()
    assert "only sound" in named(room.run(), "camera").what
    assert "the microphone will be open for 4 s" in room.said[0]


# -- nothing without a press ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "presses",
    [[], [(Button.RECORD, 500_000), (Button.RECORD, 900_000)], [(Button.CONSENT, 61_000_000)]],
    ids=["nobody", "RECORD", "too late"],
)
def test_nothing_is_opened_unless_consent_is_pressed_in_time(presses: list[tuple[Button, int]]) -> None:
    room = Room(speed=400)
    room.hand = {"press CONSENT": presses}
    with_camera(room)
    found = room.run()
    assert named(found, "room test").level is Level.LOOK
    assert "nothing was opened" in named(found, "room test").what
    assert room.log.events == []


def test_a_second_press_before_the_devices_open_keeps_them_closed() -> None:
    room = Room()
    room.hand = {"press CONSENT": [(Button.CONSENT, 500_000), (Button.RECORD, 800_000)]}
    assert "before anything was opened" in named(room.run(), "room test").what
    assert room.log.events == []


@pytest.mark.parametrize("stuck", list(Button))
def test_a_stuck_button_is_a_finding_and_opens_nothing(stuck: Button) -> None:
    room = Room()

    class Stuck(LoggedPanel):
        def start(self, on_level: Callable[[Button, bool, int], None]) -> None:
            for button in Button:
                on_level(button, button is stuck, room.clock.now_us())

    room.panel = Stuck(clock=room.clock, log=room.log)
    (found,) = room.run()
    assert (found.name, found.level) == ("panel", Level.BAD)
    assert f"{stuck.upper()} is stuck" in found.what
    assert room.log.events == room.said == []


def test_a_panel_that_is_not_there_is_a_finding() -> None:
    clock = SystemClock()
    panel = SimulatedPanel(clock=clock, run=Path("/nowhere"))
    microphone = TickingMicrophone([], clock, opened=lambda: pytest.fail("it was opened"))
    (found,) = RoomCheck(RoomParts(clock, panel, microphone, None, 0), Plan(), say=lambda _: None).run()
    assert (found.name, found.level) == ("panel", Level.BAD)


def test_real_lines_begin_it_and_are_let_go_afterwards() -> None:
    clock, factory, lines = SystemClock(), MockFactory(pin_class=MockPWMPin), FakeLines()
    pins = Pins(consent=5, record=6, room_light=13, consent_lamp=(17, 27, 22), record_lamp=(23, 24, 25), sounder=18)
    panel: Panel = GpioPanel(pins, clock=clock, factory=lambda: factory, buttons=contacts(pins, lines.ask))
    lit: list[float] = []
    microphone = TickingMicrophone([], clock, opened=lambda: lit.append(factory.pin(13).state))

    def press(text: str) -> None:
        if text.startswith("press CONSENT"):
            lines.drive(5, high=False)
            threading.Timer(0.15, lambda: lines.drive(5, high=True)).start()

    found = RoomCheck(RoomParts(clock, panel, microphone, None, 0), Plan(room_s=0.5), say=press).run()
    assert named(found, "panel").level is Level.GOOD
    assert lit == [1.0]
    assert "only" in named(found, "sound").what  # half a second is too short


def test_the_room_is_listened_to_for_its_time_however_long_the_microphone_takes_to_open() -> None:
    room = Room()

    class Slow(PacedMicrophone):
        def open(self) -> SoundFormat:
            until_us, condition = room.clock.now_us() + 3_000_000, threading.Condition()
            with condition:
                while room.clock.now_us() < until_us:
                    room.clock.wait(condition, until_us)
            return super().open()

    room.microphone = Slow(clock=room.clock, log=room.log)
    assert named(room.run(), "voice").level is Level.GOOD


# -- any press ends it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("button", list(Button))
def test_any_further_press_ends_it_at_once(button: Button) -> None:
    room = Room()
    with_camera(room)
    room.hand["stay quiet"] = [(button, 1_000_000)]
    room.dark_within_us = 350_000  # the press settles in 60 ms, a period lasts 100, and both are looked at now and then
    found = room.run()
    assert "a press ended it" in named(found, "room test").what
    assert not [finding for finding in found if finding.name in {"voice", "camera"}]
    assert room.log.events[-1] == "light off"
    assert room.was_dark_in_time


# -- troubles ---------------------------------------------------------------------------------------------------------


def test_a_microphone_that_cannot_be_opened_is_told_and_the_camera_is_tested_all_the_same() -> None:
    room = Room()
    with_camera(room)
    assert isinstance(room.microphone, PacedMicrophone)
    room.microphone.unplug()
    found = room.run()
    assert named(found, "microphone").level is Level.BAD
    assert "unplugged" in named(found, "microphone").what
    assert named(found, "camera").level is Level.GOOD
    assert room.log.events[-1] == "light off"


def test_a_camera_whose_program_does_not_start_is_told_and_the_sound_is_judged_all_the_same() -> None:
    room = Room()
    room.camera = ChildCamera(name="broken", size=(320, 180), command=lambda: ["/nowhere/camera"])
    found = room.run()
    assert named(found, "camera").level is Level.BAD
    assert "could not be started" in named(found, "camera").what
    assert named(found, "voice").level is Level.GOOD


def test_a_thread_that_dies_reaches_whoever_runs_the_check_once_all_is_dark() -> None:
    room = Room()

    class Broken(PacedMicrophone):
        def read(self) -> Sound | Gap:
            raise ZeroDivisionError

    room.microphone = Broken(clock=room.clock, log=room.log)
    with_camera(room)
    with pytest.raises(ZeroDivisionError):
        room.run()
    assert room.log.events[-1] == "light off"
    assert room.log.count("microphone closed") == room.log.count("camera closed") == 1


def test_who_interrupts_it_leaves_no_device_open() -> None:
    room = Room()
    with_camera(room)
    room.plan = Plan(room_s=0.5, clap_s=5)

    def say(text: str) -> None:
        if text.startswith("now clap"):
            raise KeyboardInterrupt
        Room.say(room, text)

    room.say = say  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        room.run()
    assert room.log.events[-1] == "light off"
    assert room.log.count("microphone closed") == room.log.count("camera closed") == 1


# -- claps ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shift_ms", [0, 80])
def test_flashes_of_a_cameras_own_program_are_laid_beside_ticks(shift_ms: int) -> None:
    room = Room(speed=4)
    room.plan = Plan(room_s=0.5, clap_s=6.5)
    claps_us: list[int] = []
    claps = threading.Lock()

    def clap() -> list[int]:
        """The claps begin two seconds after the first of both devices is opened."""
        with claps:
            if not claps_us:
                first_us = room.clock.now_us() + 2_000_000
                claps_us.extend(first_us + number * 913_000 for number in range(6))
        return claps_us

    def command(start_us: int) -> list[str]:
        numbers = [str(start_us), str(shift_ms * 1000), ",".join(map(str, clap()))]
        return [sys.executable, "-m", "tests.check.flashes", "160x90", "25", *numbers]

    room.camera = SimulatedCamera(size=(160, 90), fps=25, clock=room.clock, command=command)

    class Ticking(TickingMicrophone):
        def open(self) -> SoundFormat:
            now_us = room.clock.now_us()
            room.clock.keep_pace("microphone", now_us)
            clap()
            sound = super().open()
            room.clock.keep_pace("microphone", now_us + SLACK_US)
            return sound

        def read(self) -> Sound:
            period = super().read()
            room.clock.keep_pace("microphone", period.end_us + SLACK_US)
            return period

    room.microphone = Ticking(claps_us, room.clock)
    found = named(room.run(), "clap")
    assert found.figures["agreeing"] == 6
    assert abs(float(str(found.figures["offset_ms"])) - shift_ms) <= float(str(found.figures["within_ms"])) + 0.2
    assert found.level is (Level.BAD if shift_ms else Level.GOOD)
    assert "now clap" in room.said[-1]


def test_without_claps_no_picture_is_decoded() -> None:
    program = "import device.check.room, device.check.verb, sys; print('av' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
