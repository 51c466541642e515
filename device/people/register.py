"""The register: who there is, and what they may do."""

from __future__ import annotations

import re
from collections.abc import Iterable

from device.age.errors import AgeError
from device.age.recipients import parse_recipient
from device.clinic_people import LOGIN, is_name
from device.people.database import Row, Rows
from device.people.person import Person, Role
from device.people.refused import Reason, RefusedError


def person_of(rows: Rows, mark: str) -> Person | None:
    """The person of that mark, also one who is not here any more."""
    found = rows.one("SELECT * FROM persons WHERE mark = ?", mark)
    return None if found is None else _person(rows, found)


def person_by_login(rows: Rows, login: str) -> Person | None:
    """The person who signs in so, also one who is not here any more."""
    found = rows.one("SELECT * FROM persons WHERE login = ?", plain_login(login))
    return None if found is None else _person(rows, found)


def everybody(rows: Rows) -> list[Person]:
    """All persons by name, also those who are not here any more."""
    people = [_person(rows, row) for row in rows.all("SELECT * FROM persons")]
    return sorted(people, key=lambda person: (not person.active, person.name.casefold(), person.mark))


def write_person(rows: Rows, person: Person) -> None:
    """Put a person into the register, or change what it says.

    Raises:
        RefusedError: the login is none or is somebody else's; there is no name, no role, or no recipient; or no admin
            would be left.
    """
    _check(rows, person)
    rows.run(
        "INSERT INTO persons (mark, login, name, recipient, active) VALUES (?, ?, ?, ?, ?) ON CONFLICT (mark) DO UPDATE"
        " SET login = excluded.login, name = excluded.name, recipient = excluded.recipient, active = excluded.active",
        person.mark,
        person.login,
        person.name,
        person.recipient,
        int(person.active),
    )
    rows.run("DELETE FROM roles WHERE person = ?", person.mark)
    rows.run_many("INSERT INTO roles VALUES (?, ?)", [(person.mark, str(role)) for role in person.roles])
    rows.run("DELETE FROM supervisees WHERE supervisor = ?", person.mark)
    supervisees = sorted(person.supervisees - {person.mark})
    rows.run_many("INSERT INTO supervisees VALUES (?, ?)", [(person.mark, mark) for mark in supervisees])


def free_login(rows: Rows, mark: str) -> None:
    """Take a person's login away, so that somebody else can have it; they have none that can be typed from then on."""
    rows.run("UPDATE persons SET login = ? WHERE mark = ?", f"~{mark}", mark)


def plain_login(login: str) -> str:
    """A login as the register writes it."""
    return login.strip().casefold()


def _check(rows: Rows, person: Person) -> None:
    if person.login != plain_login(person.login) or re.fullmatch(LOGIN, person.login) is None:
        raise RefusedError(Reason.LOGIN)
    if rows.one("SELECT 1 FROM persons WHERE login = ? AND mark != ?", person.login, person.mark) is not None:
        raise RefusedError(Reason.LOGIN)
    if not is_name(person.name):
        raise RefusedError(Reason.NAME)
    if not person.roles:
        raise RefusedError(Reason.ROLES)
    if person.recipient is not None:
        _check_recipient(person.recipient)
    if not person.is_a(Role.ADMIN) and _is_last_admin(rows, person.mark):
        raise RefusedError(Reason.LAST_ADMIN)
    known = {str(row["mark"]) for row in rows.all("SELECT mark FROM persons")}
    if not person.supervisees <= known:
        raise RefusedError(Reason.NOBODY)


def _check_recipient(text: str) -> None:
    try:
        parse_recipient(text)
    except AgeError as problem:
        raise RefusedError(Reason.RECIPIENT) from problem


def _is_last_admin(rows: Rows, mark: str) -> bool:
    admins = rows.all(
        "SELECT mark FROM persons JOIN roles ON roles.person = mark WHERE active AND role = ?", str(Role.ADMIN)
    )
    return [str(row["mark"]) for row in admins] == [mark]


def _person(rows: Rows, row: Row) -> Person:
    mark = str(row["mark"])
    return Person(
        mark=mark,
        login=row["login"],
        name=row["name"],
        roles=frozenset(map(Role, _column(rows.all("SELECT role FROM roles WHERE person = ?", mark)))),
        recipient=row["recipient"],
        supervisees=frozenset(_column(rows.all("SELECT therapist FROM supervisees WHERE supervisor = ?", mark))),
        active=bool(row["active"]),
    )


def _column(rows: Iterable[Row]) -> Iterable[str]:
    return (str(row[0]) for row in rows)
