"""An admin's register, through the page."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from device.people.person import Person, Role
from tests.people.persons import PASSWORD
from tests.people.test_register import CLASSIC
from tests.web.conftest import Box
from tests.web.test_signing import send
from tests.web.visitors import add_person, begin, browser, form_token_of

ADA = "ada000000000"


@pytest.fixture
def app(box: Box) -> Flask:
    return box.app(room=False)


@pytest.fixture
def ada(box: Box) -> Person:
    return add_person(box.people, Role.ADMIN)


@pytest.fixture
def admin(box: Box, app: Flask, ada: Person) -> FlaskClient:
    return browser(app, begin(box.people, ada))


def submit(client: FlaskClient, path: str, to: str = "", **fields: Any) -> TestResponse:
    token = form_token_of(client.get(path).text)
    return client.post(to or path, data={"token": token, **fields})


def changes(box: Box, by: Person) -> list[tuple[str, str]]:
    noted = [entry["facts"] for entry in box.noted() if entry["what"] == "person changed"]
    assert {facts["person"] for facts in noted} <= {by.mark}
    return [(facts["whom"], facts["change"]) for facts in noted]


def code_on(page: str) -> str:
    found = re.search(r'class="code-large"[^>]*><code>([0-9a-z-]{19})<', page)
    assert found
    return found[1]


def test_an_admin_adds_a_person_who_then_sets_up_an_account(
    box: Box, app: Flask, ada: Person, admin: FlaskClient
) -> None:
    answer = submit(admin, "/persons/new", name="Ben B.", login="Ben", role=["therapist", "supervisor"])
    assert answer.status_code == 200
    (ben,) = [person for person in box.people.persons() if person.login == "ben"]
    assert (ben.name, ben.roles, ben.active) == ("Ben B.", frozenset({Role.THERAPIST, Role.SUPERVISOR}), True)
    assert changes(box, ada) == [(ben.mark, "added"), (ben.mark, "password"), (ben.mark, "second factor")]
    code = code_on(answer.text)
    assert "has a code, has not used it yet" in admin.get("/persons/").text
    assert code not in admin.get("/persons/").text + admin.get(f"/persons/{ben.mark}").text
    answer = send(browser(app), "/welcome", code=code, password=PASSWORD, password_again=PASSWORD)
    assert answer.location == "/sign-in/app"


def test_what_an_admin_changes_is_kept_and_noted_one_by_one(box: Box, ada: Person, admin: FlaskClient) -> None:
    ben, cleo = add_person(box.people, Role.THERAPIST), add_person(box.people, Role.THERAPIST)
    session = begin(box.people, ben)
    answer = submit(
        admin,
        f"/persons/{ben.mark}",
        name="Ben",
        login=ben.login,
        role=["supervisor"],
        supervisee=[cleo.mark, "f" * 12, ben.mark],
        recipient=f" {CLASSIC} ",
    )
    assert answer.location == f"/persons/?saved={ben.mark}"
    after = box.people.person(ben.mark)
    assert after == Person(
        ben.mark, ben.login, "Ben", frozenset({Role.SUPERVISOR}), CLASSIC, frozenset({cleo.mark}), active=False
    )
    assert changes(box, ada) == [(ben.mark, change) for change in ("name", "roles", "supervisees", "key", "ended")]
    assert box.people.visitor_of_cookie(session.token, time.time()) is None
    submit(
        admin, f"/persons/{ben.mark}", name="Ben", login=ben.login, role=["supervisor"], active="on", recipient=CLASSIC
    )
    assert changes(box, ada)[5:] == [(ben.mark, "supervisees"), (ben.mark, "back again")]


def test_who_is_no_supervisor_supervises_nobody(box: Box, admin: FlaskClient) -> None:
    ben, cleo = add_person(box.people, Role.THERAPIST), add_person(box.people, Role.THERAPIST)
    submit(
        admin, f"/persons/{ben.mark}", name="B", login=ben.login, role="therapist", supervisee=cleo.mark, active="on"
    )
    after = box.people.person(ben.mark)
    assert after is not None
    assert after.supervisees == frozenset()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": ""}, "There is no name, or it is too long."),
        ({"login": ""}, "This login cannot be used."),
        ({"login": "no login"}, "This login cannot be used."),
        ({"role": []}, "There is no role."),
        ({"role": ["owner"]}, "There is no role."),
        ({"recipient": "age1nonsense"}, "This is no recipient."),
    ],
)
def test_what_cannot_be_is_refused_with_what_was_typed_still_there(
    box: Box, ada: Person, admin: FlaskClient, fields: dict[str, Any], words: str
) -> None:
    usual = {"name": "Ben B.", "login": "ben", "role": ["therapist"], "recipient": ""}
    answer = submit(admin, "/persons/new", **{**usual, **fields})
    assert answer.status_code == 400
    assert words in answer.text
    if fields.get("name") != "":
        assert 'value="Ben B."' in answer.text
    assert box.people.persons() == [ada]
    assert changes(box, ada) == []


def test_the_last_admin_stays_one(box: Box, ada: Person, admin: FlaskClient) -> None:
    answer = submit(admin, f"/persons/{ada.mark}", name=ada.name, login=ada.login, role="therapist", active="on")
    assert answer.status_code == 400
    assert "Nobody would be left to look after the box." in answer.text
    assert box.people.person(ada.mark) == ada
    assert changes(box, ada) == []


def test_who_has_lost_everything_gets_a_new_way_in(box: Box, ada: Person, admin: FlaskClient) -> None:
    ben = add_person(box.people, Role.THERAPIST)
    session = begin(box.people, ben)
    answer = submit(admin, f"/persons/{ben.mark}", f"/persons/{ben.mark}/invite")
    assert code_on(answer.text)
    assert box.people.visitor_of_cookie(session.token, time.time()) is None
    assert changes(box, ada) == [(ben.mark, "password"), (ben.mark, "second factor")]


@pytest.mark.parametrize("mark", ["0" * 12, "nonsense", "..%2f..%2fetc", "A" * 12])
def test_who_is_not_there_is_not_found(admin: FlaskClient, mark: str) -> None:
    assert admin.get(f"/persons/{mark}").status_code == 404


def test_what_cannot_be_noted_is_not_changed(bare_box: Box) -> None:
    ada = add_person(bare_box.people, Role.ADMIN)
    admin = browser(bare_box.app(room=False), begin(bare_box.people, ada))
    assert admin.get("/persons/").status_code == 503
    answer = submit(admin, "/persons/new", name="Ben", login="ben", role="therapist")
    assert answer.status_code == 503
    assert bare_box.people.persons() == [ada]
    token = form_token_of(admin.get("/persons/new").text)
    answer = admin.post(f"/persons/{ada.mark}/invite", data={"token": token})
    assert answer.status_code == 503
    assert admin.get("/persons/new").status_code == 200


@pytest.mark.parametrize("role", [Role.THERAPIST, Role.SUPERVISOR])
def test_nobody_but_an_admin_sees_or_changes_the_register(box: Box, app: Flask, ada: Person, role: Role) -> None:
    other = browser(app, begin(box.people, add_person(box.people, role)))
    token = form_token_of(other.get("/account/").text)
    for path in ("/persons/", "/persons/new", f"/persons/{ada.mark}"):
        assert other.get(path).status_code == 403
    for path in ("/persons/new", f"/persons/{ada.mark}", f"/persons/{ada.mark}/invite"):
        assert other.post(path, data={"token": token, "name": "x"}).status_code == 403
    assert box.people.person(ada.mark) == ada
