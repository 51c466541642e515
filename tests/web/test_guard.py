"""Who is answered: our own names, our own pages; and what every answer carries."""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskClient

from device.web.guard import FORM_COOKIE
from tests.web.conftest import FROM_PAGE, Box
from tests.web.published import add_recording

POSTS = ["/requests/stop", "/requests/mark", "/requests/people", "/room/finger"]
BODIES = {"/requests/people": {"people": 2}, "/room/finger": {"button": "consent", "down": True}}


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:80"])
def test_our_own_names_are_answered(client: FlaskClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:80",
        "localhost:8080",
        "127.0.0.1.evil.example",
        "localhost.",
        "127.0.0.2",
        "::1",
    ],
)
@pytest.mark.parametrize("path", ["/", "/status.json", "/static/style.css", "/nothing"])
def test_any_other_name_is_refused_and_told_the_right_one(client: FlaskClient, host: str, path: str) -> None:
    answer = client.get(path, headers={"Host": host})
    assert answer.status_code == 421
    assert "127.0.0.1:80" in answer.text


@pytest.mark.parametrize("path", POSTS)
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
    ],
)
def test_what_another_page_sends_changes_nothing(
    capture: Box, client: FlaskClient, path: str, headers: dict[str, str]
) -> None:
    usual = {"Content-Type": "application/json", **FROM_PAGE}
    answer = client.post(path, data=json.dumps(BODIES.get(path, {})), headers={**usual, **headers})
    assert answer.status_code in {403, 415}
    assert capture.heard.empty()


@pytest.mark.parametrize("path", POSTS)
def test_what_our_own_page_sends_arrives(capture: Box, client: FlaskClient, path: str) -> None:
    headers = {**FROM_PAGE, "Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
    assert client.post(path, json=BODIES.get(path, {}), headers=headers).status_code in {202, 204}
    capture.next_heard()


def test_a_form_needs_its_token_as_field_and_as_cookie(capture: Box, client: FlaskClient) -> None:
    assert client.post("/requests/stop", data={"back": "list"}).status_code == 403
    assert client.post("/requests/stop", data={"token": ""}).status_code == 403
    html = client.get("/").text
    cookie = client.get_cookie(FORM_COOKIE)
    assert cookie is not None
    assert f'name="token" value="{cookie.value}"' in html
    assert client.post("/requests/stop", data={"token": "guessed"}).status_code == 403
    assert capture.heard.empty()
    assert client.post("/requests/stop", data={"token": cookie.value}).status_code == 303
    assert capture.next_heard() == ("requests.sock", b'{"ask":"stop"}')


def test_the_token_is_kept_from_scripts_and_other_sites(client: FlaskClient) -> None:
    cookie = client.get("/").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Set-Cookie" not in client.get("/").headers  # it stays the same for forms that are open elsewhere


@pytest.mark.parametrize("path", ["/", "/room", "/status.json", "/nothing", "/static/style.css", "/recordings/x/"])
def test_every_answer_carries_the_headers(client: FlaskClient, path: str) -> None:
    with client.get(path) as answer:
        headers = answer.headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert ("no-store" in headers["Cache-Control"]) != path.startswith("/static")


def test_no_page_has_code_or_style_of_its_own(box: Box, client: FlaskClient) -> None:
    recording_id = add_recording(box.store)
    for path in ("/", "/room", f"/recordings/{recording_id}/", "/nothing"):
        html = client.get(path).text
        assert " style=" not in html
        assert "<style" not in html
        assert " on" + "click=" not in html
        assert html.count("<script") == html.count('<script type="module" src="/static/')
        assert "//" not in html.replace("http://127.0.0.1", "").replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [("GET", "/nothing", 404), ("GET", "/requests/stop", 405), ("DELETE", "/", 415), ("GET", "/recordings/x/", 404)],
)
def test_a_failure_is_plain_words(client: FlaskClient, method: str, path: str, code: int) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == code
    assert "<h1>" in answer.text
    assert f"HTTP {code}" in answer.text
    assert "Traceback" not in answer.text
    assert "werkzeug" not in answer.text.lower()


def test_a_mistake_of_our_own_is_said_without_a_trace_of_it(box: Box) -> None:
    app = box.app()

    @app.get("/mistake")
    def mistake() -> str:
        raise ZeroDivisionError("a private detail")

    answer = app.test_client().get("/mistake")
    assert answer.status_code == 500
    assert "Recording is not affected." in answer.text
    assert "private" not in answer.text


def test_a_request_that_is_too_long_is_refused(capture: Box, client: FlaskClient) -> None:
    body = b'{"people": 2' + b" " * 50_000 + b"}"
    headers = {"Content-Type": "application/json", **FROM_PAGE}
    assert client.post("/requests/people", data=body, headers=headers).status_code == 413
    assert capture.heard.empty()
