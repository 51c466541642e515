"""People of a clinic that does not exist, in a real database; and how they sign in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pyotp

from device.people.database import Database
from device.people.keyring import Keyring
from device.people.passkeys import Site
from device.people.passwords import Passwords
from device.people.people import People
from device.people.person import Person, Role, new_mark
from device.people.sessions import Begun
from device.people.steps import Caller

FINGERPRINT = "0123456789abcdef"
PASSWORD = "willow under the bridge"  # noqa: S105  # nobody's
NOW_S = 1_772_543_105.0
SITE = Site("box.clinic.example", ("https://box.clinic.example",), "Room 3")
ADDRESS = "192.0.2.7"


@contextmanager
def people_in(folder: Path) -> Iterator[People]:
    """The people of a box, in a database of their own. A password costs next to nothing here."""
    passwords = Passwords(memory_kib=8, passes=1)
    with closing(Database(folder)) as database:
        keyring = Keyring(database, passwords, site=SITE)
        yield People(database, fingerprint=lambda: FINGERPRINT, passwords=passwords, keyring=keyring)


def caller(now_s: float = NOW_S, *, address: str = ADDRESS) -> Caller:
    return Caller(address, "Firefox on a phone", now_s)


def add(people: People, login: str, *roles: Role, supervisees: frozenset[str] = frozenset()) -> Person:
    """A person who cannot sign in yet."""
    person = Person(new_mark(), login, login.title(), frozenset(roles), supervisees=supervisees)
    people.put(person)
    return person


def code_for(secret: str, now_s: float = NOW_S) -> str:
    """What the app shows at that moment."""
    return pyotp.TOTP(secret).at(int(now_s))


def enrol(people: People, person: Person, *, now_s: float = NOW_S) -> tuple[str, list[str], Begun]:
    """The person accepts an invitation and sets up an app: its secret, the recovery codes, and the session."""
    code = people.office.invite(person.mark, now_s)
    half = people.entrance.accept(code, PASSWORD, caller(now_s), about=())
    secret = people.entrance.enrolment(half.token, caller(now_s))
    begun, codes = people.entrance.enrol(half.token, code_for(secret, now_s), caller(now_s))
    return secret, codes, begun


def sign_in(people: People, person: Person, secret: str, *, now_s: float) -> Begun:
    half = people.entrance.password(person.login, PASSWORD, caller(now_s))
    return people.entrance.second_factor(half.token, code_for(secret, now_s), caller(now_s))[0]
