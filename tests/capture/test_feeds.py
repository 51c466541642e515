"""The threads that own the devices, with simulated devices and time by hand."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from device.capture.backlog import Backlog, Item
from device.capture.camera import ChildCamera
from device.capture.feeds import PictureEvents, PictureFeed, SoundEvents, SoundFeed
from device.capture.packets import PERIOD_US, Gap, Level, Picture, Sound, SoundFormat, Wire
from device.capture.simulated import SimulatedMicrophone
from device.clock import SystemClock
from device.errors import CameraError, MicrophoneError

MONO = SoundFormat(48_000, 1, Wire.S24_3LE)
CD = SoundFormat(44_100, 2, Wire.S16_LE)


@dataclass
class Told:
    """What a feed told, in order; levels apart, because there are many."""

    said: queue.SimpleQueue[tuple[str, Any]] = field(default_factory=queue.SimpleQueue)
    seen: list[str] = field(default_factory=list)
    levels: list[Level] = field(default_factory=list)

    def tell(self, name: str) -> Callable[..., None]:
        return lambda *what: self.said.put((name, what[0] if what else None))

    def wait(self, name: str) -> Any:
        """Wait until that is told; what came with it."""
        while True:
            got, what = self.said.get()
            self.seen.append(got)
            if got == name:
                return what

    def rest(self) -> list[str]:
        while not self.said.empty():
            self.seen.append(self.said.get()[0])
        return self.seen


class Ear:
    """A sound feed on a microphone, and what a test does with both."""

    def __init__(self, microphone: Any, hand: Any) -> None:
        self.backlog = Backlog()
        self.told = Told()
        self.lamps: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self.hand = hand
        self.feed = SoundFeed(
            microphone,
            self.backlog,
            clock=hand.clock,
            floor_dbfs=-60,
            events=SoundEvents(
                opened=self.told.tell("opened"),
                failed=self.told.tell("failed"),
                gone=self.told.tell("gone"),
                back=self.told.tell("back"),
                overloaded=self.told.tell("overloaded"),
                level=self.told.levels.append,
                devices=lambda: self.lamps.put(self.feed.is_open),
                died=self.told.tell("died"),
            ),
        )

    def lamp(self) -> list[bool]:
        """Whether the microphone was open, each time that something about it changed since the last look."""
        seen = []
        while not self.lamps.empty():
            seen.append(self.lamps.get())
        return seen

    def get(self, periods: int) -> list[Item]:
        """Items up to and with so many periods of sound."""
        got: list[Item] = []
        while sum(isinstance(item, Sound) for item in got) < periods:
            item = self.backlog.get()
            assert item is not None
            got.append(item)
        return got

    def end(self) -> list[Item]:
        """Stop, and all that is still to be had."""
        self.feed.stop()
        self.hand.step_us = 0
        self.hand.forward(2 * PERIOD_US)
        self.feed.closed.wait()
        return list(iter(self.backlog.get, None))


def check_line(items: list[Item], sound: SoundFormat, source: bytes) -> int:
    """That every sample stands where the room had it; how many there are, the lost ones counted."""
    at = 0
    for item in items:
        if isinstance(item, Gap):
            at += item.samples
        elif isinstance(item, Sound):
            start = at * sound.frame_bytes % len(source)
            assert item.data == (source * 2)[start : start + item.samples * sound.frame_bytes]
            at += item.samples
    return at


def gap_samples(items: list[Item]) -> int:
    return sum(item.samples for item in items if isinstance(item, Gap))


# When the plug is pulled (after the tenth period), and how long after that it is put in again, in microseconds.
PULLED_AND_BACK = [
    (1, 1), (0, 250_000), (33_333, 250_001), (99_999, 777_777), (20, 1_000_000), (50_010, 1_000_010),
    (12_345, 3_141_593), (77, 59_999_983), (5, 271_828), (61_803, 398_875),
]  # fmt: skip


@pytest.mark.parametrize("sound", [MONO, CD], ids=str)
@pytest.mark.parametrize(("pulled_us", "away_us"), PULLED_AND_BACK)
def test_a_gap_is_as_long_as_what_the_microphone_missed(
    sound: SoundFormat, pulled_us: int, away_us: int, hand: Any, make: Any, wav: Callable[..., Path]
) -> None:
    """Time passes while the microphone is opened, too: the gap ends with its first sample and not before."""
    source = make.noise(sound, 100_003)
    microphone = SimulatedMicrophone(wav(sound, source), clock=hand.clock, loop=True)
    ear = Ear(microphone, hand)
    hand.us = start_us = 12_345_678
    ear.feed.start(after=None)
    assert ear.told.wait("opened") == sound
    hand.us = start_us + 10 * PERIOD_US + pulled_us
    items = ear.get(10)
    microphone.unplug()
    hand.us = start_us + 11 * PERIOD_US  # the period that was under way may still come
    ear.told.wait("gone")
    hand.forward(away_us)
    microphone.plug()
    hand.step_us = 997
    ear.told.wait("back")
    items += ear.get(3) + ear.end()
    assert gap_samples(items) >= sound.samples(away_us) - 1
    check_line(items, sound, source)


def test_no_rounding_adds_up_while_a_microphone_is_away_for_long(
    hand: Any, make: Any, wav: Callable[..., Path]
) -> None:
    """Each of the many tries to open it again marked what had passed, and each lost a part of a microsecond."""
    source = make.noise(MONO, 100_003)
    microphone = SimulatedMicrophone(wav(MONO, source), clock=hand.clock, loop=True)
    ear = Ear(microphone, hand)
    ear.feed.start(after=None)
    ear.told.wait("opened")
    hand.us = PERIOD_US + 23_456
    items = ear.get(1)
    microphone.unplug()
    hand.us = 2 * PERIOD_US
    ear.told.wait("gone")
    hand.step_us = 83_333
    while gap_samples(items) < 600 * 48_000:
        item = ear.backlog.get()
        assert item is not None
        items.append(item)
    microphone.plug()
    hand.step_us = 9_973
    ear.told.wait("back")
    items += ear.get(1) + ear.end()
    check_line(items, MONO, source)


def test_it_is_opened_only_once_the_one_before_is_closed(hand: Any, make: Any, wav: Callable[..., Path]) -> None:
    microphone = SimulatedMicrophone(wav(MONO, make.noise(MONO, 9600)), clock=hand.clock, loop=True)
    ear, before = Ear(microphone, hand), threading.Event()
    ear.feed.start(after=before)
    assert not ear.feed.is_open
    before.set()
    ear.told.wait("opened")
    assert ear.feed.is_open
    ear.end()
    assert not ear.feed.is_open


def test_one_that_is_stopped_before_its_turn_never_opens(hand: Any, make: Any, wav: Callable[..., Path]) -> None:
    """Consent may be withdrawn before the take before has let go of the microphone."""
    microphone = SimulatedMicrophone(wav(MONO, make.noise(MONO, 9600)), clock=hand.clock, loop=True)
    ear, before = Ear(microphone, hand), threading.Event()
    ear.feed.start(after=before)
    ear.feed.stop()
    before.set()
    ear.feed.closed.wait()
    assert ear.backlog.get() is None
    assert ear.lamp() == [False]
    assert ear.told.rest() == []


def test_a_microphone_that_does_not_open_is_told_and_nothing_is_captured(hand: Any, tmp_path: Path) -> None:
    path = tmp_path / "no.wav"
    path.write_bytes(b"this is no WAV at all")
    ear = Ear(SimulatedMicrophone(path, clock=hand.clock, loop=True), hand)
    ear.feed.start(after=None)
    problem = ear.told.wait("failed")
    ear.feed.closed.wait()
    assert isinstance(problem, MicrophoneError)
    assert problem.hint
    assert ear.backlog.get() is None
    assert ear.lamp() == [False]


def test_another_microphone_in_place_of_the_first_is_not_taken(hand: Any, make: Any, wav: Callable[..., Path]) -> None:
    """One track cannot hold two formats. The lamp must not stay lit for a device that was closed again at once."""
    source = make.noise(MONO, 100_003)
    path = wav(MONO, source)
    right = path.read_bytes()
    microphone = SimulatedMicrophone(path, clock=hand.clock, loop=True)
    ear = Ear(microphone, hand)
    ear.feed.start(after=None)
    ear.told.wait("opened")
    hand.us = PERIOD_US + 50_000
    items = ear.get(1)
    microphone.unplug()
    hand.us = 2 * PERIOD_US
    ear.told.wait("gone")
    wav(CD, make.noise(CD, 50_000))
    ear.lamp()
    microphone.plug()
    hand.step_us = 997
    for _ in range(3):
        assert [ear.lamps.get(), ear.lamps.get()] == [True, False]
    path.write_bytes(right)
    ear.told.wait("back")
    items += ear.get(2) + ear.end()
    check_line(items, MONO, source)
    assert "failed" not in ear.told.rest()
    assert ear.told.seen.count("back") == 1


class Buggy(SimulatedMicrophone):
    """A microphone whose driver has a bug."""

    def read(self) -> Sound | Gap:
        super().read()
        raise RuntimeError("division by zero, or so")


def test_a_bug_in_a_microphone_is_told_and_the_device_is_closed(
    hurry: Any, make: Any, wav: Callable[..., Path], tmp_path: Path
) -> None:
    path = wav(MONO, make.noise(MONO, 9600))
    ear = Ear(Buggy(path, clock=hurry.clock, loop=True), hurry)
    ear.feed.start(after=None)
    problem = ear.told.wait("died")
    ear.feed.closed.wait()
    assert isinstance(problem, RuntimeError)
    assert ear.backlog.get() is None
    assert not ear.feed.is_open
    assert str(path) not in {str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()}


def test_stopping_lets_the_microphone_go_within_a_period(hand: Any, make: Any, wav: Callable[..., Path]) -> None:
    microphone = SimulatedMicrophone(wav(MONO, make.noise(MONO, 9600)), clock=hand.clock, loop=True)
    ear = Ear(microphone, hand)
    ear.feed.start(after=None)
    ear.told.wait("opened")
    ear.feed.stop()
    hand.us = PERIOD_US
    ear.feed.closed.wait()
    with pytest.raises(MicrophoneError):
        microphone.read()
    ear.told.rest()
    assert "gone" not in ear.told.seen


def test_stopping_while_the_microphone_is_away_marks_what_has_passed(
    hand: Any, make: Any, wav: Callable[..., Path]
) -> None:
    microphone = SimulatedMicrophone(wav(MONO, make.noise(MONO, 9600)), clock=hand.clock, loop=True)
    ear = Ear(microphone, hand)
    ear.feed.start(after=None)
    ear.told.wait("opened")
    hand.us = PERIOD_US
    items = ear.get(1)
    microphone.unplug()
    hand.us = 2 * PERIOD_US
    ear.told.wait("gone")
    hand.us = 3 * PERIOD_US
    ear.feed.stop()
    ear.feed.closed.wait()
    items += list(iter(ear.backlog.get, None))
    lost = gap_samples(items)
    assert lost + sum(item.samples for item in items if isinstance(item, Sound)) == MONO.samples(3 * PERIOD_US)
    assert not ear.feed.is_open


def test_a_storage_that_stalls_for_more_than_a_minute_costs_a_gap_and_says_so(
    make: Any, wav: Callable[..., Path], hurry: Any
) -> None:
    source = make.noise(MONO, 100_003)
    hurry.step_us = 60_000
    ear = Ear(SimulatedMicrophone(wav(MONO, source), clock=hurry.clock, loop=True), hurry)
    ear.feed.start(after=None)
    ear.told.wait("overloaded")
    items = ear.get(100) + ear.end()
    assert gap_samples(items) > 0
    check_line(items, MONO, source)
    assert len(ear.told.levels) == sum(isinstance(item, Sound) for item in items) + ear.told.rest().count("overloaded")


# -- pictures ---------------------------------------------------------------------------------------------------------


class Eye:
    """A picture feed on a camera whose program is given."""

    def __init__(self, program: str, *, camera: type[ChildCamera] = ChildCamera) -> None:
        head = "import signal, sys, pathlib\nfrom struct import pack\ndef P(n):\n    sys.stdout.buffer.write(pack('>4sIqB', b'SPic', 1, n * 40_000, n % 50 == 0) + b'x')\n    sys.stdout.flush()\n"  # noqa: E501
        self.starts = 0
        self.backlog = Backlog()
        self.told = Told()
        self.open: list[bool] = []
        self.program = head + program
        self.camera = camera(name="test", size=(320, 180), command=self.command)
        self.feed = PictureFeed(
            self.camera,
            self.backlog,
            clock=SystemClock(),
            events=PictureEvents(
                gone=self.told.tell("gone"),
                back=self.told.tell("back"),
                given_up=self.told.tell("given up"),
                devices=lambda: self.open.append(self.feed.is_open),
                died=self.told.tell("died"),
            ),
        )

    def command(self) -> list[str]:
        self.starts += 1
        return [sys.executable, "-I", "-S", "-c", self.program, str(self.starts)]

    def pictures(self) -> list[int]:
        self.backlog.close()
        return [item.at_us for item in iter(self.backlog.get, None) if isinstance(item, Picture)]


def test_a_camera_that_keeps_ending_is_restarted_and_then_given_up() -> None:
    eye = Eye("P(0)")
    eye.feed.start()
    eye.told.wait("given up")
    eye.feed.closed.wait()
    assert eye.starts == 5
    assert eye.told.seen == ["gone", *["back", "gone"] * 4, "given up"]
    assert eye.feed.pictures == 5
    assert eye.pictures() == [0] * 5
    assert eye.open == [*[True, False] * 5, False]


def test_a_camera_that_cannot_be_started_is_given_up() -> None:
    eye = Eye("")
    eye.camera._command = lambda: ["/nowhere/camera"]
    eye.feed.start()
    eye.told.wait("given up")
    eye.feed.closed.wait()
    assert eye.told.seen == ["gone"] * 5 + ["given up"]
    assert True not in eye.open


@pytest.mark.parametrize("program", ["signal.pause()", "P(0); signal.pause()", "n = 0\nwhile True: P(n); n += 1"])
def test_stopping_lets_a_camera_go_whatever_it_is_doing(program: str) -> None:
    eye = Eye(f"signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{program}")
    eye.feed.start()
    if "P(" in program:
        assert isinstance(eye.backlog.get(), Picture)
    eye.feed.stop()
    eye.feed.closed.wait()
    assert not eye.feed.is_open
    assert eye.camera._child is None
    assert eye.told.rest() == []


def test_a_camera_that_comes_back_is_told_once() -> None:
    eye = Eye("P(0)\nif sys.argv[1] == '2': P(50); P(51); P(52); signal.pause()")
    eye.feed.start()
    eye.told.wait("back")
    for _ in range(4):
        assert isinstance(eye.backlog.get(), Picture)
    eye.feed.stop()
    eye.feed.closed.wait()
    assert eye.told.rest() == ["gone", "back"]


@pytest.mark.parametrize("program", ["signal.pause()", "n = 0\nwhile True: P(n); n += 1", "P(0)"])
def test_a_picture_that_is_given_up_is_told_once_and_the_camera_stays_closed(program: str) -> None:
    eye = Eye(program)
    eye.feed.start()
    if "P(" in program:
        assert isinstance(eye.backlog.get(), Picture)
    eye.feed.give_up()
    eye.told.wait("given up")
    eye.feed.closed.wait()
    assert eye.told.rest().count("given up") == 1
    assert eye.told.seen[-2:] == ["gone", "given up"]
    assert not eye.feed.is_open
    assert eye.camera._child is None


def test_how_old_a_picture_is_when_it_comes_is_known() -> None:
    eye = Eye("P(0); signal.pause()")
    before_us = SystemClock().now_us()
    eye.feed.start()
    assert isinstance(eye.backlog.get(), Picture)
    assert eye.feed.late_us is not None
    assert before_us <= eye.feed.late_us <= SystemClock().now_us()  # its picture was taken at 0
    eye.feed.stop()
    eye.feed.closed.wait()


class BuggyCamera(ChildCamera):
    """A camera whose driver has a bug."""

    def read(self) -> Picture:
        super().read()
        raise RuntimeError("division by zero, or so")


def test_a_bug_in_a_camera_is_told_and_the_device_is_closed() -> None:
    eye = Eye("P(0); signal.pause()", camera=BuggyCamera)
    eye.feed.start()
    assert isinstance(eye.told.wait("died"), RuntimeError)
    eye.feed.closed.wait()
    assert not eye.feed.is_open
    with pytest.raises(CameraError, match="not open"):
        ChildCamera.read(eye.camera)
