"""Hands on two buttons, in milliseconds: what is a press, what is a hold, and what is nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.press import Both, Down, Event, Freed, Hold, Levels, Press, Stuck, Timing
from device.words import Button

C, R = Button.CONSENT, Button.RECORD
MS = 1000
Edge = tuple[int, Button, bool]


def play(edges: list[Edge], *, until_ms: int = 40_000, first: bool = True, step_us: int | None = None) -> list[Event]:
    """Both buttons are first read as up, then come the edges; ticks at each deadline, or every ``step_us``."""
    levels = Levels()
    events: list[Event] = []
    if first:
        for button in Button:
            events += levels.level(button, down=False, at_us=0)
    now_us = 0
    for at_ms, button, down in [*sorted(edges, key=lambda edge: edge[0]), (until_ms, C, None)]:
        at_us = at_ms * MS
        while True:
            due_us = levels.next_deadline_us if step_us is None else now_us + step_us
            if due_us is None or due_us >= at_us:
                break
            now_us = due_us
            events += levels.tick(due_us)
        events += levels.tick(at_us) if down is None else levels.level(button, down=down, at_us=at_us)
        now_us = at_us
    return events


def tap(button: Button, at_ms: int, for_ms: int) -> list[Edge]:
    return [(at_ms, button, True), (at_ms + for_ms, button, False)]


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        pytest.param(tap(C, 100, 200), [Down(C, 100 * MS, 1), Press(C, 300 * MS, 1)], id="a short press"),
        pytest.param(tap(C, 100, 20), [Down(C, 100 * MS, 1), Press(C, 120 * MS, 1)], id="the shortest press"),
        pytest.param(tap(C, 100, 19), [], id="a spike"),
        pytest.param(
            tap(C, 100, 3500), [Down(C, 100 * MS, 1), Hold(C, 3100 * MS, 1)], id="a hold, and no press on its release"
        ),
        pytest.param(tap(C, 100, 2999), [Down(C, 100 * MS, 1), Press(C, 3099 * MS, 1)], id="just no hold"),
        pytest.param(tap(R, 100, 1600), [Down(R, 100 * MS, 1), Hold(R, 1600 * MS, 1)], id="RECORD holds after 1.5 s"),
        pytest.param(tap(R, 100, 1499), [Down(R, 100 * MS, 1), Press(R, 1599 * MS, 1)], id="RECORD just no hold"),
        pytest.param(
            [*tap(C, 100, 1000), *tap(R, 159, 1000)], [Both(159 * MS)], id="both, 59 ms apart, are one thing only"
        ),
        pytest.param([*tap(R, 100, 5000), *tap(C, 100, 5000)], [Both(100 * MS)], id="both held are still only both"),
        pytest.param([*tap(C, 100, 20), *tap(R, 159, 20)], [Both(159 * MS)], id="two taps that hardly overlap"),
        pytest.param(
            [*tap(C, 100, 300), *tap(R, 160, 100)],
            [Down(C, 100 * MS, 1), Down(R, 160 * MS, 2), Press(R, 260 * MS, 2), Press(C, 400 * MS, 1)],
            id="60 ms apart they are two presses",
        ),
        pytest.param(
            [(10, R, True), (10_000, C, True), (10_059, R, False), (10_200, C, False)],
            [
                *(Down(R, 10 * MS, 1), Hold(R, 1510 * MS, 1)),
                *(Down(C, 10_000 * MS, 2), Press(C, 10_200 * MS, 2)),
            ],
            id="a release of the other button makes no chord",
        ),
        pytest.param(
            [*tap(C, 100, 300), *tap(R, 130, 10)],
            [Down(C, 100 * MS, 1), Press(C, 400 * MS, 1)],
            id="a spike on the other button makes no chord",
        ),
        pytest.param(
            [(100, C, True), (2980, C, False), (3120, C, True), (3125, C, False)],
            [Down(C, 100 * MS, 1), Press(C, 2980 * MS, 1)],
            id="a bounce after the release does not make a hold",
        ),
        pytest.param(
            [(100, C, True), (3090, C, False), (3105, C, True), (3107, C, False)],
            [Down(C, 100 * MS, 1), Press(C, 3090 * MS, 1)],
            id="a release in doubt at the threshold is waited for",
        ),
        pytest.param(
            [(100, C, True), (3090, C, False), (3105, C, True), (4000, C, False)],
            [Down(C, 100 * MS, 1), Hold(C, 3100 * MS, 1)],
            id="a gap in doubt at the threshold is no release",
        ),
        pytest.param(
            tap(C, 100, 31_000),
            [Down(C, 100 * MS, 1), Hold(C, 3100 * MS, 1), Stuck(C, 30_100 * MS), Freed(C, 31_100 * MS)],
            id="30 s is stuck",
        ),
        pytest.param(
            [(100, C, True), (200, C, True), (900, C, True), (1000, C, False), (1100, C, False)],
            [Down(C, 100 * MS, 1), Press(C, 1000 * MS, 1)],
            id="reading the same level again is harmless",
        ),
    ],
)
def test_hands(edges: list[Edge], expected: list[Event]) -> None:
    assert play(edges) == expected
    for step_us in (1 * MS, 7 * MS, 100 * MS, 10_000 * MS):
        assert play(edges, step_us=step_us) == expected


def test_a_button_down_at_the_first_reading_is_stuck_and_its_release_is_no_press() -> None:
    edges = [(0, C, True), (500, C, False), *tap(C, 900, 100)]
    expected = [Stuck(C, 0), Freed(C, 500 * MS), Down(C, 900 * MS, 2), Press(C, 1000 * MS, 2)]
    assert play([(0, R, False), *edges], first=False) == expected


def test_a_spike_at_the_first_reading_is_not_stuck() -> None:
    assert play([(0, C, True), (10, C, False), (0, R, False)], first=False) == []


def test_a_release_that_was_lost_is_late_and_not_lost() -> None:
    # The release at 300 was never seen; the next reading is at 1000.
    assert play([(100, C, True), (1000, C, False)]) == [Down(C, 100 * MS, 1), Press(C, 1000 * MS, 1)]


def test_a_down_is_told_60_ms_after_the_press_and_later_only_while_the_other_button_chatters() -> None:
    levels = Levels()
    for button in Button:
        levels.level(button, down=False, at_us=0)
    levels.level(C, down=True, at_us=100 * MS)
    assert levels.tick(159 * MS) == ()
    assert levels.next_deadline_us == 160 * MS
    assert levels.tick(160 * MS) == (Down(C, 100 * MS, 1),)
    levels = Levels()
    for button in Button:
        levels.level(button, down=False, at_us=0)
    levels.level(C, down=True, at_us=100 * MS)
    for at_ms in range(158, 208, 10):
        assert levels.level(R, down=True, at_us=at_ms * MS) == ()
        assert levels.level(R, down=False, at_us=(at_ms + 5) * MS) == ()
    assert levels.tick(229 * MS) == ()
    assert Down(C, 100 * MS, 1) in levels.tick(253 * MS)


def test_a_down_does_not_wait_for_the_other_button_to_come_up() -> None:
    levels = Levels()
    for button in Button:
        levels.level(button, down=False, at_us=0)
    levels.level(R, down=True, at_us=0)
    levels.level(C, down=True, at_us=1000 * MS)
    levels.level(R, down=False, at_us=1050 * MS)
    assert levels.tick(1060 * MS) == (Down(C, 1000 * MS, 2),)


def test_spikes_for_minutes_do_not_make_the_next_press_a_long_one() -> None:
    spikes = [edge for at_ms in range(100, 10_000, 30) for edge in tap(C, at_ms, 10)]
    down, press = play([*spikes, *tap(C, 10_020, 200)])
    assert isinstance(down, Down)
    assert isinstance(press, Press)
    assert 0 <= 10_020 * MS - down.at_us <= 50 * MS


def test_nothing_is_due_when_nobody_presses() -> None:
    levels = Levels()
    assert levels.next_deadline_us is None
    levels.level(C, down=False, at_us=0)
    assert levels.next_deadline_us is None


def test_time_that_goes_back_counts_as_the_latest_so_far() -> None:
    levels = Levels()
    levels.level(C, down=False, at_us=1000 * MS)
    levels.level(C, down=True, at_us=0)
    assert levels.tick(1059 * MS) == ()
    assert levels.tick(1060 * MS) == (Down(C, 1000 * MS, 1),)


def test_the_thresholds_are_those_of_the_panel() -> None:
    levels = Levels(Timing(consent_hold_ms=1000))
    levels.level(C, down=False, at_us=0)
    levels.level(C, down=True, at_us=0)
    assert levels.tick(1000 * MS) == (Down(C, 0, 1), Hold(C, 1000 * MS, 1))


# -- properties -------------------------------------------------------------------------------------------------------

bounces = st.lists(st.integers(1, 49), max_size=12, unique=True).map(sorted)


def train(button: Button, at_ms: int, bounce_ms: list[int], *, down: bool) -> list[Edge]:
    """An edge at ``at_ms`` that bounces for up to 50 ms and ends at the new level."""
    times = [at_ms, *(at_ms + ms for ms in (bounce_ms if len(bounce_ms) % 2 == 0 else bounce_ms[1:]))]
    return [(time_ms, button, down if n % 2 == 0 else not down) for n, time_ms in enumerate(times)]


@settings(deadline=None)
@given(bounces, bounces, st.integers(130, 1300), st.sampled_from(Button))
def test_however_contacts_bounce_a_press_is_one_press(
    going_down: list[int], coming_up: list[int], for_ms: int, button: Button
) -> None:
    edges = train(button, 100, going_down, down=True) + train(button, 100 + for_ms, coming_up, down=False)
    down, press = play(edges)
    assert down == Down(button, 100 * MS, 1)
    assert isinstance(press, Press)
    assert (press.button, press.press) == (button, 1)
    # A bounce that is itself long enough to settle puts the release off by less than the bounce.
    assert 0 <= press.at_us - (100 + for_ms) * MS < 50 * MS


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 19), st.integers(1, 300), st.sampled_from(Button)), max_size=40))
def test_spikes_never_make_anything(spikes: list[tuple[int, int, Button]]) -> None:
    edges, now_ms = [], 10
    for for_ms, then_ms, button in spikes:
        edges += tap(button, now_ms, for_ms)
        now_ms += for_ms + then_ms
    assert play(edges) == []


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 19), st.integers(20, 300)), max_size=20), st.integers(1000, 2900))
def test_gaps_never_end_a_press(gaps: list[tuple[int, int]], for_ms: int) -> None:
    edges, now_ms = [(100, C, True)], 150
    for gap_ms, then_ms in gaps:
        if now_ms + gap_ms + then_ms < 100 + for_ms:
            edges += [(now_ms, C, False), (now_ms + gap_ms, C, True)]
        now_ms += gap_ms + then_ms
    assert play([*edges, (100 + for_ms, C, False)]) == [Down(C, 100 * MS, 1), Press(C, (100 + for_ms) * MS, 1)]


levels_of_any_kind = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 80), st.integers(0, 4000), st.integers(0, 40_000)),
        st.sampled_from(Button),
        st.booleans(),
    ),
    max_size=60,
)


def absolute(steps: list[tuple[int, Button, bool]]) -> list[Edge]:
    now_ms, edges = 0, []
    for after_ms, button, down in steps:
        now_ms += after_ms
        edges.append((now_ms, button, down))
    return edges


@settings(deadline=None)
@given(steps=levels_of_any_kind, first=st.booleans())
def test_whatever_the_levels_do_each_press_is_told_once_and_in_order(
    steps: list[tuple[int, Button, bool]], *, first: bool
) -> None:
    edges = absolute(steps)
    told: dict[int, Button] = {}
    ended: set[int] = set()
    stuck: set[Button] = set()
    for event in play(edges, until_ms=100_000 + (edges[-1][0] if edges else 0), first=first):
        match event:
            case Down(button=button, press=press):
                assert press not in told
                assert button not in stuck
                assert all(number in ended for number, other in told.items() if other is button)
                told[press] = button
            case Press(button=button, press=press) | Hold(button=button, press=press):
                assert told[press] is button
                assert press not in ended
                assert button not in stuck
                ended.add(press)
            case Stuck(button=button):
                assert button not in stuck
                ended |= {number for number, other in told.items() if other is button}
                stuck.add(button)
            case Freed(button=button):
                stuck.remove(button)
            case Both():
                pass


@settings(deadline=None)
@given(steps=levels_of_any_kind, step_ms=st.integers(1, 3_000), first=st.booleans())
def test_what_comes_out_does_not_depend_on_how_often_anybody_ticks(
    steps: list[tuple[int, Button, bool]], step_ms: int, *, first: bool
) -> None:
    edges = absolute(steps[:12])
    until_ms = 40_000 + (edges[-1][0] if edges else 0)
    assert play(edges, until_ms=until_ms, first=first) == play(
        edges, until_ms=until_ms, first=first, step_us=step_ms * MS * 10
    )


@settings(deadline=None)
@given(levels_of_any_kind)
def test_what_is_due_is_always_still_to_come(steps: list[tuple[int, Button, bool]]) -> None:
    levels = Levels()
    for at_ms, button, down in absolute(steps):
        levels.level(button, down=down, at_us=at_ms * MS)
        assert levels.next_deadline_us is None or levels.next_deadline_us > at_ms * MS


presses = st.tuples(st.integers(100, 400), st.integers(20, 400))


@settings(deadline=None)
@given(presses, presses)
def test_two_clean_presses_are_both_exactly_if_less_than_60_ms_apart(
    one: tuple[int, int], two: tuple[int, int]
) -> None:
    events = play([*tap(C, *one), *tap(R, *two)])
    if abs(one[0] - two[0]) < 60:
        assert events == [Both(max(one[0], two[0]) * MS)]
    else:
        assert sorted(type(event).__name__ for event in events) == ["Down", "Down", "Press", "Press"]
