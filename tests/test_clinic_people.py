"""The clinic's list of people: what it can say, and that nothing of it can be changed unseen."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.clinic_people import PEOPLE_LISTS, ListedPerson, PeopleList
from device.errors import AdminError
from device.recording.signing import sign_line

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = KEY.public_key().public_bytes_raw()
ADA, BEN, CY = "a" * 12, "b" * 12, "c" * 12


def listed(mark: str, login: str, *roles: str, **facts: Any) -> ListedPerson:
    return ListedPerson(**{"mark": mark, "login": login, "name": login.title(), "roles": roles, **facts})


PEOPLE = (
    listed(ADA, "ada", "admin"),
    listed(BEN, "ben", "supervisor", supervisees=(CY,)),
    listed(CY, "cy", "therapist"),
)


def a_list(*people: ListedPerson, **facts: Any) -> PeopleList:
    usual = {"number": 1, "made": "2026-03-02T09:00:00Z", "boxes": ("Room 1", "Room 2"), "people": people or PEOPLE}
    return PeopleList(**{**usual, **facts})


def test_what_the_clinic_signed_is_read_as_it_was() -> None:
    document = PEOPLE_LISTS.sign(a_list(), KEY)
    assert document.count(b"\n") == 1
    assert PEOPLE_LISTS.read(document, clinic_key=PUBLIC) == a_list()


def test_a_flipped_bit_anywhere_is_refused() -> None:
    document = PEOPLE_LISTS.sign(a_list(), KEY)
    for at in range(len(document)):
        for bit in (0, 3, 7):
            changed = bytearray(document)
            changed[at] ^= 1 << bit
            with pytest.raises(AdminError) as refused:
                PEOPLE_LISTS.read(bytes(changed), clinic_key=PUBLIC)
            assert refused.value.hint


def test_a_roster_of_the_same_clinic_is_no_list_of_people() -> None:
    with pytest.raises(AdminError, match="damaged, or was changed"):
        PEOPLE_LISTS.read(sign_line("roster", a_list().model_dump(mode="json"), KEY), clinic_key=PUBLIC)


@pytest.mark.parametrize(
    ("people", "why"),
    [
        ((PEOPLE[1], PEOPLE[2]), "nobody on it is an admin"),
        ((*PEOPLE, listed(ADA, "other", "therapist")), "marks is there twice"),
        ((*PEOPLE, listed("d" * 12, "ada", "therapist")), "logins is there twice"),
        ((PEOPLE[0], PEOPLE[1]), "supervises a mark that nobody has"),
        ((listed(ADA, "ada", "admin", "admin"),), "roles of somebody is there twice"),
    ],
)
def test_a_list_that_makes_no_sense_is_none(people: tuple[ListedPerson, ...], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        a_list(*people)


@pytest.mark.parametrize(
    "facts",
    [
        {"login": "Ada"},
        {"login": "a b"},
        {"name": " "},
        {"name": "a\nb"},
        {"name": "a" * 81},
        {"roles": ()},
        {"mark": "x"},
    ],
)
def test_somebody_whom_no_page_could_know_is_not_listed(facts: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        listed(**{"mark": ADA, "login": "ada", **facts}, **({} if "roles" in facts else {"roles": ("admin",)}))
