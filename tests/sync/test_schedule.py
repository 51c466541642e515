"""Limits, pace and waiting: pure rules, held for every moment and every chance."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.sync_schedule import MOST_BACKOFF_S, Bucket, Hours, Limits, backoff_s, slow_s

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
OFFICE = Hours(frozenset(range(5)), time(8), time(18))
NIGHT = Hours(frozenset({4}), time(22), time(6))
CHANCES = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize(
    ("hours", "day", "at", "hold"),
    [
        (OFFICE, 0, time(7, 59), False),
        (OFFICE, 0, time(8), True),
        (OFFICE, 4, time(17, 59), True),
        (OFFICE, 4, time(18), False),
        (OFFICE, 5, time(12), False),
        (NIGHT, 4, time(21, 59), False),
        (NIGHT, 4, time(22), True),
        (NIGHT, 5, time(5, 59), True),
        (NIGHT, 5, time(6), False),
        (NIGHT, 5, time(23), False),
        (NIGHT, 4, time(5), False),
    ],
)
def test_office_hours_belong_to_the_day_on_which_they_begin(hours: Hours, day: int, at: time, *, hold: bool) -> None:
    assert hours.hold(datetime.combine(MONDAY + timedelta(days=day), at)) == hold


@pytest.mark.parametrize(
    ("hour", "trusted", "kbit_s"), [(12, True, 500), (20, True, 8000), (20, False, 500), (12, False, 500)]
)
def test_a_clock_that_may_be_wrong_gets_the_lower_limit(hour: int, *, trusted: bool, kbit_s: int) -> None:
    limits = Limits(always=8000, hours=OFFICE, in_hours=500)
    assert limits.bytes_per_s(MONDAY + timedelta(hours=hour), trusted=trusted) == kbit_s * 125


def test_a_box_without_a_clock_is_not_kept_from_syncing_for_ever() -> None:
    limits = Limits(always=None, hours=OFFICE, in_hours=0)
    noon = MONDAY + timedelta(hours=12)
    assert limits.bytes_per_s(noon, trusted=True) == 0
    assert limits.bytes_per_s(noon, trusted=False) is None
    assert limits.bytes_per_s(noon + timedelta(hours=8), trusted=True) is None


@given(st.lists(st.tuples(st.integers(1, 1 << 20), st.floats(0, 30)), min_size=1, max_size=60), st.integers(1, 1 << 22))
def test_the_limit_is_kept_on_the_whole_but_for_half_a_second_and_one_piece(
    pieces: list[tuple[int, float]], limit: int
) -> None:
    bucket, now_s = Bucket(), 1000.0
    sent: list[tuple[float, int]] = []
    for size, pause_s in pieces:
        now_s += pause_s
        now_s += bucket.wait_s(size, limit=limit, now_s=now_s)
        sent.append((now_s, size))
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            moved = sum(size for _, size in sent[first:last])
            assert moved <= limit * (sent[last][0] - sent[first][0] + 0.5) + 1


@given(st.integers(1, 1 << 20), st.floats(0, 1e6))
def test_without_a_limit_nothing_waits(size: int, now_s: float) -> None:
    assert Bucket().wait_s(size, limit=None, now_s=now_s) == 0.0


@given(st.integers(1, 10_000), CHANCES, st.one_of(st.none(), st.floats(-1e9, 1e9)))
def test_a_wait_is_at_least_what_the_server_asked_for_and_never_for_ever(
    failures: int, chance: float, asked_s: float | None
) -> None:
    waited_s = backoff_s(failures, chance, retry_after_s=asked_s)
    assert min(asked_s or 0.0, 86_400.0) <= waited_s <= 86_400.0 + MOST_BACKOFF_S


def test_waiting_doubles_up_to_half_an_hour_and_its_length_is_left_to_chance() -> None:
    whole = [backoff_s(failures, 0.999999) for failures in range(1, 14)]
    assert [round(waited_s) for waited_s in whole[:5]] == [2, 4, 8, 16, 32]
    assert round(whole[-1]) == MOST_BACKOFF_S
    assert backoff_s(9, 0.0) == 0.0
    assert backoff_s(9, 0.5) == pytest.approx(backoff_s(9, 0.25) * 2)


@given(CHANCES)
def test_where_an_admin_has_to_act_it_is_tried_seldom_and_still_tried(chance: float) -> None:
    assert MOST_BACKOFF_S / 2 <= slow_s(chance) <= MOST_BACKOFF_S
