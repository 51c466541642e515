"""How long a visit is believed, and what ends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.people.people import People
from device.people.person import Person, Role
from device.people.visit import Kind
from tests.people.persons import NOW_S, PASSWORD, add, caller, enrol, people_in, sign_in

MINUTE_S, HOUR_S = 60.0, 3600.0


def test_a_session_that_is_not_used_ends_after_half_an_hour(people: People) -> None:
    _, _, begun = enrol(people, add(people, "anna", Role.THERAPIST))
    assert people.visitor_of_cookie(begun.token, NOW_S + 29 * MINUTE_S) is not None
    assert people.visitor_of_cookie(begun.token, NOW_S + 58 * MINUTE_S) is not None  # it was used in between
    assert people.visitor_of_cookie(begun.token, NOW_S + 89 * MINUTE_S) is None
    assert people.visitor_of_cookie(begun.token, NOW_S + 58 * MINUTE_S) is None  # what is over stays over


def test_a_session_that_is_used_all_the_time_ends_after_twelve_hours(people: People) -> None:
    _, _, begun = enrol(people, add(people, "anna", Role.THERAPIST))
    for quarter in range(1, 48):
        assert people.visitor_of_cookie(begun.token, NOW_S + quarter * 15 * MINUTE_S) is not None
    assert people.visitor_of_cookie(begun.token, NOW_S + 12 * HOUR_S) is None


def test_a_half_way_session_ends_after_ten_minutes(people: People) -> None:
    enrol(people, add(people, "anna", Role.THERAPIST))
    half = people.entrance.password("anna", PASSWORD, caller())
    assert people.half_way(half.token, NOW_S + 9 * MINUTE_S) is not None
    assert people.half_way(half.token, NOW_S + 19.5 * MINUTE_S) is None


def test_a_clock_that_was_set_back_ends_sessions(people: People) -> None:
    _, _, begun = enrol(people, add(people, "anna", Role.THERAPIST))
    assert people.visitor_of_cookie(begun.token, NOW_S - 30) is not None  # a little is what time servers do
    assert people.visitor_of_cookie(begun.token, NOW_S - 5 * MINUTE_S) is None


def test_a_session_outlives_a_restart_and_its_end_does_too(tmp_path: Path) -> None:
    with people_in(tmp_path) as people:
        _, _, begun = enrol(people, add(people, "anna", Role.THERAPIST))
    with people_in(tmp_path) as people:
        assert people.visitor_of_cookie(begun.token, NOW_S + 1) is not None
        people.entrance.leave(begun.token, caller())
    with people_in(tmp_path) as people:
        assert people.visitor_of_cookie(begun.token, NOW_S + 1) is None


@pytest.mark.parametrize("token", ["", "nonsense", "\x00", "é", "x" * 10_000, "' OR 1=1 --"])
def test_what_proves_nothing_is_a_strangers(people: People, token: str) -> None:
    enrol(people, add(people, "anna", Role.THERAPIST))
    for look in (people.visitor_of_cookie, people.visitor_of_bearer, people.visitor_of_kiosk, people.half_way):
        assert look(token, NOW_S) is None


def test_the_kiosk_s_cookie_opens_nothing_but_the_kiosk(people: People) -> None:
    anna = add(people, "anna", Role.THERAPIST)
    begun = people.hand_over(anna.mark, "phq-9", NOW_S)
    visit = people.visitor_of_kiosk(begun.token, NOW_S)
    assert visit is not None
    assert (visit.kind, visit.person, visit.what) == (Kind.KIOSK, anna, "phq-9")
    assert people.visitor_of_cookie(begun.token, NOW_S) is None
    assert people.visitor_of_bearer(begun.token, NOW_S) is None
    assert people.half_way(begun.token, NOW_S) is None


def test_everybody_sees_and_ends_their_own_sessions_only(people: People) -> None:
    anna, ben = add(people, "anna", Role.THERAPIST), add(people, "ben", Role.THERAPIST)
    _, _, annas = enrol(people, anna)
    _, _, bens = enrol(people, ben)
    tablet = people.hand_over(anna.mark, "phq-9", NOW_S + 1)
    assert [visit.session for visit in people.sessions(anna.mark, NOW_S + 1)] == [tablet.session, annas.session]
    assert not people.revoke(ben.mark, annas.session)
    assert people.visitor_of_cookie(annas.token, NOW_S) is not None
    assert people.revoke(anna.mark, annas.session)
    assert people.visitor_of_cookie(annas.token, NOW_S) is None
    assert people.visitor_of_cookie(bens.token, NOW_S) is not None
    assert people.tokens(anna.mark, NOW_S) == []


@pytest.mark.parametrize(
    "change",
    [
        {"roles": frozenset({Role.SUPERVISOR})},
        {"roles": frozenset({Role.THERAPIST, Role.SUPERVISOR})},
        {"active": False},
        {"login": "anna2"},
        {"supervisees": True},
    ],
)
def test_whoever_may_do_other_things_signs_in_anew(people: People, change: dict[str, object]) -> None:
    anna, ben = add(people, "anna", Role.THERAPIST), add(people, "ben", Role.THERAPIST)
    _, _, annas = enrol(people, anna)
    _, _, bens = enrol(people, ben)
    tablet = people.hand_over(anna.mark, "phq-9", NOW_S)
    if "supervisees" in change:
        change = {"supervisees": frozenset({ben.mark})}
    facts = {name: getattr(anna, name) for name in Person.__slots__}
    people.put(Person(**{**facts, **change}))
    assert people.visitor_of_cookie(annas.token, NOW_S) is None
    assert people.visitor_of_kiosk(tablet.token, NOW_S) is None
    assert people.visitor_of_cookie(bens.token, NOW_S) is not None


def test_another_name_ends_nothing(people: People) -> None:
    anna = add(people, "anna", Role.THERAPIST)
    _, _, annas = enrol(people, anna)
    people.put(Person(anna.mark, anna.login, "Anna B.", anna.roles))
    visit = people.visitor_of_cookie(annas.token, NOW_S)
    assert visit is not None
    assert visit.person.name == "Anna B."


def test_an_invitation_ends_everything_from_before(people: People) -> None:
    anna = add(people, "anna", Role.THERAPIST)
    secret, codes, annas = enrol(people, anna)
    people.office.invite(anna.mark, NOW_S)
    assert people.visitor_of_cookie(annas.token, NOW_S) is None
    assert people.account.codes_left(anna.mark) == 0
    assert not people.office.is_ready(anna.mark)
    assert people.office.is_invited(anna.mark, NOW_S)
    new_secret, _, _ = enrol(people, anna)
    assert new_secret != secret
    assert people.office.is_ready(anna.mark)
    assert not people.office.is_invited(anna.mark, NOW_S)
    assert sign_in(people, anna, new_secret, now_s=NOW_S + HOUR_S).token
    assert codes


def test_what_is_over_does_not_pile_up(people: People) -> None:
    anna = add(people, "anna", Role.THERAPIST)
    secret, _, _ = enrol(people, anna)
    for hour in range(1, 20):
        sign_in(people, anna, secret, now_s=NOW_S + hour * HOUR_S)
    with people._database.transaction() as rows:
        assert len(rows.all("SELECT 1 FROM sessions")) == 1
