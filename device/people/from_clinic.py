"""People who come from the clinic: the register is kept as the list says that the clinic signed.

Who is on it and not in the register is made there, without a password; who is in the register and not on it any more is
closed and never deleted, because marks stand in manifests and in the audit log. Each change is noted before it counts;
where that cannot be, all stays as it was, and is tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from device.audit_requests import NoteRequest
from device.clinic_list import digest_of
from device.clinic_people import PEOPLE_LISTS, ListedPerson, PeopleList
from device.clinic_shelf import Box, Offered, Shelf
from device.errors import AdminError, SottoError
from device.people.database import Database, Rows
from device.people.office import changes_of, close_person, put_person
from device.people.person import Person, Role
from device.people.register import everybody, free_login


class FromClinic:
    """Keeps the people of a page as the clinic says. ``look`` is called by one thread at a time."""

    def __init__(
        self,
        database: Database,
        path: Path,
        *,
        clinic_key: bytes,
        box: str,
        note: Callable[[NoteRequest], bool],
    ) -> None:
        """``path``: where the admin puts the list. ``note``: has something noted, durably; whether it is."""
        self._database = database
        self._note = note
        self._said: str | None = None  # the digest of the list of which the log was told already
        self._shelf = Shelf(
            path,
            kind=PEOPLE_LISTS,
            clinic_key=clinic_key,
            box=box,
            kept=database.folder / PEOPLE_LISTS.file_name,
            does=Box(bring_about=self._bring_about, taken=lambda _offered: None, refused=self._refused),
        )

    def look(self) -> SottoError | None:
        """Read the list again, and do as it says; what is wrong with it, if anything: then all is as it was."""
        return self._shelf.look()

    @property
    def standing(self) -> tuple[PeopleList | None, SottoError | None]:
        """The list that holds, or ``None`` and what is wrong; the people of the one before are still there."""
        return self._shelf.standing

    def _refused(self, document: bytes) -> bool:
        return self._note(NoteRequest(what="people refused", digest=digest_of(document)))

    def _bring_about(self, offered: Offered[PeopleList]) -> None:
        """Change what is other than it says; also after a restart: the register may be that of an older copy."""
        wanted = {one.mark: _person(one) for one in offered.one.people}
        digest = digest_of(offered.document)
        with self._database.transaction() as rows:
            before = {person.mark: person for person in everybody(rows)}
            changed = [person for mark, person in wanted.items() if before.get(mark) != person]
            gone = [person for mark, person in before.items() if person.active and mark not in wanted]
            _write(rows, before, changed, gone)
            if offered.is_new and digest != self._said:
                self._must_note(NoteRequest(what="people taken", people_list=offered.one.number, digest=digest))
                self._said = digest
            for person in (*changed, *(replace(one, active=False) for one in gone)):
                for change in _told(before.get(person.mark), person):
                    self._must_note(NoteRequest(what="person changed", whom=person.mark, change=change))

    def _must_note(self, request: NoteRequest) -> None:
        if not self._note(request):
            raise AdminError(
                "the clinic's list of people cannot be noted in the audit log, so nothing of it is done yet",
                "nothing: the box tries again by itself; if this stays, look after the capture service",
            )


def _person(one: ListedPerson) -> Person:
    return Person(
        mark=one.mark,
        login=one.login,
        name=one.name,
        roles=frozenset(map(Role, one.roles)),
        recipient=one.recipient,
        supervisees=frozenset(one.supervisees) - {one.mark},
    )


def _told(before: Person | None, after: Person) -> Iterable[str]:
    return ("added",) if before is None else changes_of(before, after)


def _write(rows: Rows, before: Mapping[str, Person], changed: list[Person], gone: list[Person]) -> None:
    """Write it in an order in which no step is refused, whatever goes over to whom.

    Logins are free before they are given, an admin is there before another goes, and everybody is there before
    somebody supervises them.
    """
    logins = {person.login: person.mark for person in changed}
    for person in before.values():
        if logins.get(person.login, person.mark) != person.mark:
            free_login(rows, person.mark)
    for person in sorted(changed, key=lambda one: Role.ADMIN not in one.roles):
        there = before[person.mark].supervisees if person.mark in before else frozenset[str]()
        put_person(rows, replace(person, supervisees=there), before=before.get(person.mark))
    for person in changed:
        put_person(rows, person, before=before.get(person.mark))
    for person in gone:
        close_person(rows, person.mark)
