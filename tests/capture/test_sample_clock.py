"""The microphone's clock against the machine's."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.capture.packets import SoundFormat, Wire
from device.capture.sample_clock import SampleClock

SOUND = SoundFormat(48_000, 2, Wire.S32_LE)
PERIOD = 4800
START_US = 5_000_000


class Room:
    """A microphone whose clock runs ``ppm`` fast, read by somebody who is late by up to ``jitter_us``."""

    def __init__(self, *, ppm: float = 0.0, jitter_us: int = 0, seed: int = 1) -> None:
        self.clock = SampleClock(SOUND)
        self.random = random.Random(seed)
        self.ppm, self.jitter_us = ppm, jitter_us
        self.passed = 0  # samples that went by in the room, heard or not

    def at_us(self) -> int:
        """When the last sample was taken."""
        return START_US + round(self.passed / SOUND.rate_hz * 1_000_000 / (1 + self.ppm / 1_000_000))

    def hear(self, seconds: float, *, late_us: int = 0) -> list[int]:
        missing = []
        for _ in range(round(seconds * 10)):
            self.passed += PERIOD
            seen_us = self.at_us() + late_us + self.random.randint(0, self.jitter_us)
            missing.append(self.clock.take(PERIOD, seen_us))
        return missing

    def lose(self, samples: int) -> None:
        self.passed += samples


def test_before_any_sound_no_moment_has_a_place() -> None:
    assert SampleClock(SOUND).media_us(START_US) is None


def test_the_last_sample_of_the_first_period_is_a_tenth_of_a_second_into_the_recording() -> None:
    room = Room()
    room.hear(0.1)
    assert room.clock.media_us(room.at_us()) == 100_000


@pytest.mark.parametrize("ppm", [-150.0, -20.0, 0.0, 30.0, 200.0])
def test_after_an_hour_of_drift_a_moment_is_still_found_within_two_milliseconds(ppm: float) -> None:
    room = Room(ppm=ppm, jitter_us=30_000)
    assert not any(room.hear(3600))
    assert room.clock.media_us(room.at_us()) == pytest.approx(SOUND.us(room.passed), abs=2_000)


@pytest.mark.parametrize("ppm", [-150.0, -20.0, 0.0, 30.0, 200.0])
def test_the_drift_is_known_to_two_parts_in_a_million_after_ten_minutes(ppm: float) -> None:
    room = Room(ppm=ppm, jitter_us=5_000)
    room.hear(600)
    assert room.clock.drift_ppm == pytest.approx(ppm, abs=2)


def test_no_drift_is_told_from_less_than_a_minute() -> None:
    room = Room(ppm=100)
    room.hear(59)
    assert room.clock.drift_ppm is None
    room.hear(12)
    assert room.clock.drift_ppm == pytest.approx(100, abs=1)


def test_a_loss_that_nobody_told_of_is_counted_once_and_exactly() -> None:
    """A USB microphone that drops packets delivers on as if nothing had happened."""
    room = Room(ppm=40, jitter_us=3_000)
    room.hear(60)
    room.lose(9600)
    missing = [count for count in room.hear(10) if count]
    assert len(missing) == 1
    assert missing[0] == pytest.approx(9600, abs=SOUND.samples(3_000))
    assert room.clock.media_us(room.at_us()) == pytest.approx(SOUND.us(room.passed), abs=4_000)


def test_small_losses_add_up_until_they_are_counted() -> None:
    room = Room(jitter_us=1_000)
    room.hear(30)
    counted = 0
    for _ in range(20):
        room.lose(480)  # 10 ms each
        counted += sum(room.hear(3))
    assert 0 < counted <= 20 * 480
    assert room.clock.media_us(room.at_us()) == pytest.approx(SOUND.us(room.passed), abs=61_000)


def test_a_reader_that_was_held_up_for_three_seconds_lost_nothing() -> None:
    room = Room()
    room.hear(30)
    stalled_until_us = room.at_us() + 3_000_000
    counted = []
    while room.at_us() < stalled_until_us:  # all that waited is read at once, at the end
        room.passed += PERIOD
        counted.append(room.clock.take(PERIOD, stalled_until_us))
    assert not any(counted)
    assert not any(room.hear(30))
    assert room.clock.media_us(room.at_us()) == SOUND.us(room.passed)


def test_a_single_late_second_is_no_loss() -> None:
    room = Room()
    room.hear(10)
    assert not any(room.hear(1, late_us=80_000))
    assert not any(room.hear(10))


def test_a_gap_that_was_told_is_not_counted_again() -> None:
    room = Room()
    room.hear(10)
    room.lose(48_000)
    room.clock.skip(48_000)
    assert not any(room.hear(10))
    assert room.clock.media_us(room.at_us()) == SOUND.us(room.passed)


@given(st.lists(st.integers(0, 40_000), min_size=100, max_size=400), st.floats(-300, 300))
def test_lateness_under_the_limit_never_looks_like_a_loss(lateness_us: list[int], ppm: float) -> None:
    room = Room(ppm=ppm)
    for late_us in lateness_us:
        room.passed += PERIOD
        assert room.clock.take(PERIOD, room.at_us() + late_us) == 0
