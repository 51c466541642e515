"""The ladder in a whole box: the picture steps down and goes, the manifest says so, and the sound is complete."""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from device.capture.ladder import Readings
from device.capture.needs import MARGIN_BYTES, SOUND_BYTES_PER_S
from device.capture.picture_side import PictureSide
from device.capture.simulated import SimulatedCamera
from device.recording.manifest import StepFact
from device.store import Store
from device.words import Rung
from tests.service.rooms import MakeBox, only, samples_in, troubled
from tests.support import PATIENCE_S, Box, PacedClock, said, stock_open, store_at

HOT = Readings(temperature_c=77.0)
HOTTER = Readings(temperature_c=81.0)
MUCH_TOO_HOT = Readings(temperature_c=90.0)


class ToldCamera(SimulatedCamera):
    """The simulated camera, small, which keeps what it was told."""

    def __init__(self, clock: PacedClock) -> None:
        def command(start_us: int) -> list[str]:
            return [sys.executable, "-m", "device", "simulated-camera", "160x96", "5", str(start_us)]

        super().__init__(size=(160, 96), fps=5, clock=clock, command=command)
        self.said: list[str] = []

    def open(self) -> None:
        self.said.append("open")
        super().open()

    def step(self, rung: Rung) -> None:
        self.said.append(str(rung))
        super().step(rung)


class Weather:
    """How the machine is, as a test likes."""

    def __init__(self, readings: Readings = Readings(temperature_c=50.0)) -> None:  # noqa: B008  # frozen
        self.readings = readings

    def __call__(self) -> Readings:
        return self.readings


@pytest.fixture
def cameras() -> list[ToldCamera]:
    return []


