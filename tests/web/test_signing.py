"""Signing in and out through the page: what each step gives, what it refuses, and what is noted of it."""

from __future__ import annotations

import html as entities
import re
import time
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from device.people.first_admin import write_first_admin_code
from device.people.person import Person, Role
from device.web.doors import KIOSK_COOKIE, PAGE_COOKIE
from device.web.front import Front
from tests.people.persons import PASSWORD, code_for
from tests.web.conftest import Box
from tests.web.visitors import add_person, begin, browser, form_token_of

PAGE = {"Accept": "text/html"}


def send(client: FlaskClient, path: str, **fields: str) -> TestResponse:
    """Fill a form in as a browser does, with the token that the page gave out."""
    token = form_token_of(client.get(path).text)
    return client.post(path, data={"token": token, **fields})


def key_on(page: str) -> str:
    """The key for the app, as it stands on the page in letters."""
    found = re.search(r'class="letters">([A-Z2-7 ]+)<', page)
    assert found
    return found[1].replace(" ", "")


def codes_on(page: str) -> list[str]:
    return re.findall(r"<li><code>([0-9a-z-]{19})</code></li>", page)


@dataclass
class Joined:
    """Somebody who has set up an account through the page."""

    client: FlaskClient
    secret: str
    codes: list[str]
    at_s: float


def join(box: Box, app: Flask, person: Person) -> Joined:
    client, now_s = browser(app), time.time()
    code = box.people.office.invite(person.mark, now_s)
    answer = send(client, "/welcome", code=code, password=PASSWORD, password_again=PASSWORD)
    assert (answer.status_code, answer.location) == (303, "/sign-in/app"), answer.text
    secret = key_on(client.get("/sign-in/app").text)
    answer = send(client, "/sign-in/app", code=code_for(secret, now_s))
    assert answer.status_code == 200, answer.text
    return Joined(client, secret, codes_on(answer.text), now_s)


def sign_in(app: Flask, person: Person, joined: Joined) -> FlaskClient:
    client = browser(app)
    assert send(client, "/sign-in", login=person.login, password=PASSWORD).status_code == 303
    answer = send(client, "/sign-in/code", code=code_for(joined.secret, joined.at_s + 30))
    assert answer.status_code == 303, answer.text
    return client


@pytest.fixture
def app(box: Box) -> Flask:
    return box.app(room=False)


@pytest.fixture
def anna(box: Box) -> Person:
    return add_person(box.people, Role.THERAPIST)


def test_somebody_who_was_invited_sets_up_an_account_and_signs_in_with_it(box: Box, app: Flask, anna: Person) -> None:
    joined = join(box, app, anna)
    assert len(joined.codes) == 10
    assert joined.client.get("/").status_code == 200
    client = sign_in(app, anna, joined)
    assert anna.name in client.get("/account/").text
    assert [entry["facts"] for entry in box.noted() if entry["what"] == "login"] == [
        {"person": anna.mark, "door": "page", "way": "password", "granted": True}
    ] * 2


def test_the_first_admin_becomes_one_with_the_code_from_the_box(box: Box, app: Flask) -> None:
    client = browser(app)
    assert "/first-admin" in client.get("/sign-in").text
    code = write_first_admin_code(box.people._database.folder)
    fields = {"login": "Ada", "name": "Ada L.", "password": PASSWORD, "password_again": PASSWORD}
    assert send(client, "/first-admin", code="0000-0000-0000-0000", **fields).status_code == 400
    assert box.people.persons() == []
    assert send(client, "/first-admin", code=code, **fields).location == "/sign-in/app"
    secret = key_on(client.get("/sign-in/app").text)
    assert send(client, "/sign-in/app", code=code_for(secret, time.time())).status_code == 200
    assert client.get("/persons/").status_code == 200
    assert "/first-admin" not in browser(app).get("/sign-in").text
    (ada,) = box.people.persons()
    assert (ada.login, ada.name, ada.roles) == ("ada", "Ada L.", frozenset({Role.ADMIN}))
    assert [entry["facts"] for entry in box.noted() if entry["what"] == "person changed"] == [
        {"person": ada.mark, "whom": ada.mark, "change": "added"}
    ]


