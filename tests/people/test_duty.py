"""Who works in the room: until they check out, another checks in, or the night comes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from device.people.duty import night_after
from device.people.people import People
from device.people.person import Person, Role
from device.people.refused import Reason
from tests.people.persons import NOW_S, add, people_in
from tests.people.test_entrance import refused


def at(text: str) -> float:
    """A moment by the clock on the wall of the room."""
    return datetime.fromisoformat(text).astimezone().timestamp()


def test_a_therapist_checks_in_until_they_check_out(people: People) -> None:
    anna = add(people, "anna", Role.THERAPIST)
    assert people.on_duty(NOW_S) is None
    people.check_in(anna.mark, NOW_S)
    assert people.on_duty(NOW_S + 1) == anna.mark
    assert people.check_out(anna.mark, NOW_S + 2)
    assert people.on_duty(NOW_S + 2) is None
    assert not people.check_out(anna.mark, NOW_S + 3)


def test_the_next_takes_the_room_over_and_the_first_cannot_check_them_out(people: People) -> None:
    anna, ben = add(people, "anna", Role.THERAPIST), add(people, "ben", Role.THERAPIST)
    people.check_in(anna.mark, NOW_S)
    people.check_in(ben.mark, NOW_S + 60)
    assert people.on_duty(NOW_S + 60) == ben.mark
    assert not people.check_out(anna.mark, NOW_S + 61)
    assert people.on_duty(NOW_S + 61) == ben.mark


@pytest.mark.parametrize(
    ("now", "night"),
    [
        ("2026-03-03 08:00", "2026-03-04 03:00"),
        ("2026-03-03 23:59", "2026-03-04 03:00"),
        ("2026-03-04 00:01", "2026-03-04 03:00"),
        ("2026-03-04 02:59", "2026-03-04 03:00"),
        ("2026-03-04 03:00", "2026-03-05 03:00"),
        ("2026-12-31 12:00", "2027-01-01 03:00"),
    ],
)
def test_the_night_comes_at_three(now: str, night: str) -> None:
    assert night_after(at(now)) == at(night)


def test_the_night_ends_it_also_while_the_page_does_not_run(tmp_path: Path) -> None:
    with people_in(tmp_path) as people:
        anna = add(people, "anna", Role.THERAPIST)
        people.check_in(anna.mark, at("2026-03-03 20:00"))
        assert people.on_duty(at("2026-03-04 02:59")) == anna.mark
    with people_in(tmp_path) as people:
        assert people.on_duty(at("2026-03-03 21:00")) == anna.mark
        assert people.on_duty(at("2026-03-04 03:00")) is None


def test_a_clock_that_was_set_back_ends_it(people: People) -> None:
    anna = add(people, "anna", Role.THERAPIST)
    people.check_in(anna.mark, NOW_S)
    assert people.on_duty(NOW_S - 1) is None


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.ADMIN])
def test_only_a_therapist_who_is_here_checks_in(people: People, role: Role) -> None:
    other = add(people, "other", role)
    gone = Person("0" * 12, "gone", "Gone", frozenset({Role.THERAPIST}), active=False)
    people.put(gone)
    for mark in (other.mark, gone.mark, "f" * 12):
        assert refused(lambda: people.check_in(mark, NOW_S)) is Reason.NOBODY  # noqa: B023  # asked at once
    assert people.on_duty(NOW_S) is None


def test_who_leaves_the_clinic_leaves_the_room(people: People) -> None:
    anna = add(people, "anna", Role.THERAPIST)
    people.check_in(anna.mark, NOW_S)
    people.put(Person(anna.mark, anna.login, anna.name, anna.roles, active=False))
    assert people.on_duty(NOW_S) is None
