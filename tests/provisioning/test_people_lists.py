"""The list of people that the clinic's folder signs beside the roster, and a box that takes it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from device.age.identities import generate_identity
from device.clinic_list import digest_of
from device.clinic_people import PeopleList
from device.people.database import Database
from device.people.from_clinic import FromClinic
from device.people.people import People
from device.people.person import Person, Role
from provisioning.desk import public_key
from tests.provisioning.boxes import call
from tests.provisioning.desk_boxes import added, card
from tests.provisioning.folders import Admin, unchanged


@pytest.fixture
def admin(tmp_path: Path) -> Admin:
    return Admin(tmp_path, policy="supervised")


def listed(admin: Admin) -> PeopleList:
    found = admin.folder.read_people_list()
    assert found is not None
    return found


def test_it_is_signed_at_each_change_once_there_is_an_admin(admin: Admin) -> None:
    admin.has("anna", None)
    assert not admin.folder.people_list.exists()
    admin.has("cy", None, role="admin")
    assert listed(admin).number == 1
    assert [one.login for one in listed(admin).people] == [
        one.login for one in sorted(admin.folder.read().people, key=lambda one: one.mark)
    ]
    assert listed(admin).boxes == ("room-1", "room-3")
    key = generate_identity(post_quantum=True).recipient()
    said = admin.does("person", "set", admin.folder.path, "anna", "--recipient", key)
    assert "list of people 2 signed" in said.out
    assert {one.login: one.recipient for one in listed(admin).people} == {"anna": str(key), "cy": None}
    assert admin.does("room", "add", admin.folder.path, "room-9").code == 0
    assert (listed(admin).number, listed(admin).boxes) == (3, ("room-1", "room-3", "room-9"))
    entries = call("desk", "show", admin.folder.path, "--json", "--last", 1000).told["entries"]
    signed = [one["facts"] for one in entries if one["what"] == "people signed"]
    assert [facts["people_list"] for facts in signed] == [1, 2, 3]
    assert signed[-1]["digest"] == digest_of(admin.folder.people_list.read_bytes())
    assert call("verify", admin.folder.path).code == 0


def test_the_last_admin_cannot_go_and_no_login_that_a_page_could_not_know_comes(admin: Admin) -> None:
    admin.has("cy", None, role="admin")
    for words in (
        ("person", "remove", admin.folder.path, "cy"),
        ("person", "set", admin.folder.path, "cy", "--role", "therapist"),
        ("person", "add", admin.folder.path, "Anna B", "--name", "Anna", "--role", "therapist"),
    ):
        with unchanged(admin.folder.path):
            assert admin.does(*words).code == 2


def test_a_lost_one_is_signed_anew_under_a_higher_number_and_the_difference_is_told(admin: Admin) -> None:
    admin.does("recovery", "set", admin.folder.path, generate_identity(post_quantum=True).recipient())
    admin.has("cy", None, role="admin")
    assert call("roster", admin.folder.path).code == 0
    admin.folder.people_list.unlink()
    assert call("roster", admin.folder.path).code == 7
    assert admin.does("roster", admin.folder.path, "--sign").code == 0
    assert listed(admin).number == 2
    assert call("roster", admin.folder.path).code == 0
    assert admin.does("roster", admin.folder.path, "--sign", "--above", 8).code == 0
    assert listed(admin).number == 9


def test_a_box_takes_what_the_folder_signed(admin: Admin, tmp_path: Path) -> None:
    admin.has("cy", None, role="admin")
    admin.has("anna", None)
    admin.has("ben", None, "--supervises", "anna", role="supervisor")
    (state := tmp_path / "state").mkdir()
    with closing(Database(state)) as database:
        clinic = FromClinic(
            database,
            admin.folder.people_list,
            clinic_key=public_key(admin.folder.path),
            box="room-3",
            note=lambda _request: True,
        )
        people = People(database, fingerprint=lambda: None, from_clinic=clinic)
        assert clinic.look() is None
        there = {person.login: person for person in people.persons()}
        anna = there["anna"].mark
        assert there["ben"] == Person(
            there["ben"].mark, "ben", "Ben", frozenset({Role.SUPERVISOR}), supervisees=frozenset({anna})
        )
        assert admin.does("person", "remove", admin.folder.path, "anna").code == 0
        assert clinic.look() is None
        assert {person.login: person.active for person in people.persons()} == {"cy": True, "ben": True, "anna": False}


def test_a_box_made_of_the_folder_has_the_list_on_its_card_for_the_page_alone(admin: Admin, tmp_path: Path) -> None:
    admin.does("recovery", "set", admin.folder.path, generate_identity(post_quantum=True).recipient())
    admin.has("anna", None)
    before = added(admin, "room-1").settings.read_text()
    assert "[people]" not in before  # nobody is an admin yet: the first one makes the others on the page
    admin.has("cy", None, role="admin")
    added(admin)
    said = card(admin, tmp_path / "boot")
    assert said.code == 0, said.complaints
    (brought,) = (tmp_path / "boot").rglob("people.json")
    assert brought.read_bytes() == admin.folder.people_list.read_bytes()
    rows = (brought.parents[1] / "files.list").read_text().splitlines()
    assert ["sotto-web", "sotto", "0600", "people.json"] in [row.split() for row in rows]
    admin.folder.people_list.unlink()
    refused = card(admin, tmp_path / "other")
    assert refused.code == 2
    assert "roster CLINIC --sign" in refused.complaints
