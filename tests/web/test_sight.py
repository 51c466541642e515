"""How much of a recording somebody sees: the table of docs/permissions.md, once more by hand."""

from __future__ import annotations

import pytest

from device.people.person import Person, Role
from device.web.sight import Sight, sight_of
from device.web.visitor import By, Visitor

OWN, SUPERVISED, OTHER = "0" * 11 + "1", "0" * 11 + "2", "0" * 11 + "3"
NOTHING, FACTS, CONTENT = Sight.NOTHING, Sight.FACTS, Sight.CONTENT
THERAPIST, SUPERVISOR, ADMIN = Role.THERAPIST, Role.SUPERVISOR, Role.ADMIN


def somebody(*roles: Role, by: By = By.PAGE, active: bool = True) -> Visitor:
    person = Person(OWN, "login", "Name", frozenset(roles), supervisees=frozenset({SUPERVISED}), active=active)
    return Visitor(person, by, "session")


@pytest.mark.parametrize("by", [By.PAGE, By.PROGRAM])
@pytest.mark.parametrize(
    ("roles", "own", "supervised", "other", "nobodys"),
    [
        ((THERAPIST,), CONTENT, NOTHING, NOTHING, NOTHING),
        ((SUPERVISOR,), NOTHING, CONTENT, NOTHING, NOTHING),
        ((ADMIN,), FACTS, FACTS, FACTS, FACTS),
        ((THERAPIST, SUPERVISOR), CONTENT, CONTENT, NOTHING, NOTHING),
        ((THERAPIST, ADMIN), CONTENT, FACTS, FACTS, FACTS),
        ((SUPERVISOR, ADMIN), FACTS, CONTENT, FACTS, FACTS),
        ((), NOTHING, NOTHING, NOTHING, NOTHING),
    ],
)
def test_a_role_sees_its_own_share_and_several_roles_the_most_of_any(
    by: By, roles: tuple[Role, ...], own: Sight, supervised: Sight, other: Sight, nobodys: Sight
) -> None:
    visitor = somebody(*roles, by=by)
    seen = [sight_of(visitor, therapist) for therapist in (OWN, SUPERVISED, OTHER, None)]
    assert seen == [own, supervised, other, nobodys]


@pytest.mark.parametrize("therapist", [OWN, SUPERVISED, OTHER, None])
def test_a_stranger_a_tablet_and_who_has_gone_see_nothing(therapist: str | None) -> None:
    assert sight_of(None, therapist) is NOTHING
    assert sight_of(somebody(*Role, by=By.KIOSK), therapist) is NOTHING
    assert sight_of(somebody(*Role, active=False), therapist) is NOTHING
