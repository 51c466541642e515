"""People who come from the clinic: made, changed and closed as its list says, each change noted before it counts."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.audit_requests import NoteRequest
from device.clinic_list import digest_of
from device.clinic_people import PEOPLE_LISTS, ListedPerson
from device.people.database import Database
from device.people.first_admin import write_first_admin_code
from device.people.from_clinic import FromClinic
from device.people.passwords import Passwords
from device.people.people import People
from device.people.person import Person, Role
from device.people.refused import Reason
from tests.people.persons import FINGERPRINT, NOW_S, PASSWORD, add, caller, code_for, enrol, people_in, sign_in
from tests.people.test_entrance import refused
from tests.test_clinic_people import ADA, BEN, CY, KEY, PEOPLE, PUBLIC, a_list, listed


class Clinic:
    """A box whose people come from a clinic. ``noted``: what its audit log was told, where it answers."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "given.json"
        self.folder = folder / "state"
        self.folder.mkdir(exist_ok=True)
        self.answers = True
        self.noted: list[NoteRequest] = []
        self.starts()

    def starts(self) -> None:
        """The page begins, or begins again."""
        self.database = Database(self.folder)
        self.clinic = FromClinic(self.database, self.file, clinic_key=PUBLIC, box="Room 1", note=self.note)
        self.people = People(
            self.database,
            fingerprint=lambda: FINGERPRINT,
            passwords=Passwords(memory_kib=8, passes=1),
            from_clinic=self.clinic,
        )

    def note(self, request: NoteRequest) -> bool:
        assert request.happened() is not None, "the log has no words for it"
        if self.answers:
            self.noted.append(request)
        return self.answers

    def puts(self, *people: ListedPerson, number: int = 1, key: Ed25519PrivateKey = KEY) -> bytes:
        document = PEOPLE_LISTS.sign(a_list(*people, number=number), key)
        self.file.write_bytes(document)
        return document

    def gives(self, *people: ListedPerson, number: int = 1) -> None:
        self.puts(*people, number=number)
        assert self.clinic.look() is None

    def told(self) -> list[tuple[str, str]]:
        """Whose change was noted, in order; forgotten by this."""
        told = [(str(one.whom), str(one.change)) for one in self.noted if one.what == "person changed"]
        self.noted.clear()
        return told

    def there(self) -> dict[str, Person]:
        return {person.mark: person for person in self.people.persons()}


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Clinic]:
    made = Clinic(tmp_path)
    yield made
    made.database.close()


def test_who_is_on_the_list_is_made_with_mark_login_name_and_roles_and_without_a_way_in(box: Clinic) -> None:
    box.gives()
    assert box.there() == {
        ADA: Person(ADA, "ada", "Ada", frozenset({Role.ADMIN})),
        BEN: Person(BEN, "ben", "Ben", frozenset({Role.SUPERVISOR}), supervisees=frozenset({CY})),
        CY: Person(CY, "cy", "Cy", frozenset({Role.THERAPIST})),
    }
    assert not any(
        box.people.office.is_ready(mark) or box.people.office.is_invited(mark, NOW_S) for mark in box.there()
    )
    assert (box.noted[0].what, box.noted[0].people_list) == ("people taken", 1)
    assert box.noted[0].digest == digest_of(box.file.read_bytes())
    assert sorted(box.told()) == [(ADA, "added"), (BEN, "added"), (CY, "added")]


def test_they_join_by_a_code_of_an_admin_of_the_page(box: Clinic) -> None:
    box.gives()
    cy = box.there()[CY]
    secret, _, _ = enrol(box.people, cy)
    assert sign_in(box.people, cy, secret, now_s=NOW_S + 60).mark == CY


def test_other_roles_hold_at_once_and_end_that_persons_sessions_alone(box: Clinic) -> None:
    box.gives()
    ben, cy = (enrol(box.people, box.there()[mark])[2] for mark in (BEN, CY))
    box.people.check_in(CY, NOW_S)
    box.told()
    box.gives(PEOPLE[0], PEOPLE[1], listed(CY, "cy", "supervisor"), number=2)
    assert box.there()[CY].roles == {Role.SUPERVISOR}
    assert box.people.visitor_of_cookie(cy.token, NOW_S) is None
    assert box.people.visitor_of_cookie(ben.token, NOW_S) is not None
    assert box.people.on_duty(NOW_S) is None
    assert box.told() == [(CY, "roles")]


def test_who_is_not_on_it_any_more_is_closed_and_never_deleted(box: Clinic) -> None:
    box.gives()
    secret, _, begun = enrol(box.people, box.there()[CY])
    code = box.people.office.invite(BEN, NOW_S)
    box.people.check_in(CY, NOW_S)
    box.told()
    box.gives(PEOPLE[0], number=2)
    assert {mark: person.active for mark, person in box.there().items()} == {ADA: True, BEN: False, CY: False}
    assert sorted(box.told()) == [(BEN, "ended"), (CY, "ended")]
    assert box.people.visitor_of_cookie(begun.token, NOW_S) is None
    assert box.people.on_duty(NOW_S) is None
    assert refused(lambda: sign_in(box.people, box.there()[CY], secret, now_s=NOW_S + 60)) is Reason.WRONG
    assert refused(lambda: box.people.entrance.accept(code, PASSWORD, caller(), about=())) is Reason.CODE
    box.gives(number=3)
    assert box.there()[CY].active
    assert sorted(box.told()) == [(BEN, "back again"), (CY, "back again")]
    assert box.people.visitor_of_cookie(begun.token, NOW_S) is None  # it ended when they went


