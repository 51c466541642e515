"""The people of a demo sign in like all others, with what the demo prints."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from device.age.identities import generate_identity
from device.demo_people import Shown, make_people, written
from device.people.database import Database
from device.people.people import People
from device.people.person import Role
from tests.people.persons import NOW_S, caller, code_for


def test_each_signs_in_with_what_is_printed_also_after_a_second_start(tmp_path: Path) -> None:
    recipient = str(generate_identity(post_quantum=False).recipient())
    seen: list[list[Shown]] = []
    for start_s in (NOW_S, NOW_S + 3600):
        shown, therapist = make_people(tmp_path, recipient=recipient, now_s=start_s)
        seen.append(shown)
        with closing(Database(tmp_path)) as database:
            people = People(database, fingerprint=lambda: None)
            assert {person.login: person.roles for person in people.persons()} == {
                str(role): frozenset({role}) for role in Role
            }
            assert people.on_duty(start_s + 1) == therapist
            for one in shown:
                half = people.entrance.password(one.login, one.password, caller(start_s + 60))
                assert people.entrance.second_factor(half.token, one.codes[0], caller(start_s + 60))
                half = people.entrance.password(one.login, one.password, caller(start_s + 90))
                code = code_for(one.key, start_s + 90)
                assert people.entrance.second_factor(half.token, code, caller(start_s + 90))
            supervisor = next(person for person in people.persons() if person.is_a(Role.SUPERVISOR))
            assert (supervisor.supervisees, supervisor.recipient) == (frozenset({therapist}), recipient)
    secrets = [(one.password, one.key, *one.codes) for shown in seen for one in shown]
    flat = [secret for one in secrets for secret in one]
    assert len(set(flat)) == len(flat)  # nothing is the same twice, and nothing is a default
    assert all(secret in written(seen[0]) + written(seen[1]) for secret in flat)
