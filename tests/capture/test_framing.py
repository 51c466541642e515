"""A framing check by itself: when its camera is opened, what is known of it, and what it tells."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

import pytest

from device.capture.framing import Framing
from device.capture.packets import Picture
from device.clock import SystemClock
from device.errors import CameraError
from device.session_events import FramingLost
from device.words import Rung

PATIENCE_S = 30


class Camera:
    """A camera that sends what it is told to, and notes how it is used."""

    name = "told"
    size = (160, 96)
    bitrate = 2_000_000

    def __init__(self) -> None:
        self.used: list[str] = []
        self.opened = threading.Event()
        self.sends: queue.SimpleQueue[Picture | BaseException] = queue.SimpleQueue()

    def open(self) -> None:
        self.used.append("open")
        self.opened.set()

    def read(self) -> Picture:
        sent = self.sends.get(timeout=PATIENCE_S)
        if isinstance(sent, BaseException):
            raise sent
        return sent

    def kill(self) -> None:
        self.sends.put(CameraError("let go", "none"))

    def close(self) -> None:
        self.used.append("close")

    def step(self, rung: Rung) -> None:
        self.used.append(f"step {rung}")


class Check:
    """A framing check, its camera, and what it told."""

    def __init__(self) -> None:
        self.camera, self.clock = Camera(), SystemClock()
        self.told: queue.SimpleQueue[FramingLost] = queue.SimpleQueue()
        self.changes = threading.Semaphore(0)
        self.framing = Framing(3, self.camera, clock=self.clock, report=self.told.put, changed=self.changes.release)

    def over(self) -> None:
        assert self.framing.closed.wait(PATIENCE_S)


@pytest.fixture
def check() -> Iterator[Check]:
    check = Check()
    yield check
    check.framing.stop()


def test_the_camera_is_opened_once_everybody_else_has_let_it_go(check: Check) -> None:
    first, second = threading.Event(), threading.Event()
    check.framing.start(after=[first, second])
    first.set()
    assert not check.camera.opened.wait(0.05)
    second.set()
    assert check.camera.opened.wait(PATIENCE_S)


def test_one_that_is_over_before_the_camera_was_free_never_opens_it(check: Check) -> None:
    free = threading.Event()
    check.framing.start(after=[free])
    check.framing.stop()
    free.set()
    check.over()
    assert check.camera.used == ["close"]
    assert check.told.empty()


def test_only_the_latest_still_is_known_and_none_once_it_is_stopped(check: Check) -> None:
    check.framing.start(after=[])
    assert check.camera.opened.wait(PATIENCE_S)
    now_us = check.clock.now_us()
    for number in (1, 2):
        check.camera.sends.put(Picture(bytes([number]), now_us + number, key=True))
    while (still := check.framing.still(now_us)) is None or still.jpeg != b"\2":
        assert not check.framing.closed.is_set()
    assert check.framing.still(now_us + 1_999_000) is not None
    assert check.framing.still(now_us + 2_001_000) is None
    check.framing.stop()
    assert check.framing.still(now_us) is None
    check.over()
    assert check.camera.used == ["open", "close"]
    assert check.told.empty()  # whoever stopped it knows


@pytest.mark.parametrize("problem", [CameraError("the cable is out", "look"), ValueError("odd")], ids=["gone", "died"])
def test_a_camera_that_is_lost_is_closed_and_told(check: Check, problem: Exception) -> None:
    check.framing.start(after=[])
    now_us = check.clock.now_us()
    check.camera.sends.put(Picture(b"still", now_us, key=True))
    check.camera.sends.put(problem)
    told = check.told.get(timeout=PATIENCE_S)
    assert told.framing == 3
    assert ("the cable is out" if isinstance(problem, CameraError) else "ValueError") in told.what
    assert check.framing.closed.is_set()
    assert check.framing.still(now_us) is None
    assert check.camera.used == ["open", "close"]
