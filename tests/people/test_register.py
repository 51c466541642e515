"""Who there is, and what they may do."""

from __future__ import annotations

import pytest

from device.people.people import People
from device.people.person import Person, Role, is_mark, new_mark
from device.people.refused import Reason
from tests.people.persons import NOW_S, add
from tests.people.test_entrance import refused

CLASSIC = "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg"


def person(**facts: object) -> Person:
    usual: dict[str, object] = {
        "mark": new_mark(),
        "login": "anna",
        "name": "Anna",
        "roles": frozenset({Role.THERAPIST}),
    }
    return Person(**{**usual, **facts})  # type: ignore[arg-type]  # the facts of a test


def test_what_was_put_in_comes_out(people: People) -> None:
    ben = add(people, "ben", Role.THERAPIST)
    anna = person(
        roles=frozenset({Role.THERAPIST, Role.SUPERVISOR}), recipient=CLASSIC, supervisees=frozenset({ben.mark})
    )
    people.put(anna)
    assert people.person(anna.mark) == anna
    assert people.persons() == [anna, ben]
    assert people.person("0" * 12) is None


def test_whoever_left_is_listed_last_and_is_nothing_any_more(people: People) -> None:
    gone = person(login="aaron", name="Aaron", active=False)
    ben = add(people, "ben", Role.THERAPIST)
    people.put(gone)
    assert people.persons() == [ben, gone]
    assert not any(gone.is_a(role) for role in Role)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"login": ""}, Reason.LOGIN),
        ({"login": "Anna"}, Reason.LOGIN),
        ({"login": "a b"}, Reason.LOGIN),
        ({"login": "a" * 65}, Reason.LOGIN),
        ({"login": "ben"}, Reason.LOGIN),
        ({"name": ""}, Reason.NAME),
        ({"name": "  "}, Reason.NAME),
        ({"name": "a" * 81}, Reason.NAME),
        ({"name": "a\nb"}, Reason.NAME),
        ({"roles": frozenset()}, Reason.ROLES),
        ({"recipient": "age1nonsense"}, Reason.RECIPIENT),
        ({"recipient": ""}, Reason.RECIPIENT),
        ({"supervisees": frozenset({"0" * 12})}, Reason.NOBODY),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    people: People, facts: dict[str, object], reason: Reason
) -> None:
    ben = add(people, "ben", Role.THERAPIST)
    assert refused(lambda: people.put(person(**facts))) is reason
    assert people.persons() == [ben]


def test_an_identity_is_no_recipient_and_is_not_kept(people: People) -> None:
    assert refused(lambda: people.put(person(recipient="AGE-SECRET-KEY-1QQQQ"))) is Reason.RECIPIENT
    assert people.persons() == []


def test_there_is_always_an_admin(people: People) -> None:
    ada, root = add(people, "ada", Role.ADMIN), add(people, "root", Role.ADMIN)
    people.put(Person(ada.mark, ada.login, ada.name, frozenset({Role.THERAPIST})))
    for change in ({"active": False}, {"roles": frozenset({Role.SUPERVISOR})}):
        facts = {"login": root.login, "name": root.name, "roles": root.roles, **change}
        assert refused(lambda: people.put(Person(root.mark, **facts))) is Reason.LAST_ADMIN  # noqa: B023  # asked at once
    assert people.person(root.mark) == root


def test_nobody_supervises_themself(people: People) -> None:
    mark = new_mark()
    add(people, "ben", Role.THERAPIST)
    anna = person(mark=mark, roles=frozenset({Role.SUPERVISOR}))
    people.put(anna)
    people.put(person(mark=mark, roles=frozenset({Role.SUPERVISOR}), supervisees=frozenset({mark})))
    assert people.person(mark) == anna


def test_marks_are_what_manifests_and_the_audit_log_hold() -> None:
    marks = {new_mark() for _ in range(100)}
    assert len(marks) == 100
    assert all(map(is_mark, marks))


def test_only_who_is_here_is_invited(people: People) -> None:
    gone = person(active=False)
    people.put(gone)
    assert refused(lambda: people.office.invite(gone.mark, NOW_S)) is Reason.NOBODY
    assert refused(lambda: people.office.invite("0" * 12, NOW_S)) is Reason.NOBODY