def test_whoever_was_made_by_hand_before_is_closed_unless_the_clinic_has_their_mark(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    with people_in(tmp_path / "state") as before:
        root, ben = add(before, "root", Role.ADMIN), add(before, "ben", Role.THERAPIST)
        before.put(Person(CY, "cyrus", "Cyrus", frozenset({Role.THERAPIST})))
        secret, _, _ = enrol(before, Person(CY, "cyrus", "Cyrus", frozenset({Role.THERAPIST})))
    box = Clinic(tmp_path)
    with closing(box.database):
        box.gives()
        there = box.there()
        assert not there[root.mark].active
        assert not there[ben.mark].active
        assert (there[BEN].login, there[BEN].active) == ("ben", True)  # the clinic's Ben has the login now
        assert there[ben.mark].login != "ben"
        assert (there[CY].login, there[CY].name) == ("cy", "Cy")
        assert sign_in(box.people, there[CY], secret, now_s=NOW_S + 60).mark == CY  # a known mark keeps its way in


def test_logins_and_the_only_admins_role_go_over_from_one_to_another(box: Clinic) -> None:
    box.gives()
    box.gives(listed(ADA, "ben", "therapist"), listed(BEN, "ada", "admin"), listed(CY, "cy", "therapist"), number=2)
    there = box.there()
    assert {mark: (one.login, one.roles) for mark, one in there.items() if mark != CY} == {
        ADA: ("ben", frozenset({Role.THERAPIST})),
        BEN: ("ada", frozenset({Role.ADMIN})),
    }


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda box: box.file.write_bytes(box.file.read_bytes().replace(b'"cy"', b'"cz"')), "was changed"),
        (lambda box: box.puts(PEOPLE[0], number=2, key=Ed25519PrivateKey.generate()), "another key"),
        (lambda box: box.puts(PEOPLE[0], number=1), "took number 1 before"),
        (
            lambda box: box.file.write_bytes(PEOPLE_LISTS.sign(a_list(PEOPLE[0], number=2, boxes=("Room 9",)), KEY)),
            "other",
        ),
        (lambda box: box.file.unlink(), "cannot be read"),
    ],
)
def test_what_cannot_be_taken_leaves_the_people_of_before_and_is_told(
    box: Clinic, spoil: Callable[[Clinic], object], why: str
) -> None:
    box.gives()
    before = box.there()
    box.noted.clear()
    spoil(box)
    for _ in range(3):
        fault = box.clinic.look()
        assert fault is not None
        assert why in fault.what
    assert box.there() == before
    assert [one.what for one in box.noted] == (
        [] if "read" in why else ["people refused"]
    )  # once, however often we look
    box.gives(PEOPLE[0], number=2)
    assert not box.there()[CY].active


def test_a_restart_forgets_no_number_and_changes_nothing(box: Clinic) -> None:
    box.gives(number=7)
    box.database.close()
    box.noted.clear()
    box.starts()
    assert box.clinic.look() is None
    assert box.noted == []
    box.puts(number=6)
    box.database.close()
    box.starts()
    fault = box.clinic.look()
    assert fault is not None
    assert "took number 7 before" in fault.what


def test_what_is_not_noted_is_not_done_and_is_tried_again(box: Clinic) -> None:
    box.answers = False
    box.puts()
    for _ in range(2):
        fault = box.clinic.look()
        assert fault is not None
        assert "cannot be noted" in fault.what
    assert box.there() == {}
    assert not (box.folder / PEOPLE_LISTS.file_name).exists()
    box.answers = True
    assert box.clinic.look() is None
    assert set(box.there()) == {ADA, BEN, CY}


def test_a_register_from_an_older_copy_is_brought_up_to_the_list_again(box: Clinic) -> None:
    box.gives()
    box.database.close()
    with closing(sqlite3.connect(box.folder / "people.db")) as copy, copy:
        copy.execute("UPDATE persons SET active = 0 WHERE mark = ?", (CY,))
        copy.execute("INSERT INTO roles VALUES (?, 'admin')", (BEN,))
    box.noted.clear()
    box.starts()
    assert box.clinic.look() is None
    assert box.there()[CY].active
    assert box.there()[BEN].roles == {Role.SUPERVISOR}
    assert sorted(box.told()) == [(BEN, "roles"), (CY, "back again")]


def test_nobody_is_made_or_changed_by_hand(box: Clinic) -> None:
    box.gives()
    before = box.there()
    for person in (Person("d" * 12, "eve", "Eve", frozenset({Role.ADMIN})), Person(CY, "cy", "Cy", frozenset(Role))):
        assert refused(lambda person=person: box.people.put(person)) is Reason.FROM_CLINIC
    assert box.there() == before


def test_the_first_admins_code_is_for_an_admin_on_the_list_alone(box: Clinic) -> None:
    box.gives()
    code = write_first_admin_code(box.folder)

    def comes(login: str) -> object:
        return box.people.entrance.first_admin(code, (login, "Whoever"), PASSWORD, caller(), about=())

    for login in ("eve", "cy"):
        assert refused(lambda login=login: comes(login)) is Reason.NOT_LISTED
    half = box.people.entrance.first_admin(code, ("ada", ""), PASSWORD, caller(), about=())
    secret = box.people.entrance.enrolment(half.token, caller())
    begun, _ = box.people.entrance.enrol(half.token, code_for(secret), caller())
    assert begun.mark == ADA
    assert box.there()[ADA].name == "Ada"
    assert refused(lambda: comes("ada")) is Reason.CODE