@pytest.fixture
def prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits and no picture is late, as in a room where time is not driven.

    Here a second passes in a fiftieth of one, so eight milliseconds of a busy machine would be half a second late: too
    much for a ladder that is to go up again.
    """
    real = PictureSide._readings

    def readings(side: PictureSide, now_us: int) -> Readings:
        return replace(real(side, now_us), picture_late_s=0.0, picture_waiting_s=0.0, sound_waiting_s=0.0)

    monkeypatch.setattr(PictureSide, "_readings", readings)


def box_in(make_box: MakeBox, weather: Weather, cameras: list[ToldCamera], **settings: Any) -> Box:
    def camera(clock: PacedClock) -> ToldCamera:
        cameras.append(ToldCamera(clock))
        return cameras[0]

    return make_box(camera=camera, machine=weather, **{"speed": 20, "max_length_min": 10, **settings})


def begin(box: Box) -> None:
    box.consent()
    box.consent()
    box.record()
    box.until(lambda status: status.recording and status.recording.durable_us > 0)


def told(box: Box, camera: ToldCamera, rung: str) -> None:
    """Wait until a camera was told a rung: the machine is looked at every five seconds."""
    box.until(lambda _status: camera.said[-1] == rung)


def steps_of(box: Box) -> tuple[StepFact, ...]:
    picture = only(box).picture
    assert picture is not None
    return picture.steps


def sound_is_complete(box: Box, tmp_path: Path, room: bytes) -> bool:
    manifest = only(box)
    mp4 = tmp_path / "out.mp4"
    mp4.write_bytes(stock_open(box.sealed(manifest.id), box.identity))
    # Of a picture track with nothing in it ffmpeg warns; the sound is asked for here.
    sound = said(["ffmpeg", "-v", "error", "-i", mp4, "-map", "0:a", "-f", "s16le", "-c:a", "pcm_s16le", "-"])
    assert len(sound) == 2 * samples_in(manifest.duration_us)
    return manifest.gaps == () and sound == (room * 200)[: len(sound)]


@pytest.mark.usefixtures("prompt")
def test_heat_costs_the_frame_rate_then_the_bitrate_then_the_picture_and_never_the_sound(
    make_box: MakeBox, cameras: list[ToldCamera], tmp_path: Path, room: bytes
) -> None:
    weather = Weather()
    box = box_in(make_box, weather, cameras)
    begin(box)
    box.until(lambda status: status.recording and status.recording.pictures > 5)
    for readings, rung in [(HOT, "half_rate"), (HOTTER, "low_bitrate")]:
        weather.readings = readings
        told(box, cameras[0], rung)
        assert box.status().state == "recording"
    weather.readings = MUCH_TOO_HOT
    seen = box.until(troubled("no picture"))
    assert seen.recording is not None
    box.until(lambda status: status.recording and status.recording.devices_open == ("microphone",))
    box.pass_s(3)
    box.end()
    assert cameras[0].said == ["whole", "open", "half_rate", "low_bitrate"]
    steps = steps_of(box)
    assert [(step.rung, step.cause) for step in steps] == [
        (Rung.HALF_RATE, "the box is too hot"),
        (Rung.LOW_BITRATE, "the box is too hot"),
        (Rung.NO_PICTURE, "the box is too hot"),
    ]
    assert [step.at_us for step in steps] == sorted(step.at_us for step in steps)
    picture = only(box).picture
    assert picture is not None
    assert picture.given_up_at_us == steps[-1].at_us
    assert picture.pictures > 5
    assert sound_is_complete(box, tmp_path, room)


@pytest.mark.usefixtures("prompt")
def test_a_minute_after_it_is_over_it_goes_up_again_and_nobody_is_troubled(
    make_box: MakeBox, cameras: list[ToldCamera]
) -> None:
    weather = Weather(HOT)
    box = box_in(make_box, weather, cameras, speed=60)
    begin(box)
    weather.readings = replace(HOT, temperature_c=50.0)
    told(box, cameras[0], "whole")
    box.end()
    assert [step.rung for step in steps_of(box)] == [Rung.HALF_RATE, Rung.WHOLE]
    assert cameras[0].said == ["half_rate", "open", "whole"]
    assert "troubled" not in box.watcher.states


@pytest.mark.usefixtures("prompt")
def test_the_next_recording_starts_whole_whatever_the_last_one_suffered(
    make_box: MakeBox, cameras: list[ToldCamera]
) -> None:
    weather = Weather(HOTTER)
    box = box_in(make_box, weather, cameras)
    begin(box)
    box.end()
    weather.readings = Readings(temperature_c=50.0)
    box.until(lambda _status: box.service._health.surroundings.machine == weather.readings)
    begin(box)
    box.end()
    box.stop()
    assert [said for said in cameras[0].said if said != "open"] == ["low_bitrate", "whole"]


class SmallStore(Store):
    """A store with so much room, as it says."""

    room_bytes = 0

    def free_bytes(self) -> int:
        return self.room_bytes


@pytest.fixture
def small_store(tmp_path: Path) -> SmallStore:
    known = store_at(tmp_path / "store")
    return SmallStore(known.path, device_key=known._device_key)


@pytest.mark.usefixtures("prompt")
def test_room_that_something_else_takes_costs_the_picture_first(
    make_box: MakeBox, cameras: list[ToldCamera], small_store: SmallStore, tmp_path: Path, room: bytes
) -> None:
    small_store.room_bytes = 1 << 40
    box = box_in(make_box, Weather(), cameras, store=small_store)
    begin(box)
    small_store.room_bytes = 600 * SOUND_BYTES_PER_S + MARGIN_BYTES + 50_000_000
    told(box, cameras[0], "low_bitrate")
    small_store.room_bytes = 500 * SOUND_BYTES_PER_S + MARGIN_BYTES
    box.until(troubled("no picture"))
    box.pass_s(3)
    box.end()
    assert [step.rung for step in steps_of(box)] == [Rung.LOW_BITRATE, Rung.NO_PICTURE]
    assert sound_is_complete(box, tmp_path, room)


class ImpatientClock(PacedClock):
    """A time that waits for the test only: disks are as slow as they are."""

    def keep_pace(self, who: str, until_us: int | None) -> None:
        if who == "test":
            super().keep_pace(who, until_us)


def test_a_disk_that_stalls_for_half_a_minute_costs_the_picture_and_no_sound(
    make_box: MakeBox,
    cameras: list[ToldCamera],
    tmp_path: Path,
    room: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.support.PacedClock", ImpatientClock)
    box = box_in(make_box, Weather(), cameras, speed=5)
    begin(box)
    box.until(lambda status: status.recording and status.recording.pictures > 3)
    release, real = threading.Event(), os.fdatasync

    def slow(descriptor: int) -> None:
        assert release.wait(PATIENCE_S)
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", slow)
    box.until(troubled("no picture"))
    box.pass_s(1)
    release.set()
    box.until(lambda status: status.recording and "storage slow" not in status.recording.troubles)
    box.end()
    assert steps_of(box)[-1].rung is Rung.NO_PICTURE
    assert steps_of(box)[-1].cause == "the storage is too slow"
    assert sound_is_complete(box, tmp_path, room)


def test_how_the_machine_is_stands_in_the_status(make_box: MakeBox) -> None:
    weather = Weather(Readings(temperature_c=61.5, under_voltage=True))
    box = make_box(machine=weather)
    seen = box.until(lambda status: status.machine is not None and status.machine.temperature_c == 61.5)
    assert seen.machine is not None
    assert seen.machine.under_voltage is True
