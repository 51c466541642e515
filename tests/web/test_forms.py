"""What changes something has to come from a page of ours: tried on every route that changes anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from device.people.person import Role
from device.people.visit import Kind
from device.web.forms import FORM_COOKIE, form_token
from device.web.permissions import PERMISSIONS, Strangers
from device.web.visitor import By
from tests.web.conftest import FROM_PAGE, Box, app_of_nobody
from tests.web.published import add_recording
from tests.web.test_permissions import REACHED, address, emptied, routes
from tests.web.visitors import THERAPIST, add_person, bearer, begin, browser, form_token_of

SAFE = {"GET", "HEAD", "OPTIONS"}


def unsafe() -> list[tuple[str, str]]:
    """Every endpoint that changes something, with its method."""
    with app_of_nobody() as app:
        return [(route.endpoint, method) for route, method in routes(app) if method not in SAFE]


UNSAFE = unsafe()


@pytest.fixture
def app(box: Box) -> Flask:
    """Nothing behind the doors but a page with a form, for everybody."""
    app = emptied(box.app())
    app.view_functions["static"] = lambda **_values: Response(form_token())
    return app


@pytest.fixture
def anybody(box: Box, app: Flask) -> FlaskClient:
    """Somebody who may do whatever a person may."""
    return browser(app, begin(box.people, add_person(box.people, *Role, mark=THERAPIST)))


def token_of(client: FlaskClient) -> str:
    return client.get("/static/form").text


def path_of(app: Flask, endpoint: str, recording_id: str = "000001-aaaaaaaaaa") -> str:
    return next(address(route, recording_id) for route in app.url_map.iter_rules() if route.endpoint == endpoint)


def ask(client: FlaskClient, app: Flask, endpoint: str, method: str, **request: Any) -> int:
    return client.open(path_of(app, endpoint), method=method, **request).status_code


def by_page() -> list[tuple[str, str]]:
    """Those that a signed-in person reaches in a browser, whatever the object."""
    return [(endpoint, method) for endpoint, method in UNSAFE if By.PAGE in PERMISSIONS[endpoint].by]


@pytest.mark.parametrize(("endpoint", "method"), UNSAFE)
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost:8080"},
        {"Origin": "https://localhost"},
        {"Origin": "null"},
        {"X-Sotto-Page": ""},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
    ],
)
def test_what_another_page_sends_reaches_nothing(
    anybody: FlaskClient, app: Flask, endpoint: str, method: str, headers: dict[str, str]
) -> None:
    usual = {"Content-Type": "application/json", **FROM_PAGE}
    assert ask(anybody, app, endpoint, method, data="{}", headers={**usual, **headers}) in {403, 415}


@pytest.mark.parametrize(("endpoint", "method"), UNSAFE)
def test_a_form_needs_its_token(box: Box, anybody: FlaskClient, app: Flask, endpoint: str, method: str) -> None:
    token = token_of(anybody)
    other = token_of(browser(app, begin(box.people, add_person(box.people, *Role))))
    for wrong in ({}, {"token": ""}, {"token": "guessed"}, {"token": token[:-1]}, {"token": other}):
        assert ask(anybody, app, endpoint, method, data={"some": "thing", **wrong}) == 403, wrong


@pytest.mark.parametrize(("endpoint", "method"), by_page())
def test_what_our_own_page_sends_arrives(
    box: Box, anybody: FlaskClient, app: Flask, endpoint: str, method: str
) -> None:
    ours = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
    path = path_of(app, endpoint, add_recording(box.store))
    assert anybody.open(path, method=method, json={}, headers={**ours, **FROM_PAGE}).status_code == REACHED
    token = token_of(anybody)
    assert anybody.open(path, method=method, data={"token": token}, headers=ours).status_code == REACHED


@pytest.mark.parametrize(("endpoint", "method"), by_page())
def test_a_token_ends_with_the_session_of_whoever_asked_for_it(
    box: Box, app: Flask, endpoint: str, method: str
) -> None:
    person = add_person(box.people, *Role)
    client = browser(app)
    before = token_of(client)
    client.set_cookie("sotto", begin(box.people, person).token, domain="localhost")
    assert ask(client, app, endpoint, method, data={"token": before}) == 403
    token = token_of(client)
    assert ask(client, app, endpoint, method, data={"token": token}) == REACHED
    client.set_cookie("sotto", begin(box.people, person).token, domain="localhost")
    assert ask(client, app, endpoint, method, data={"token": token}) == 403


@pytest.mark.parametrize(("endpoint", "method"), UNSAFE)
def test_the_header_of_a_page_does_not_help_a_program_without_a_token(
    box: Box, app: Flask, endpoint: str, method: str
) -> None:
    rule = PERMISSIONS[endpoint]
    wanted = REACHED if rule.open_to_all(demo=True) else 401
    assert ask(app.test_client(), app, endpoint, method, json={}, headers=FROM_PAGE) == wanted
    signs_in = rule.strangers is Strangers.ALWAYS and By.PROGRAM in rule.by
    for_programs_alone = rule.by == {By.PROGRAM}  # no browser carries anything there that it could be made to send
    without = REACHED if signs_in else 401 if for_programs_alone else 403
    assert ask(app.test_client(), app, endpoint, method, json={}) == without


def test_a_program_with_a_bearer_token_needs_no_page(box: Box, app: Flask) -> None:
    person = add_person(box.people, *Role)
    own, headers = add_recording(box.store, therapist=person.mark), bearer(begin(box.people, person, Kind.PROGRAM))
    for endpoint, method in UNSAFE:
        wanted = REACHED if By.PROGRAM in PERMISSIONS[endpoint].by else 403
        path, client = path_of(app, endpoint, own), app.test_client()
        assert client.open(path, method=method, json={}, headers=headers).status_code == wanted
        assert client.open(path, method=method, data=b"sealed", headers=headers).status_code == wanted


def test_a_browser_gets_nothing_for_a_cookie_by_sending_a_header_of_a_program(
    box: Box, anybody: FlaskClient, app: Flask
) -> None:
    for headers in ({"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eDp4"}, {"Authorization": "x"}):
        for endpoint, method in UNSAFE:
            assert ask(anybody, app, endpoint, method, json={}, headers={**headers, **FROM_PAGE}) != REACHED or (
                PERMISSIONS[endpoint].open_to_all(demo=True)
            )


def test_the_token_of_a_real_form_works_and_its_cookie_is_kept_from_scripts(box: Box, client: FlaskClient) -> None:
    answer = client.get("/")
    cookies = {name: cookie for cookie in answer.headers.getlist("Set-Cookie") for name in [cookie.partition("=")[0]]}
    assert "HttpOnly" in cookies[FORM_COOKIE]
    assert "SameSite=Strict" in cookies[FORM_COOKIE]
    first = form_token_of(answer.text)
    form_token_of(client.get("/").text)
    assert client.post("/requests/people", data={"token": first, "people": "0"}).status_code == 400  # it came through


def cookies_of(headers: Any) -> Iterator[str]:
    yield from headers.getlist("Set-Cookie")


def test_behind_nginx_the_cookie_is_for_this_host_and_tls_alone(box: Box) -> None:
    from device.web.front import Front

    app = box.app(front=Front(names=("room-3.practice.example",)))
    person = add_person(box.people, *Role)
    client = app.test_client()
    client.set_cookie("__Host-sotto", begin(box.people, person).token, domain="room-3.practice.example")
    answer = client.get("/", base_url="https://room-3.practice.example/")
    assert answer.status_code == 200
    (cookie,) = cookies_of(answer.headers)
    assert cookie.startswith("__Host-sotto-form=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "'--"])
def test_what_is_no_number_of_people_is_refused_and_not_repeated(client: FlaskClient, text: str) -> None:
    token = form_token_of(client.get("/room").text)
    answer = client.post("/requests/people", data={"token": token, "people": text, "back": text})
    assert answer.status_code == 400
    assert text not in answer.text
