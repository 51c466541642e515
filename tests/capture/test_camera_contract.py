"""What every camera promises (``Camera`` in packets.py), asked of a child's camera and of the simulated one."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from device.capture.camera import ChildCamera
from device.capture.packets import Camera, Picture
from device.capture.simulated import SimulatedCamera
from device.clock import SystemClock
from device.errors import CameraError
from device.words import Rung

PATIENCE_S = 30.0
MakeCamera = Callable[[], Camera]


def program(start_us: int) -> list[str]:
    return [sys.executable, "-m", "device", "simulated-camera", "160x96", "25", str(start_us)]


def child_camera() -> Camera:
    return ChildCamera(name="child", size=(160, 96), command=lambda: program(0))


def simulated_camera() -> Camera:
    return SimulatedCamera(size=(160, 96), fps=25, clock=SystemClock(), command=program)


@pytest.fixture(params=[child_camera, simulated_camera])
def camera(request: pytest.FixtureRequest) -> Iterator[Camera]:
    made: Camera = request.param()
    yield made
    made.close()


def children() -> set[str]:
    return set(Path("/proc/self/task").joinpath(str(threading.get_native_id()), "children").read_text().split())


def until(camera: Camera, holds: Callable[[list[Picture]], bool]) -> list[Picture]:
    """Pictures from now on, the last of which make it hold."""
    got: list[Picture] = []
    while not holds(got):
        assert len(got) < 2000
        got.append(camera.read())
    return got


def test_it_says_who_it_is_and_what_it_takes_at_most(camera: Camera) -> None:
    assert camera.name
    assert camera.size == (160, 96)
    assert camera.bitrate == 2_000_000


def test_making_one_opens_nothing(camera: Camera) -> None:
    before = children()
    camera.step(Rung.HALF_RATE)
    camera.kill()
    camera.close()
    assert children() == before


def test_its_first_picture_is_a_key_picture_and_time_goes_on(camera: Camera) -> None:
    camera.open()
    got = until(camera, lambda got: len(got) == 5)
    assert got[0].key
    assert all(later.at_us > sooner.at_us for sooner, later in pairwise(got))


@pytest.mark.parametrize("rung", [Rung.HALF_RATE, Rung.LOW_BITRATE])
def test_a_rung_takes_half_the_pictures_starts_with_a_key_picture_and_can_be_left(camera: Camera, rung: Rung) -> None:
    camera.open()
    camera.read()
    camera.step(rung)
    slow = until(camera, lambda got: len(got) > 1 and got[-1].at_us - got[-2].at_us == 80_000)
    assert slow[-2].key
    camera.step(Rung.WHOLE)
    fast = until(camera, lambda got: len(got) > 1 and got[-1].at_us - got[-2].at_us == 40_000)
    assert fast[-2].key


def test_a_rung_that_was_said_before_it_was_opened_holds(camera: Camera) -> None:
    camera.step(Rung.LOW_BITRATE)
    for _ in range(2):
        camera.open()
        until(camera, lambda got: len(got) > 1 and got[-1].at_us - got[-2].at_us == 80_000)
        camera.close()


def test_a_kill_from_another_thread_ends_a_read(camera: Camera) -> None:
    camera.open()
    camera.read()
    failed = threading.Event()

    def read() -> None:
        with pytest.raises(CameraError):
            while True:
                camera.read()
        failed.set()

    reader = threading.Thread(target=read)
    reader.start()
    camera.kill()
    reader.join(PATIENCE_S)
    assert failed.is_set()


def test_it_can_be_closed_twice_killed_when_closed_and_opened_again(camera: Camera) -> None:
    for _ in range(2):
        camera.open()
        camera.read()
        camera.close()
        camera.close()
        camera.kill()
        camera.step(Rung.HALF_RATE)
        with pytest.raises(CameraError):
            camera.read()
