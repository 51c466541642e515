"""The ladder for load, heat and room: down at once, up slowly, the sound never on it."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.capture.ladder import EASED, GIVE_UP_AFTER_US, UP_AFTER_US, Ladder, Readings
from device.capture.needs import (
    MARGIN_BYTES,
    RESERVE_BYTES,
    SOUND_BYTES_PER_S,
    Surroundings,
    picture_bytes_per_s,
    session_bytes,
)
from device.words import RUNGS, Rung

SECOND_US = 1_000_000
FINE = Readings(
    pressure_percent=5.0,
    load=0.2,
    temperature_c=50.0,
    under_voltage=False,
    sound_spare_bytes=1 << 40,
    picture_spare_bytes=1 << 40,
    picture_late_s=0.1,
    picture_waiting_s=0.1,
    sound_waiting_s=0.1,
)
# Of each reading: what is fine, and then worse and worse.
WORSE: dict[str, tuple[Any, ...]] = {
    "pressure_percent": (0.0, 59.0, 70.0, 80.0, 95.0, 100.0),
    "load": (0.0, 1.6, 2.0, 4.0, 100.0),
    "temperature_c": (20.0, 71.0, 74.0, 76.0, 80.0, 84.0, 110.0),
    "under_voltage": (False, True),
    "sound_spare_bytes": (1 << 40, 0, -1, -(1 << 40)),
    "picture_spare_bytes": (1 << 40, 1 << 20, 0, -1, -(1 << 40)),
    "picture_late_s": (0.0, 1.0, 2.0, 4.0, 60.0),
    "picture_waiting_s": (0.0, 1.0, 2.0, 4.0, 5.0),
    "sound_waiting_s": (0.0, 2.0, 4.0, 8.0, 20.0, 60.0),
}


def walk(*steps: tuple[float, Readings], ladder: Ladder | None = None) -> list[Rung]:
    """The rung after each reading; each is given with its time in seconds."""
    here, rungs = ladder or Ladder(), []
    for at_s, readings in steps:
        here = here.step(readings, int(at_s * SECOND_US))
        rungs.append(here.rung)
    return rungs


def lasting(readings: Readings, seconds: int, start_s: int = 0) -> list[tuple[float, Readings]]:
    return [(float(at_s), readings) for at_s in range(start_s, start_s + seconds)]


@pytest.mark.parametrize(
    ("reading", "rung", "cause"),
    [
        ({"pressure_percent": 79.9}, Rung.WHOLE, ""),
        ({"pressure_percent": 80.0}, Rung.HALF_RATE, "the processor has too much to do"),
        ({"pressure_percent": 100.0}, Rung.LOW_BITRATE, "the processor has too much to do"),
        ({"load": 2.0}, Rung.HALF_RATE, "the processor has too much to do"),
        ({"load": 40.0}, Rung.LOW_BITRATE, "the processor has too much to do"),
        ({"temperature_c": 76.0}, Rung.HALF_RATE, "the box is too hot"),
        ({"temperature_c": 80.0}, Rung.LOW_BITRATE, "the box is too hot"),
        ({"temperature_c": 84.0}, Rung.LOW_BITRATE, "the box is too hot"),  # and none at all, if it lasts
        ({"under_voltage": True}, Rung.LOW_BITRATE, "the power supply is too weak"),
        ({"picture_spare_bytes": 0}, Rung.WHOLE, ""),
        ({"picture_spare_bytes": -1}, Rung.LOW_BITRATE, "the store has too little room"),
        ({"sound_spare_bytes": -1}, Rung.NO_PICTURE, "the store has too little room"),
        ({"picture_late_s": 2.0}, Rung.HALF_RATE, "the camera's program is too slow"),
        ({"picture_waiting_s": 4.0}, Rung.LOW_BITRATE, "the storage is too slow"),
        ({"sound_waiting_s": 4.0}, Rung.HALF_RATE, "the storage is too slow"),
        ({"sound_waiting_s": 59.0}, Rung.LOW_BITRATE, "the storage is too slow"),  # and none at all, if it lasts
    ],
)
def test_what_is_too_much_sends_it_down_at_once_and_says_why(reading: dict[str, Any], rung: Rung, cause: str) -> None:
    stands = Ladder().step(replace(FINE, **reading), 0)
    assert (stands.rung, stands.cause) == (rung, cause)


def test_a_rung_says_what_it_asks_of_a_camera() -> None:
    assert [(rung.rate_divisor, rung.bitrate_divisor) for rung in RUNGS[:3]] == [(1, 1), (2, 1), (2, 3)]
    assert [rung.depth for rung in RUNGS] == [0, 1, 2, 3]


@pytest.mark.parametrize("reading", [{"temperature_c": 84.0}, {"sound_waiting_s": 20.0}])
def test_the_picture_is_given_up_only_for_what_lasts(reading: dict[str, Any]) -> None:
    bad = replace(FINE, **reading)
    assert walk(*lasting(bad, 10)) == [Rung.LOW_BITRATE] * 10
    assert walk(*lasting(bad, 11))[-1] is Rung.NO_PICTURE
    assert Rung.NO_PICTURE not in walk(*lasting(bad, 9), (9, FINE), *lasting(bad, 9, 10))


def test_a_picture_that_was_given_up_stays_so() -> None:
    assert set(walk(*lasting(replace(FINE, sound_spare_bytes=-1), 1), *lasting(FINE, 600, 1))) == {Rung.NO_PICTURE}


def test_it_goes_up_one_rung_a_minute_once_it_is_over() -> None:
    rungs = walk((0, replace(FINE, temperature_c=80.0)), *lasting(FINE, 130, 1))
    assert rungs[:61] == [Rung.LOW_BITRATE] * 61
    assert rungs[61:122] == [Rung.HALF_RATE] * 61
    assert rungs[122:] == [Rung.WHOLE] * 9
    up = Ladder(rung=Rung.HALF_RATE, calm_since_us=0).step(FINE, UP_AFTER_US)
    assert (up.rung, up.cause) == (Rung.WHOLE, EASED)


def test_a_little_better_is_not_over() -> None:
    """79 °C after 80 °C came from the rung itself: without it, it would be back at 80 °C in a minute."""
    hot, less = replace(FINE, temperature_c=80.0), replace(FINE, temperature_c=76.5)
    assert walk((0, hot), *lasting(less, 600, 1))[-1] is Rung.LOW_BITRATE
    assert walk((0, hot), *lasting(replace(FINE, temperature_c=75.9), 600, 1))[-1] is Rung.HALF_RATE


def test_what_cannot_be_read_is_as_it_was() -> None:
    hot = replace(FINE, temperature_c=80.0)
    assert walk((0, hot), *lasting(replace(FINE, temperature_c=None), 600, 1))[-1] is Rung.LOW_BITRATE
    full = replace(FINE, picture_spare_bytes=-1)
    assert walk((0, full), *lasting(Readings(), 600, 1))[-1] is Rung.LOW_BITRATE


def test_where_nothing_can_be_read_the_picture_is_whole() -> None:
    assert set(walk(*lasting(Readings(), 600))) == {Rung.WHOLE}


# -- for any readings -------------------------------------------------------------------------------------------------

NAMES = tuple(field.name for field in fields(Readings))


@st.composite
def sequences(draw: st.DrawFn) -> list[tuple[int, dict[str, int | None]]]:
    """Times, and how bad each reading is at each of them: an index into ``WORSE``, or ``None`` for unknown."""
    badness = st.fixed_dictionaries({name: st.none() | st.integers(0, len(WORSE[name]) - 1) for name in NAMES})
    steps = draw(st.lists(st.tuples(st.integers(0, 40), badness), min_size=1, max_size=30))
    at_s, sequence = 0, []
    for gap_s, bad in steps:
        at_s += gap_s
        sequence.append((at_s, bad))
    return sequence


def readings_of(badness: dict[str, int | None]) -> Readings:
    return Readings(**{name: None if bad is None else WORSE[name][bad] for name, bad in badness.items()})


@given(sequence=sequences())
def test_it_never_goes_up_more_than_a_rung_a_minute_and_never_from_the_bottom(
    sequence: list[tuple[int, dict[str, int | None]]],
) -> None:
    ladder, changed_s = Ladder(), -1000
    for at_s, badness in sequence:
        before, ladder = ladder, ladder.step(readings_of(badness), at_s * SECOND_US)
        if ladder.rung.depth < before.rung.depth:
            assert at_s - changed_s >= UP_AFTER_US // SECOND_US
            assert before.rung.depth - ladder.rung.depth == 1
            assert before.rung is not Rung.NO_PICTURE
        if ladder.rung is not before.rung:
            assert ladder.cause
            changed_s = at_s


@given(sequence=sequences(), data=st.data())
def test_worse_readings_never_leave_it_higher(
    sequence: list[tuple[int, dict[str, int | None]]], data: st.DataObject
) -> None:
    better, worse = Ladder(), Ladder()
    for at_s, badness in sequence:
        name = data.draw(st.sampled_from(NAMES))
        now = badness[name]
        more = dict(badness)
        if now is not None:
            more[name] = data.draw(st.integers(now, len(WORSE[name]) - 1))
        better = better.step(readings_of(badness), at_s * SECOND_US)
        worse = worse.step(readings_of(more), at_s * SECOND_US)
        assert worse.rung.depth >= better.rung.depth


@given(sequence=sequences())
def test_the_picture_is_given_up_within_ten_seconds_of_what_asks_for_it(
    sequence: list[tuple[int, dict[str, int | None]]],
) -> None:
    """Total: whatever was before, a box that stays too hot has no picture ten seconds later."""
    ladder = Ladder()
    for at_s, badness in sequence:
        ladder = ladder.step(readings_of(badness), at_s * SECOND_US)
    end_us = sequence[-1][0] * SECOND_US
    hot = replace(FINE, temperature_c=90.0)
    ladder = ladder.step(hot, end_us).step(hot, end_us + GIVE_UP_AFTER_US)
    assert ladder.rung is Rung.NO_PICTURE


# -- room -------------------------------------------------------------------------------------------------------------


def test_room_is_reckoned_for_what_is_left_of_the_session() -> None:
    around = Surroundings(Readings(temperature_c=40.0), 10_000_000_000, 5400)
    at_start = around.readings(elapsed_us=0, bitrate=2_000_000)
    assert at_start.temperature_c == 40.0
    assert at_start.sound_spare_bytes == 10_000_000_000 - MARGIN_BYTES - 5400 * SOUND_BYTES_PER_S
    assert at_start.picture_spare_bytes == at_start.sound_spare_bytes - 5400 * 265_000
    late = around.readings(elapsed_us=5_400_000_000, bitrate=2_000_000)
    assert late.sound_spare_bytes == late.picture_spare_bytes == 10_000_000_000 - MARGIN_BYTES


def test_what_is_offered_with_a_picture_starts_with_the_whole_of_it_and_what_is_not_would_not() -> None:
    needed = session_bytes(5400, bitrate=2_000_000)
    for free_bytes, whole in ((needed, True), (needed - 1, False)):
        readings = Surroundings(Readings(), free_bytes, 5400).readings(elapsed_us=0, bitrate=2_000_000)
        assert (Ladder().step(readings, 0).rung is Rung.WHOLE) == whole


def test_a_session_of_sound_that_was_offered_ends_above_the_reserve() -> None:
    free_bytes = session_bytes(5400, bitrate=None)
    assert not Surroundings(Readings(), free_bytes - 5400 * SOUND_BYTES_PER_S, 5400).full
    assert Surroundings(Readings(), RESERVE_BYTES - 1, 5400).full
    assert not Surroundings(Readings(), None, 5400).full


def test_room_that_is_not_known_is_unknown() -> None:
    readings = Surroundings(Readings(), None, 5400).readings(elapsed_us=0, bitrate=2_000_000)
    assert (readings.sound_spare_bytes, readings.picture_spare_bytes) == (None, None)


@pytest.mark.parametrize(
    ("free_bytes", "rung"),
    [
        (MARGIN_BYTES + 3600 * (SOUND_BYTES_PER_S + picture_bytes_per_s(2_000_000)), Rung.WHOLE),
        (MARGIN_BYTES + 3600 * (SOUND_BYTES_PER_S + picture_bytes_per_s(2_000_000)) - 1, Rung.LOW_BITRATE),
        (MARGIN_BYTES + 3600 * SOUND_BYTES_PER_S, Rung.LOW_BITRATE),
        (MARGIN_BYTES + 3600 * SOUND_BYTES_PER_S - 1, Rung.NO_PICTURE),
    ],
)
def test_a_session_starts_on_the_rung_that_there_is_room_for(free_bytes: int, rung: Rung) -> None:
    readings = Surroundings(Readings(), free_bytes, 3600).readings(elapsed_us=0, bitrate=2_000_000)
    assert Ladder().step(readings, 0).rung is rung
