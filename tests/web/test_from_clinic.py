"""A page whose people come from the clinic: it makes none by hand, says where they come from, and what is wrong."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from html import unescape
from pathlib import Path

import pytest
from flask import Flask

from device.audit_requests import note_by_capture
from device.clinic_people import PEOPLE_LISTS
from device.errors import SottoError
from device.people.database import Database
from device.people.first_admin import write_first_admin_code
from device.people.from_clinic import FromClinic
from device.people.passwords import Passwords
from device.people.people import People
from device.people.person import Role
from device.web.attendant import Attendant
from tests.people.persons import FINGERPRINT, PASSWORD
from tests.support import PATIENCE_S
from tests.test_clinic_people import ADA, BEN, CY, KEY, PEOPLE, PUBLIC, a_list
from tests.web.conftest import BOX, Box
from tests.web.test_persons import code_on, submit
from tests.web.test_signing import send
from tests.web.visitors import begin, browser


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """Where the admin of the box puts what the clinic signed."""
    return tmp_path / "given.json"


@pytest.fixture
def clinic(box: Box, tmp_path: Path, given: Path) -> Iterator[FromClinic]:
    (folder := tmp_path / "state").mkdir()
    with closing(Database(folder)) as database:
        made = FromClinic(
            database, given, clinic_key=PUBLIC, box=BOX, note=lambda one: note_by_capture(one, box.run) is not None
        )
        passwords = Passwords(memory_kib=8, passes=1)
        box.people = People(database, fingerprint=lambda: FINGERPRINT, passwords=passwords, from_clinic=made)
        given.write_bytes(PEOPLE_LISTS.sign(a_list(boxes=(BOX,)), KEY))
        assert patiently(made.look)
        yield made


@pytest.fixture
def app(box: Box, clinic: FromClinic) -> Flask:  # it has to be there
    return box.app(room=False)


def patiently(look: Callable[[], SottoError | None]) -> bool:
    """Whether the list is taken: on a busy machine the log takes its time, and then it is tried again."""
    until_s = time.monotonic() + PATIENCE_S
    while (fault := look()) is not None and "cannot be noted" in fault.what and time.monotonic() < until_s:
        pass
    return fault is None


def told(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def test_each_change_stands_in_the_audit_log(box: Box, clinic: FromClinic) -> None:
    entries = [(one["what"], one["facts"]) for one in box.noted()]
    assert entries[0][0] == "people taken"
    assert entries[0][1]["people_list"] == 1
    changed = {(facts["whom"], facts["change"]) for what, facts in entries if what == "person changed"}
    assert changed == {(mark, "added") for mark in (ADA, BEN, CY)}


def test_an_admin_makes_the_code_with_which_somebody_joins_and_nobody_else(box: Box, app: Flask) -> None:
    ada = box.people.person(ADA)
    assert ada is not None
    admin = browser(app, begin(box.people, ada))
    page = admin.get("/persons/").text
    assert "come from the clinic" in page
    assert "/persons/new" not in page
    answer = submit(admin, f"/persons/{CY}", f"/persons/{CY}/invite")
    joined = send(browser(app), "/welcome", code=code_on(answer.text), password=PASSWORD, password_again=PASSWORD)
    assert joined.location == "/sign-in/app"
    before = box.people.persons()
    page = told(admin.get(f"/persons/{CY}").text)
    assert "come from the clinic" in page
    for path in ("/persons/new", f"/persons/{CY}"):
        refused = submit(admin, f"/persons/{CY}", path, name="Eve", login="eve", role=[str(Role.ADMIN)])
        assert refused.status_code == 400
        assert "sotto-clinic person" in told(refused.text)
    assert "sotto-clinic person" in told(admin.get("/persons/new").text)
    assert box.people.persons() == before


def test_the_first_admin_is_one_of_the_list(box: Box, app: Flask, clinic: FromClinic, tmp_path: Path) -> None:
    code = write_first_admin_code(tmp_path / "state")
    page = browser(app).get("/first-admin").text
    assert "come from the clinic" in page
    assert 'name="name"' not in page
    words = {"code": code, "password": PASSWORD, "password_again": PASSWORD}
    assert "no admin with this login" in send(browser(app), "/first-admin", login="cy", **words).text
    assert send(browser(app), "/first-admin", login="ada", **words).location == "/sign-in/app"
    changes = [one["facts"]["change"] for one in box.noted() if one.get("facts", {}).get("person") == ADA]
    assert changes == ["password", "second factor"]


def test_health_says_which_list_holds_and_what_is_wrong_with_another(
    box: Box, app: Flask, clinic: FromClinic, given: Path
) -> None:
    ada = box.people.person(ADA)
    assert ada is not None
    admin = browser(app, begin(box.people, ada))
    assert "list 1 of the clinic" in told(admin.get("/box/health").text)
    given.write_bytes(given.read_bytes().replace(b'"cy"', b'"cz"'))
    clinic.look()
    clinic.look()
    said = told(admin.get("/box/health").text)
    assert "damaged, or was changed after the clinic signed it" in said
    assert "the people are those of the list before" in said
    assert "people refused" in [one["what"] for one in box.noted()]


def test_the_page_takes_a_list_at_its_start_and_one_that_comes_later(box: Box, clinic: FromClinic, given: Path) -> None:
    given.write_bytes(PEOPLE_LISTS.sign(a_list(PEOPLE[0], PEOPLE[2], boxes=(BOX,), number=2), KEY))
    with closing(Attendant(clinic, every_s=0.01)) as attendant:
        attendant.start()
        until_s = time.monotonic() + PATIENCE_S
        while (ben := box.people.person(BEN)) is not None and ben.active and time.monotonic() < until_s:
            pass
        assert ben is not None
        assert not ben.active
        given.write_bytes(PEOPLE_LISTS.sign(a_list(boxes=(BOX,), number=3), KEY))
        while (ben := box.people.person(BEN)) is not None and not ben.active and time.monotonic() < until_s:
            pass
        assert ben is not None
        assert ben.active
