"""Who is answered: our own names, our own pages; and what every answer carries."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from device.web.front import Front
from tests.web.conftest import FROM_PAGE, Box
from tests.web.published import add_recording
from tests.web.visitors import of_therapist


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:80"])
def test_our_own_names_are_answered(stranger: FlaskClient, host: str) -> None:
    assert stranger.get("/room", headers={"Host": host}).status_code == 200


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
        "x" * 300,
        "a b",
        "<script>",
    ],
)
@pytest.mark.parametrize("path", ["/", "/status.json", "/static/style.css", "/nothing"])
def test_any_other_name_is_refused_and_told_the_right_one(client: FlaskClient, host: str, path: str) -> None:
    answer = client.get(path, headers={"Host": host})
    assert answer.status_code == 421
    assert "127.0.0.1:80" in answer.text


BEHIND = Front(names=("room-3.practice.example", "192.0.2.7"))
ELSEWHERE = Front(names=("room-3.practice.example",), port=8443)


@pytest.mark.parametrize(
    ("front", "host", "answered"),
    [
        (BEHIND, "room-3.practice.example", True),
        (BEHIND, "Room-3.Practice.Example:443", True),
        (BEHIND, "192.0.2.7", True),
        (BEHIND, "192.0.2.7:80", False),
        (BEHIND, "practice.example", False),
        (BEHIND, "evil.example", False),
        (BEHIND, "localhost", False),
        (BEHIND, "127.0.0.1", False),
        (BEHIND, "", False),
        (ELSEWHERE, "room-3.practice.example:8443", True),
        (ELSEWHERE, "room-3.practice.example", False),
    ],
)
def test_behind_nginx_it_answers_to_the_names_of_the_box_alone(front: Front, host: str, *, answered: bool) -> None:
    assert front.answers(host, server_port="/run/sotto-web/page.sock") is answered


def test_behind_nginx_a_wrong_name_is_told_the_right_one(box: Box) -> None:
    answer = box.app(front=BEHIND).test_client().get("/", base_url="https://evil.example/")
    assert answer.status_code == 421
    assert "https://room-3.practice.example/" in answer.text
    answer = box.app(front=ELSEWHERE).test_client().get("/", base_url="https://evil.example/")
    assert "https://room-3.practice.example:8443/" in answer.text


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

    def mistake() -> str:
        raise ZeroDivisionError("a private detail")

    app.view_functions["lists.recordings"] = mistake
    answer = of_therapist(app, box.people).get("/")
    assert answer.status_code == 500
    assert "Recording is not affected." in answer.text
    assert "private" not in answer.text


def test_a_request_that_is_too_long_is_refused(capture: Box, client: FlaskClient) -> None:
    body = b'{"people": 2' + b" " * 50_000 + b"}"
    headers = {"Content-Type": "application/json", **FROM_PAGE}
    assert client.post("/requests/people", data=body, headers=headers).status_code == 413
    assert capture.heard.empty()
