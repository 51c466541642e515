"""A rehearsal's time: as fast as asked for, never ahead of the slowest, never backwards."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.clock import PacedClock, SystemClock, wire_time

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
S = 1_000_000


class RealTime:
    """The time outside, moved by the test."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def real() -> RealTime:
    return RealTime()


def paced(real: RealTime, speed: float) -> PacedClock:
    return PacedClock(speed=speed, start=START, real_s=real)


@pytest.mark.parametrize("speed", [0.5, 1, 20, 500])
def test_time_runs_as_fast_as_asked_for(real: RealTime, speed: float) -> None:
    clock = paced(real, speed)
    assert clock.now_us() == 0
    real.seconds += 4
    assert clock.now_us() == 4 * S * speed
    assert clock.utc() == START + timedelta(seconds=4 * speed)
    assert clock.trusted()


def test_time_stands_still_at_a_limit_and_does_not_leap_when_it_is_lifted(real: RealTime) -> None:
    clock = paced(real, 10)
    clock.keep_pace("writer", 30 * S)
    real.seconds += 2
    assert clock.now_us() == 20 * S
    real.seconds += 100
    assert clock.now_us() == 30 * S
    assert clock.utc() == START + timedelta(seconds=30)
    clock.keep_pace("writer", None)
    assert clock.now_us() == 30 * S
    real.seconds += 1
    assert clock.now_us() == 40 * S


def test_time_nobody_looked_at_while_it_stood_still_is_forgotten_too(real: RealTime) -> None:
    clock = paced(real, 10)
    clock.keep_pace("writer", 30 * S)
    real.seconds += 100
    clock.keep_pace("writer", 50 * S)
    real.seconds += 1
    assert clock.now_us() == 40 * S


def test_the_slowest_of_several_sets_the_pace(real: RealTime) -> None:
    clock = paced(real, 1)
    clock.keep_pace("writer", 10 * S)
    clock.keep_pace("camera", 5 * S)
    real.seconds += 60
    assert clock.now_us() == 5 * S
    clock.keep_pace("camera", None)
    real.seconds += 60
    assert clock.now_us() == 10 * S
    clock.keep_pace("somebody else", None)
    clock.keep_pace("writer", None)
    real.seconds += 60
    assert clock.now_us() == 70 * S


def test_a_limit_that_is_set_too_late_stops_time_where_it_is(real: RealTime) -> None:
    # A thread that was not let run for a while set its limit in the past, and time went back to it.
    clock = paced(real, 50)
    real.seconds += 1
    assert clock.now_us() == 50 * S
    clock.keep_pace("writer 1", 20 * S)
    assert clock.now_us() == 50 * S
    real.seconds += 1
    assert clock.now_us() == 50 * S


_STEPS = st.one_of(
    st.floats(0, 100),
    st.tuples(st.sampled_from(["writer", "camera"]), st.none() | st.integers(-S, 2000 * S)),
)


@given(speed=st.floats(0.01, 1000), steps=st.lists(_STEPS, max_size=40))
def test_time_never_goes_back_nor_beyond_a_limit_that_was_set_in_time(
    speed: float, steps: list[float | tuple[str, int | None]]
) -> None:
    real = RealTime()
    clock = paced(real, speed)
    limits: dict[str, int] = {}
    before = clock.now_us()
    for step in steps:
        if isinstance(step, tuple):
            who, until_us = step
            clock.keep_pace(who, until_us)
            limits.pop(who, None)
            if until_us is not None:
                limits[who] = max(until_us, clock.now_us())
        else:
            passed_us = step * S * speed
            real.seconds += step
            assert clock.now_us() <= before + passed_us + speed + 1
        assert before <= clock.now_us()
        before = clock.now_us()
        assert before <= min(limits.values(), default=before)


@pytest.mark.parametrize("clock", [SystemClock(), PacedClock(speed=1000, start=START)], ids=["system", "paced"])
def test_a_wait_ends_when_the_time_has_come_or_somebody_notifies(clock: SystemClock | PacedClock) -> None:
    condition = threading.Condition()
    with condition:
        until_us = clock.now_us() + 2000
        while clock.now_us() < until_us:
            clock.wait(condition, until_us)
        clock.wait(condition, clock.now_us() - 1)  # a moment that has passed is no wait at all

        def notify() -> None:
            with condition:
                condition.notify_all()

        thread = threading.Thread(target=notify)
        thread.start()
        clock.wait(condition, None)
    thread.join()


def test_the_systems_clock_waits_for_nobody() -> None:
    clock = SystemClock()
    before = clock.now_us()
    clock.keep_pace("writer", 0)
    assert clock.now_us() >= before > 0
    assert clock.utc().tzinfo is UTC
    assert clock.trusted() in {True, False}


@pytest.mark.parametrize("who", ["timesync", "chrony"])
def test_the_systems_clock_is_believed_once_a_time_server_was_heard_by_whichever_program(
    tmp_path: Path, who: str
) -> None:
    clock = SystemClock((tmp_path / "timesync", tmp_path / "chrony"))
    assert not clock.trusted()
    (tmp_path / who).touch()
    assert clock.trusted()


def test_times_are_written_in_utc_with_milliseconds() -> None:
    eastern = timezone(timedelta(hours=-5))
    assert wire_time(datetime(2026, 3, 2, 4, 0, 0, 999_999, tzinfo=eastern)) == "2026-03-02T09:00:00.999Z"