def test_a_recovery_code_lets_in_once_and_is_noted_as_one(box: Box, app: Flask, anna: Person) -> None:
    joined = join(box, app, anna)
    for expected in (303, 403):
        client = browser(app)
        send(client, "/sign-in", login=anna.login, password=PASSWORD)
        token = form_token_of(client.get("/sign-in/code?from=paper").text)
        answer = client.post("/sign-in/code", data={"token": token, "from": "paper", "code": joined.codes[0]})
        assert answer.status_code == expected
    assert [entry["facts"].get("granted") for entry in box.noted() if entry["facts"].get("way") == "recovery code"] == [
        True,
        False,
    ]


def test_half_way_in_is_a_stranger_to_every_other_page(box: Box, app: Flask, anna: Person) -> None:
    join(box, app, anna)
    client = browser(app)
    send(client, "/sign-in", login=anna.login, password=PASSWORD)
    for path in ("/", "/account/", "/status.json", "/persons/", "/account/app/new"):
        assert client.get(path).status_code == 401
    assert client.get("/sign-in/app").location == "/sign-in"  # the second factor there is cannot be replaced


def test_what_is_wrong_is_told_in_the_same_words_whatever_it_is(box: Box, app: Flask, anna: Person) -> None:
    join(box, app, anna)
    told = []
    for login, password in ((anna.login, "a guess or two"), ("nobody", PASSWORD), ("nobody", "")):
        answer = send(browser(app), "/sign-in", login=login, password=password)
        assert answer.status_code == 403
        told.append(re.findall(r'role="alert".*?</div>', answer.text, re.DOTALL))
    assert told[0] == told[1] == told[2]
    assert "That does not fit." in told[0][0]
    assert [entry["facts"] for entry in box.noted() if entry["what"] == "login"][1:] == [
        {"door": "page", "way": "password", "granted": False}
    ] * 3


def test_a_password_that_was_typed_is_never_shown_again(box: Box, app: Flask, anna: Person) -> None:
    join(box, app, anna)
    for path, fields in (
        ("/sign-in", {"login": anna.login, "password": "my secret guess"}),
        ("/welcome", {"code": "my secret code", "password": "my secret guess", "password_again": "my secret guess"}),
    ):
        answer = send(browser(app), path, **fields)
        assert answer.status_code in (400, 403)
        assert "my secret" not in answer.text


def test_who_guesses_is_told_how_long_to_wait(box: Box, app: Flask, anna: Person) -> None:
    join(box, app, anna)
    client = browser(app)
    token = form_token_of(client.get("/sign-in").text)
    guess = {"token": token, "login": anna.login, "password": "a guess or two"}
    codes = [client.post("/sign-in", data=guess).status_code for _ in range(8)]
    assert codes[:5] == [403] * 5
    assert 429 in codes[5:]
    answer = client.post("/sign-in", data=guess)
    while answer.status_code != 429:  # a slow machine may have waited long enough
        answer = client.post("/sign-in", data=guess)
    assert int(answer.headers["Retry-After"]) >= 1
    assert f"Wait {answer.headers['Retry-After']} s" in answer.text


def test_two_passwords_that_differ_are_refused_and_the_code_is_still_good(box: Box, app: Flask, anna: Person) -> None:
    code = box.people.office.invite(anna.mark, time.time())
    client = browser(app)
    answer = send(client, "/welcome", code=code, password=PASSWORD, password_again=PASSWORD + "!")
    assert answer.status_code == 400
    assert "The two passwords are not the same." in answer.text
    assert send(client, "/welcome", code=code, password=PASSWORD, password_again=PASSWORD).status_code == 303


