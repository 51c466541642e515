"""How fast something moves: over the last seconds, and never a guess."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.clock import MICROSECONDS
from device.sync.pace import OVER_US, Pace


def moving(bytes_per_s: int, *, seconds: int, pace: Pace | None = None, from_s: int = 0) -> Pace:
    pace = pace or Pace()
    for tenth in range(seconds * 10):
        pace.moved(bytes_per_s // 10, from_s * MICROSECONDS + (tenth + 1) * MICROSECONDS // 10)
    return pace


def test_nothing_is_said_before_there_is_a_second_to_judge_by() -> None:
    pace = Pace()
    assert pace.bytes_per_s(0) is None
    pace.begin(0)
    pace.moved(1000, 900_000)
    assert pace.bytes_per_s(900_000) is None
    assert pace.bytes_per_s(1_000_000) == 1000


@pytest.mark.parametrize("seconds", [2, 9, 60])
def test_a_steady_way_is_told_as_it_is(seconds: int) -> None:
    pace = Pace()
    pace.begin(0)
    assert moving(1_000_000, seconds=seconds, pace=pace).bytes_per_s(seconds * MICROSECONDS) == pytest.approx(
        1_000_000, rel=0.03
    )


def test_only_the_last_seconds_count() -> None:
    pace = Pace()
    pace.begin(0)
    moving(10_000_000, seconds=60, pace=pace)
    moving(100_000, seconds=15, pace=pace, from_s=60)
    assert pace.bytes_per_s(75 * MICROSECONDS) == pytest.approx(100_000, rel=0.05)
    silent = 75 * MICROSECONDS + OVER_US
    pace.moved(0, silent)
    assert pace.bytes_per_s(silent) == 0


def test_what_begins_anew_knows_nothing_of_before() -> None:
    pace = moving(1_000_000, seconds=5)
    pace.begin(5 * MICROSECONDS)
    assert pace.bytes_per_s(5 * MICROSECONDS) is None
    assert pace.bytes_per_s(7 * MICROSECONDS) == 0


@given(st.lists(st.tuples(st.integers(0, 1 << 24), st.integers(1, 5 * MICROSECONDS)), min_size=1, max_size=60))
def test_it_is_never_faster_than_all_that_moved(steps: list[tuple[int, int]]) -> None:
    pace, now_us, moved = Pace(), 0, 0
    pace.begin(0)
    for size, later_us in steps:
        now_us, moved = now_us + later_us, moved + size
        pace.moved(size, now_us)
        told = pace.bytes_per_s(now_us)
        assert told is None or 0 <= told <= moved
