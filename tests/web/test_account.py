"""One's own account, through the page."""

from __future__ import annotations

import re
import time

import pytest
from flask import Flask

from device.people.account import Setting
from device.people.person import Person, Role
from device.people.visit import Kind
from tests.people.persons import PASSWORD, code_for
from tests.web.conftest import Box
from tests.web.test_signing import codes_on, join, key_on, send, sign_in
from tests.web.visitors import add_person, begin, browser, form_token_of

NEW = "seven grey herons, late"


@pytest.fixture
def app(box: Box) -> Flask:
    return box.app(room=False)


@pytest.fixture
def anna(box: Box) -> Person:
    return add_person(box.people, Role.THERAPIST)


def changes(box: Box) -> list[str]:
    return [entry["facts"]["change"] for entry in box.noted() if entry["what"] == "person changed"]


def post(client: object, path: str, **fields: str) -> object:
    token = form_token_of(client.get("/account/").text)  # type: ignore[attr-defined]  # flask's own client
    return client.post(path, data={"token": token, **fields})  # type: ignore[attr-defined]


def test_another_password_signs_out_everywhere_else(box: Box, app: Flask, anna: Person) -> None:
    joined = join(box, app, anna)
    elsewhere = sign_in(app, anna, joined)
    again = {"password": NEW, "password_again": NEW}
    assert post(joined.client, "/account/password", old="a guess or two", **again).status_code == 403
    assert elsewhere.get("/account/").status_code == 200
    answer = post(joined.client, "/account/password", old=PASSWORD, **again)
    assert (answer.status_code, answer.location) == (303, "/account/?done=password")
    assert "Your password is changed." in joined.client.get(answer.location).text
    assert elsewhere.get("/account/").status_code == 401
    assert changes(box) == ["password"]
    assert send(browser(app), "/sign-in", login=anna.login, password=PASSWORD).status_code == 403
    assert send(browser(app), "/sign-in", login=anna.login, password=NEW).status_code == 303


def test_an_easy_password_is_refused_where_it_was_typed(box: Box, app: Flask, anna: Person) -> None:
    joined = join(box, app, anna)
    easy = anna.login + anna.login
    answer = post(joined.client, "/account/password", old=PASSWORD, password=easy, password_again=easy)
    assert answer.status_code == 400
    assert "This password is too easy to guess." in answer.text
    assert easy not in answer.text
    assert changes(box) == []


def test_new_recovery_codes_need_the_password_and_are_shown_once(box: Box, app: Flask, anna: Person) -> None:
    joined = join(box, app, anna)
    assert post(joined.client, "/account/codes", old="a guess or two").status_code == 403
    answer = post(joined.client, "/account/codes", old=PASSWORD)
    codes = codes_on(answer.text)
    assert len(codes) == 10
    assert not set(codes) & set(joined.codes)
    assert not set(codes) & set(codes_on(joined.client.get("/account/").text))
    assert "10 of 10" in joined.client.get("/account/").text
    assert changes(box) == ["recovery codes"]


def test_another_app_takes_the_place_of_the_first_once_it_shows_a_code(box: Box, app: Flask, anna: Person) -> None:
    joined = join(box, app, anna)
    assert joined.client.get("/account/app/new").location == "/account/"
    assert post(joined.client, "/account/app", old="a guess or two").status_code == 403
    assert joined.client.get("/account/app/new").location == "/account/"
    assert post(joined.client, "/account/app", old=PASSWORD).location == "/account/app/new"
    secret = key_on(joined.client.get("/account/app/new").text)
    assert secret != joined.secret
    wrong = f"{(int(code_for(secret, time.time())) + 500_000) % 1_000_000:06}"
    assert send(joined.client, "/account/app/new", code=wrong).status_code == 400
    assert changes(box) == []
    answer = send(joined.client, "/account/app/new", code=code_for(secret, time.time()))
    assert len(codes_on(answer.text)) == 10
    assert changes(box) == ["second factor"]
    assert joined.client.get("/account/").status_code == 200


def test_what_one_is_signed_in_with_is_listed_and_can_be_ended(box: Box, app: Flask, anna: Person) -> None:
    joined = join(box, app, anna)
    elsewhere = sign_in(app, anna, joined)
    program = begin(box.people, anna, Kind.PROGRAM)
    tablet = begin(box.people, anna, Kind.KIOSK)
    page = joined.client.get("/account/").text
    listed = re.findall(r"/account/end/([0-9a-f]{12})", page)
    assert {program.session, tablet.session} < set(listed)
    assert len(listed) == 3  # one's own session ends by signing out
    for session in listed:
        answer = post(joined.client, f"/account/end/{session}")
        assert answer.location == "/account/?done=session"
    assert elsewhere.get("/account/").status_code == 401
    assert box.people.visitor_of_bearer(program.token, time.time()) is None
    assert box.people.visitor_of_kiosk(tablet.token, time.time()) is None
    assert sorted(changes(box)) == ["session ended", "session ended", "token revoked"]


def test_nobody_ends_anothers_session_or_takes_anothers_passkey(box: Box, app: Flask, anna: Person) -> None:
    joined = join(box, app, anna)
    ben = add_person(box.people, Role.ADMIN)
    bens = begin(box.people, ben)
    post(joined.client, f"/account/end/{bens.session}")
    assert box.people.visitor_of_cookie(bens.token, time.time()) is not None
    post(joined.client, "/account/passkeys/00ff/remove")
    assert changes(box) == []


def test_what_cannot_be_noted_is_not_changed(bare_box: Box) -> None:
    app, anna = bare_box.app(room=False), add_person(bare_box.people, Role.THERAPIST)
    now_s = time.time()
    code = bare_box.people.office.invite(anna.mark, now_s)
    send(browser(app), "/welcome", code=code, password=PASSWORD, password_again=PASSWORD)
    client = browser(app, begun := begin(bare_box.people, anna))
    for path, fields in (
        ("/account/password", {"old": PASSWORD, "password": NEW, "password_again": NEW}),
        ("/account/codes", {"old": PASSWORD}),
        ("/sign-out", {}),
    ):
        assert post(client, path, **fields).status_code == 503
    assert bare_box.people.account.codes_left(anna.mark) == 0
    assert bare_box.people.visitor_of_cookie(begun.token, now_s) is not None
    assert send(browser(app), "/sign-in", login=anna.login, password=PASSWORD).status_code == 303
    assert Setting(anna, begun.session).person == anna


def test_what_is_asked_for_by_another_page_changes_nothing(box: Box, app: Flask, anna: Person) -> None:
    joined = join(box, app, anna)
    for path in ("/account/password", "/account/codes", "/account/app", "/account/end/0", "/sign-out"):
        answer = joined.client.post(path, data={"old": PASSWORD, "password": NEW, "password_again": NEW})
        assert answer.status_code == 403
    assert joined.client.get("/account/").status_code == 200
    assert changes(box) == []
