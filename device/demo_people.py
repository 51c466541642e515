"""The people of a demo: one of each role, who have set up their accounts as people do, by the same steps."""

from __future__ import annotations

import secrets
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.naming_requests import OnDuty, ask_naming
from device.people.database import Database
from device.people.duty import night_after
from device.people.people import People
from device.people.person import Person, Role, new_mark
from device.people.second_factor import code_of
from device.people.steps import Caller

PEOPLE_NAME: Final = "people.txt"
_WORDS: Final = 4
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Shown:
    """Somebody of a demo, as it prints them. ``codes`` stand for the app that nobody has; each works once."""

    login: str
    password: str
    key: str
    codes: tuple[str, ...]


def make_people(folder: Path, *, recipient: str, now_s: float) -> tuple[list[Shown], str]:
    """One person of each role, and the therapist's mark; whoever is there from before gets everything anew.

    ``recipient``: with its identity the supervisor's programs sign in.
    """
    with closing(Database(folder)) as database:
        people = People(database, fingerprint=lambda: None)
        there = {person.login: person.mark for person in people.persons()}
        marks = {role: there.get(str(role)) or new_mark() for role in Role}
        shown = []
        for role, mark in marks.items():
            supervises = role is Role.SUPERVISOR
            person = Person(
                mark=mark,
                login=str(role),
                name=str(role).title(),
                roles=frozenset({role}),
                recipient=recipient if supervises else None,
                supervisees=frozenset({marks[Role.THERAPIST]}) if supervises else frozenset(),
            )
            people.put(person)
            shown.append(_set_up(people, person, now_s=now_s))
        people.check_in(marks[Role.THERAPIST], now_s)
    return shown, marks[Role.THERAPIST]


def _set_up(people: People, person: Person, *, now_s: float) -> Shown:
    entrance = people.entrance
    caller = Caller("demo", "demo", now_s)
    password = "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(_WORDS))
    half = entrance.accept(people.office.invite(person.mark, now_s), password, caller, about=())
    key = entrance.enrolment(half.token, caller)
    begun, codes = entrance.enrol(half.token, code_of(key, now_s=now_s), caller)
    people.revoke(person.mark, begun.session)
    return Shown(person.login, password, key, tuple(codes))


def check_in(mark: str, run: Path, *, now_s: float) -> None:
    """Tell capture who works in the room, so that what is recorded is theirs.

    Raises:
        SottoError: it could not be told.
    """
    ask_naming(OnDuty(by=mark, therapist=mark, for_s=max(1, int(night_after(now_s) - now_s))), run)


def written(shown: list[Shown]) -> str:
    """All that the people of a demo sign in with, as a file."""
    parts = []
    for one in shown:
        codes = "\n".join(f"             {code}" for code in one.codes)
        parts.append(f"{one.login}\n  password   {one.password}\n  app's key  {one.key}\n  codes\n{codes}\n")
    return "\n".join(parts)