def test_the_token_is_kept_from_scripts_other_sites_and_plain_http(box: Box, anna: Person) -> None:
    for front, name, secure in ((Front(), "sotto", False), (Front(names=("box.example",)), "__Host-sotto", True)):
        client = box.app(room=False, front=front).test_client()
        base = "https://box.example" if secure else "http://localhost"
        code = box.people.office.invite(anna.mark, time.time())
        token = form_token_of(client.get("/welcome", base_url=base).text)
        fields = {"token": token, "code": code, "password": PASSWORD, "password_again": PASSWORD}
        answer = client.post("/welcome", base_url=base, data=fields)
        cookie = next(line for line in answer.headers.getlist("Set-Cookie") if line.startswith(f"{name}="))
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie
        assert ("Secure" in cookie) == secure


def test_a_session_replayed_after_signing_out_is_a_strangers(box: Box, app: Flask, anna: Person) -> None:
    joined = join(box, app, anna)
    cookie = joined.client.get_cookie(PAGE_COOKIE)
    assert cookie is not None
    token = form_token_of(joined.client.get("/account/").text)
    answer = joined.client.post("/sign-out", data={"token": token})
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert joined.client.get_cookie(PAGE_COOKIE) is None
    thief = app.test_client()
    thief.set_cookie(PAGE_COOKIE, cookie.value, domain="localhost")
    assert thief.get("/").status_code == 401
    assert thief.get("/account/").status_code == 401
    assert [entry["facts"] for entry in box.noted() if entry["what"] == "logout"] == [
        {"person": anna.mark, "door": "page"}
    ]


def test_a_token_that_was_planted_before_signing_in_is_worth_nothing_after(box: Box, app: Flask, anna: Person) -> None:
    joined = join(box, app, anna)
    client = browser(app)
    client.set_cookie(PAGE_COOKIE, "planted", domain="localhost")
    send(client, "/sign-in", login=anna.login, password=PASSWORD)
    half = client.get_cookie(PAGE_COOKIE)
    send(client, "/sign-in/code", code=code_for(joined.secret, joined.at_s + 30))
    after = client.get_cookie(PAGE_COOKIE)
    assert half is not None
    assert after is not None
    assert len({"planted", half.value, after.value}) == 3
    for old in ("planted", half.value):
        thief = app.test_client()
        thief.set_cookie(PAGE_COOKIE, old, domain="localhost")
        assert thief.get("/").status_code == 401


def test_without_a_note_in_the_audit_log_nobody_is_in(bare_box: Box) -> None:
    app, anna = bare_box.app(room=False), add_person(bare_box.people, Role.THERAPIST)
    client, now_s = browser(app), time.time()
    code = bare_box.people.office.invite(anna.mark, now_s)
    send(client, "/welcome", code=code, password=PASSWORD, password_again=PASSWORD)
    secret = key_on(client.get("/sign-in/app").text)
    answer = send(client, "/sign-in/app", code=code_for(secret, now_s))
    assert answer.status_code == 503
    assert "audit log" in answer.text
    assert bare_box.people.sessions(anna.mark, now_s) == []
    assert client.get("/").status_code == 401


def test_a_browser_that_is_not_signed_in_is_led_to_the_way_in_and_back(box: Box, app: Flask, anna: Person) -> None:
    joined = join(box, app, anna)
    client = browser(app)
    answer = client.get("/account/", headers=PAGE)
    assert (answer.status_code, answer.location) == (303, "/sign-in?next=/account/")
    page = client.get(answer.location).text
    fields = {"token": form_token_of(page), "next": "/account/", "login": anna.login, "password": PASSWORD}
    answer = client.post("/sign-in", data=fields)
    assert answer.location == "/sign-in/code?next=/account/"
    page = client.get(answer.location).text
    assert 'name="next" value="/account/"' in page
    fields = {"token": form_token_of(page), "next": "/account/", "code": code_for(joined.secret, joined.at_s + 30)}
    assert client.post("/sign-in/code", data=fields).location == "/account/"
    assert client.get("/sign-in").location == "/"  # whoever is in has no business there


