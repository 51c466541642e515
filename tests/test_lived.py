"""Lived time: without jumps it is the time that passed; with them nothing ever looks older than it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import example, given
from hypothesis import strategies as st

from device.lived import DAY_US, HOUR_US, MOST_OFF_US, Lived, Reading, age_us, look_at, step, verified_for_us

MINUTE_US = 60_000_000
YEAR_US = 365 * DAY_US
WALL_US = 1_772_442_000_000_000  # a Monday morning in March 2026


@dataclass
class World:
    """The box and its clocks, and how much time has really passed."""

    true_us: int = 0
    ran_us: int = 0  # while it was switched on
    boots: int = 1
    monotonic_us: int = 5_000_000
    wall_off_us: int = 0
    trusted: bool = True
    lived: Lived | None = None
    made: dict[str, tuple[int, int, str, int]] = field(default_factory=dict)  # true, boots so far, boot, monotonic

    def read(self) -> Reading:
        wall_us = WALL_US + self.true_us + self.wall_off_us
        return Reading(f"boot {self.boots}", self.monotonic_us, wall_us, self.trusted)

    def look(self) -> Lived:
        """What the box does now and then."""
        lived = step(self.lived, self.read())
        self.lived = look_at(lived, boots={name: made[2] for name, made in self.made.items()}, verified=self.made)
        return self.lived

    def run(self, us: int) -> None:
        self.true_us += us
        self.ran_us += us
        self.monotonic_us += us

    def off(self, us: int) -> None:
        self.true_us += us
        self.boots += 1
        self.monotonic_us = 5_000_000
        self.ran_us += self.monotonic_us
        self.true_us += self.monotonic_us

    def make(self) -> None:
        """A recording, which is synced and verified at once."""
        self.made[f"r{len(self.made)}"] = (self.true_us, self.boots, f"boot {self.boots}", self.monotonic_us)

    def age(self, name: str = "r0") -> int:
        assert self.lived is not None
        _, _, boot, at_us = self.made[name]
        return age_us(self.lived, name, boot=boot, started_monotonic_us=at_us)


def world() -> World:
    world = World()
    world.look()
    world.make()
    world.look()
    return world


# -- one thing at a time ----------------------------------------------------------------------------------------------


def test_while_the_box_runs_the_monotonic_clock_counts() -> None:
    box = world()
    for _ in range(10):
        box.run(HOUR_US)
        box.look()
    assert box.age() == 10 * HOUR_US


def test_a_night_and_a_long_weekend_switched_off_count_where_the_clock_was_trusted() -> None:
    box = world()
    for off_us in (14 * HOUR_US, MOST_OFF_US - HOUR_US):
        box.off(off_us)
        box.look()
    assert box.age() == box.true_us - box.made["r0"][0]


def test_a_longer_time_switched_off_counts_as_nothing() -> None:
    box = world()
    box.off(MOST_OFF_US + HOUR_US)
    box.look()
    assert box.age() == 5_000_000, "only what it ran since"


def test_time_switched_off_counts_once_the_clock_is_trusted_again_and_not_before() -> None:
    box = world()
    box.trusted = False
    box.off(14 * HOUR_US)
    box.look()
    box.run(20 * MINUTE_US)
    assert box.age() < HOUR_US
    box.trusted = True
    box.look()
    assert box.age() == box.true_us - box.made["r0"][0]


def test_what_was_verified_before_the_clock_was_trusted_is_no_older_for_the_night_before() -> None:
    box = world()
    box.trusted = False
    box.off(64 * HOUR_US)
    box.make()
    lived = box.look()
    assert verified_for_us(lived, "r1") == 0
    box.run(10 * MINUTE_US)
    box.trusted = True
    lived = box.look()
    assert verified_for_us(lived, "r0") > 64 * HOUR_US
    assert verified_for_us(lived, "r1") == box.age("r1") == 10 * MINUTE_US


def test_a_clock_that_jumps_years_forward_makes_nothing_older() -> None:
    box = world()
    box.wall_off_us = 5 * YEAR_US  # while it runs
    box.look()
    box.run(HOUR_US)
    box.look()
    assert box.age() == HOUR_US
    box.wall_off_us = 9 * YEAR_US  # and between two boots
    box.off(HOUR_US)
    box.look()
    assert box.age() <= 3 * HOUR_US


def test_a_clock_set_back_and_right_again_makes_nothing_older() -> None:
    box = world()
    box.wall_off_us = -72 * HOUR_US
    box.look()
    box.run(HOUR_US)
    box.look()
    box.wall_off_us = 0
    box.off(HOUR_US)
    box.look()
    assert box.age() <= 2 * HOUR_US + 5_000_000


def test_a_lost_file_makes_everything_younger() -> None:
    box = world()
    for _ in range(30):
        box.run(DAY_US)
        box.look()
    box.off(HOUR_US)
    box.lived = None
    box.look()
    assert box.age() == 0
    box.run(DAY_US)
    lived = box.look()
    assert box.age() == verified_for_us(lived, "r0") == DAY_US


def test_what_is_gone_is_forgotten() -> None:
    box = world()
    box.off(HOUR_US)
    box.made.clear()
    lived = box.look()
    assert (lived.seen, lived.verified, list(lived.boots)) == ({}, {}, ["boot 2"])


# -- anything in any order --------------------------------------------------------------------------------------------

SPANS = st.integers(0, 12 * HOUR_US) | st.sampled_from([MINUTE_US, DAY_US, 95 * HOUR_US, 97 * HOUR_US, YEAR_US])
HONEST = st.tuples(st.sampled_from(["run", "off", "lose trust", "trust", "make", "lose file", "look"]), SPANS)
JUMPS = st.tuples(st.just("jump"), st.integers(-20 * YEAR_US, 20 * YEAR_US) | st.integers(-DAY_US, DAY_US))


def play(box: World, happened: list[tuple[str, int]]) -> None:
    for what, us in happened:
        match what:
            case "run":
                box.run(us)
            case "off":
                box.off(us)
            case "lose trust":
                box.trusted = False
            case "trust":
                box.trusted = True
            case "make":
                box.make()
            case "lose file":
                box.lived = None
            case "jump":
                box.wall_off_us += us
        box.look()


@given(st.lists(HONEST, max_size=40))
def test_where_trust_is_deserved_nothing_is_ever_counted_older_than_it_is(happened: list[tuple[str, int]]) -> None:
    box = world()
    for number in range(len(happened)):
        play(box, happened[number : number + 1])
        assert box.lived is not None
        for name, (made_us, *_) in box.made.items():
            really_us = box.true_us - made_us
            assert 0 <= box.age(name) <= really_us
            assert 0 <= verified_for_us(box.lived, name) <= really_us


@given(st.lists(HONEST | JUMPS, max_size=40))
@example([("jump", -95 * HOUR_US), ("off", 0), ("jump", 95 * HOUR_US), ("off", 0)])
def test_whatever_the_clock_does_it_wins_96_hours_at_most_each_time_the_box_is_switched_on(
    happened: list[tuple[str, int]],
) -> None:
    box = World()
    box.look()
    ran_at: dict[str, tuple[int, int]] = {}
    for number in range(len(happened)):
        play(box, happened[number : number + 1])
        assert box.lived is not None
        for name in box.made:
            ran_us, boots = ran_at.setdefault(name, (box.ran_us, box.boots))
            most_us = box.ran_us - ran_us + (box.boots - boots) * MOST_OFF_US
            assert 0 <= box.age(name) <= most_us
            assert 0 <= verified_for_us(box.lived, name) <= most_us


@given(st.lists(st.tuples(st.sampled_from(["run", "off"]), st.integers(0, 90 * HOUR_US)), max_size=40))
def test_without_jumps_and_long_absences_it_is_exactly_the_time_that_passed(happened: list[tuple[str, int]]) -> None:
    box = world()
    play(box, happened)
    assert box.lived is not None
    assert box.age() == verified_for_us(box.lived, "r0") == box.true_us - box.made["r0"][0]
