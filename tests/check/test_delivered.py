"""What is said of a microphone and a camera by what came from them."""

from __future__ import annotations

import pytest

from device.capture.packets import SoundFormat, Wire
from device.check.delivered import PictureLog, SoundLog, judge_camera, judge_microphone
from device.check.finding import Finding, Level


def microphone(*, wire: Wire = Wire.S32_LE, late: float = 1.0, gap: int = 0) -> Finding:
    log = SoundLog(SoundFormat(48_000, 2, wire))
    for number in range(100):
        log.note(4800, round(number * 100_000 * late), gap=False)
    if gap:
        log.note(gap, round(100 * 100_000 * late), gap=True)
    (found,) = judge_microphone("Mic on usb-1.2", log)
    return found


@pytest.mark.parametrize(("wire", "words"), [(Wire.S32_LE, "24 bits in 32"), (Wire.S24_3LE, "2 channels of 24 bits")])
def test_a_microphone_is_named_with_its_format(wire: Wire, words: str) -> None:
    found = microphone(wire=wire)
    assert found.level is Level.GOOD
    assert found.what.startswith("Mic on usb-1.2: ")
    assert words in found.what
    assert "48 kHz" in found.what
    assert found.figures["pace"] == 1.0


def test_sixteen_bits_are_told() -> None:
    assert microphone(wire=Wire.S16_LE).level is Level.LOOK


@pytest.mark.parametrize("late", [0.98, 1.02])
def test_a_microphone_that_does_not_keep_its_rate_is_told(late: float) -> None:
    found = microphone(late=late)
    assert found.level is Level.LOOK
    assert f"{100 / late:.1f} %" in found.what


def test_lost_samples_are_bad() -> None:
    found = microphone(gap=4800)
    assert found.level is Level.BAD
    assert "lost 4800 samples" in found.what


def camera(*, fps: float = 25.0, pictures: int = 200, late_us: int = 40_000, back: bool = False) -> Finding:
    log = PictureLog(1_000_000)
    for number in range(pictures):
        at_us = 1_300_000 + round(number * 1e6 / fps) - (90_000 if back and number == 50 else 0)
        log.note(at_us, 5000, at_us + late_us)
    (found,) = judge_camera("picamera2: 0", (1280, 720), 25, log)
    return found


def test_a_camera_is_named_with_its_size_and_rate() -> None:
    found = camera()
    assert (found.level, found.what) == (Level.GOOD, "picamera2: 0: 1280x720 at 25.0 pictures a second")
    assert found.figures["first_ms"] == 300


@pytest.mark.parametrize("fps", [18.0, 30.0])
def test_another_rate_than_the_one_asked_for_is_told(fps: float) -> None:
    found = camera(fps=fps)
    assert found.level is Level.LOOK
    assert f"{fps:.1f} pictures a second instead of 25" in found.what


@pytest.mark.parametrize("pictures", [0, 1, 4])
def test_too_few_pictures_are_bad(pictures: int) -> None:
    assert camera(pictures=pictures).level is Level.BAD


@pytest.mark.parametrize("late_us", [-1, 30_000_000, -80_000_000])
def test_times_of_another_clock_are_bad(late_us: int) -> None:
    found = camera(late_us=late_us)
    assert found.level is Level.BAD
    assert "clock" in found.what


def test_pictures_that_waited_while_the_camera_started_are_no_trouble() -> None:
    """They were once taken for pictures with the times of another clock."""
    log = PictureLog(0)
    for number in range(200):
        log.note(number * 40_000, 5000, max(3_660_000, number * 40_000 + 20_000))
    (found,) = judge_camera("picamera2: 0", (1280, 720), 25, log)
    assert found.level is Level.GOOD
    assert found.figures["least_delay_ms"] == 20


def test_times_that_go_back_are_bad() -> None:
    assert "go back" in camera(back=True).what