def test_programs_are_told_that_they_are_not_signed_in(app: Flask) -> None:
    assert browser(app).get("/account/").status_code == 401
    assert browser(app).get("/status.json", headers=PAGE | {"Accept": "application/json"}).status_code == 401


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "/a\nb", "\\\\evil", "/%2f"],
)
def test_no_way_back_leads_out_of_the_page(box: Box, app: Flask, anna: Person, target: str) -> None:
    joined = join(box, app, anna)
    client = browser(app)
    page = client.get("/sign-in", query_string={"next": target}).text
    assert 'name="next" value="/"' in page
    fields = {"token": form_token_of(page), "next": target, "login": anna.login, "password": PASSWORD}
    answer = client.post("/sign-in", data=fields)
    assert answer.location == "/sign-in/code?next=/"
    token = form_token_of(client.get("/sign-in/code").text)
    code = code_for(joined.secret, joined.at_s + 30)
    assert client.post("/sign-in/code", data={"token": token, "next": target, "code": code}).location == "/"


def test_the_picture_for_the_app_is_drawn_on_the_page_and_says_what_the_letters_say(
    box: Box, app: Flask, anna: Person
) -> None:
    client = browser(app)
    code = box.people.office.invite(anna.mark, time.time())
    send(client, "/welcome", code=code, password=PASSWORD, password_again=PASSWORD)
    page = client.get("/sign-in/app").text
    drawn = re.search(r'<svg[^>]*class="qr".*?</svg>', page, re.DOTALL)
    assert drawn
    assert "style=" not in page
    assert key_on(client.get("/sign-in/app").text) == key_on(page)


def test_a_tablet_that_comes_back_from_a_client_can_be_signed_in_on(box: Box, app: Flask, anna: Person) -> None:
    joined = join(box, app, anna)
    client = app.test_client()
    tablet = begin(box.people, anna)
    client.set_cookie(KIOSK_COOKIE, tablet.token, domain="localhost")  # it is none: it is over
    send(client, "/sign-in", login=anna.login, password=PASSWORD)
    send(client, "/sign-in/code", code=code_for(joined.secret, joined.at_s + 30))
    assert client.get_cookie(KIOSK_COOKIE) is None
    assert client.get("/account/").status_code == 200


def test_who_is_kept_waiting_by_anothers_guesses_signs_in_at_their_own_browser(
    box: Box, app: Flask, anna: Person
) -> None:
    joined = join(box, app, anna)
    token = form_token_of(joined.client.get("/account/").text)
    joined.client.post("/sign-out", data={"token": token})
    stranger = browser(app)
    guess = {"token": form_token_of(stranger.get("/sign-in").text), "login": anna.login, "password": "a guess or two"}
    for _ in range(12):
        answer = stranger.post("/sign-in", data=guess)
    while answer.status_code != 429:  # a slow machine may have waited long enough
        answer = stranger.post("/sign-in", data=guess)
    assert send(joined.client, "/sign-in", login=anna.login, password=PASSWORD).status_code == 303


def test_what_people_call_themselves_stays_text(box: Box, app: Flask) -> None:
    name = '<script>alert("x")</script>'
    eve = Person("e" * 12, "eve", name, frozenset({Role.ADMIN, Role.THERAPIST}))
    box.people.put(eve)
    joined = join(box, app, eve)
    client = app.test_client()
    cookie = joined.client.get_cookie(PAGE_COOKIE)
    assert cookie is not None
    client.set_cookie(PAGE_COOKIE, cookie.value, domain="localhost")
    for path in ("/account/", "/persons/", f"/persons/{eve.mark}"):
        page = client.get(path).text
        assert "<script>alert" not in page
        assert entities.escape(name) in page or "&lt;script&gt;" in page
