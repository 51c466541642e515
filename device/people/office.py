"""What an admin changes about people: who there is, what they may do, and a way back in for who has lost theirs."""

from __future__ import annotations

from collections.abc import Iterator

from device.people import sessions
from device.people.codes import has_invitation, new_invitation
from device.people.database import Database, Rows
from device.people.factors import forget_factors, password_of, secret_of
from device.people.person import Person, Role
from device.people.refused import Reason, RefusedError
from device.people.register import person_of, write_person
from device.people.steps import Noted, to_nobody


class Office:
    """The register and the invitations. Whatever raises ``RefusedError`` has changed nothing."""

    def __init__(self, database: Database, *, made_here: bool) -> None:
        """``made_here``: people are made and changed on this box; else all of them come from the clinic."""
        self._database = database
        self._made_here = made_here

    def put(self, person: Person, noted: Noted = to_nobody) -> None:
        """Add a person, or change one; whoever may do other things now has to sign in anew, everywhere.

        Raises:
            RefusedError: something about the person cannot be, or people come from the clinic.
        """
        if not self._made_here:
            raise RefusedError(Reason.FROM_CLINIC)
        with self._database.transaction() as rows:
            put_person(rows, person, before=person_of(rows, person.mark))
            noted()

    def invite(self, mark: str, now_s: float, noted: Noted = to_nobody) -> str:
        """A one-time code with which a person chooses a password and sets up a second factor.

        What they signed in with until now is worth nothing any more, and whatever they were signed in with ends.

        Raises:
            RefusedError: there is no such person here.
        """
        with self._database.transaction() as rows:
            person = person_of(rows, mark)
            if person is None or not person.active:
                raise RefusedError(Reason.NOBODY)
            forget_factors(rows, mark)
            sessions.end_all(rows, mark)
            noted()
            return new_invitation(rows, mark, now_s=now_s)

    def is_ready(self, mark: str) -> bool:
        """Whether a person has chosen a password and set up a second factor."""
        with self._database.transaction() as rows:
            return password_of(rows, mark) is not None and secret_of(rows, mark) is not None

    def is_invited(self, mark: str, now_s: float) -> bool:
        """Whether a person has an invitation that still holds."""
        with self._database.transaction() as rows:
            return has_invitation(rows, mark, now_s=now_s)


def put_person(rows: Rows, person: Person, *, before: Person | None) -> None:
    """Write a person down; what they may do holds at once, wherever they are signed in, and in the room.

    Raises:
        RefusedError: something about the person cannot be.
    """
    write_person(rows, person)
    if before is not None and _rights(before) != _rights(person):
        sessions.end_all(rows, person.mark)
    if not person.is_a(Role.THERAPIST):
        rows.run("DELETE FROM duty WHERE person = ?", person.mark)


def close_person(rows: Rows, mark: str) -> None:
    """Somebody is not here any more, and keeps their mark: it stands in manifests and in the audit log."""
    rows.run("UPDATE persons SET active = 0 WHERE mark = ?", mark)
    rows.run("DELETE FROM duty WHERE person = ?", mark)
    sessions.end_all(rows, mark)


def changes_of(before: Person, after: Person) -> Iterator[str]:
    """What changed of a person, in the words of the audit log."""
    if (before.name, before.login) != (after.name, after.login):
        yield "name"
    if before.roles != after.roles:
        yield "roles"
    if before.supervisees != after.supervisees:
        yield "supervisees"
    if before.recipient != after.recipient:
        yield "key"
    if before.active != after.active:
        yield "back again" if after.active else "ended"


def _rights(person: Person) -> tuple[object, ...]:
    """What somebody has to sign in anew for, if it changes."""
    return person.login, person.roles, person.supervisees, person.active, person.recipient
