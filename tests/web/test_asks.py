"""What the page may ask of capture, and the simulated finger."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from device.requests import parse_request
from device.room import parse_finger
from device.status import publish
from tests.web.conftest import FROM_PAGE, Box
from tests.web.published import status
from tests.web.visitors import form_token_of


@pytest.mark.parametrize(
    ("path", "body", "request_"),
    [
        ("/requests/stop", {}, {"ask": "stop"}),
        ("/requests/mark", {}, {"ask": "mark"}),
        ("/requests/people", {"people": 3}, {"ask": "people", "people": 3}),
        ("/requests/people", {"ask": "people", "people": 12}, {"ask": "people", "people": 12}),
    ],
)
def test_a_request_reaches_capture(
    capture: Box, client: FlaskClient, path: str, body: dict[str, object], request_: dict[str, object]
) -> None:
    answer = client.post(path, json=body, headers=FROM_PAGE)
    assert (answer.status_code, answer.get_json()) == (202, {"asked": request_["ask"]})
    socket, data = capture.next_heard()
    asked = parse_request(data)
    assert socket == "requests.sock"
    assert asked is not None
    assert asked.model_dump() == request_


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/requests/people", {"people": 0}),
        ("/requests/people", {"people": 13}),
        ("/requests/people", {"people": "two"}),
        ("/requests/people", {"ask": "stop", "people": 2}),
        ("/requests/people", [2]),
        ("/requests/people", {}),
        ("/requests/stop", {"consent": "sound"}),
        ("/requests/mark", []),
        ("/room/finger", {"button": "start", "down": True}),
        ("/room/finger", {"button": "consent"}),
        ("/room/finger", {"button": "record", "down": True, "for": 3}),
    ],
)
def test_nothing_else_can_be_asked(capture: Box, client: FlaskClient, path: str, body: object) -> None:
    answer = client.post(path, json=body, headers=FROM_PAGE)
    assert answer.status_code == 400
    assert set(answer.get_json()) == {"what", "hint"}
    assert capture.heard.empty()


@pytest.mark.parametrize("verb", ["start", "consent", "record", "name"])
def test_consent_and_start_do_not_exist(capture: Box, client: FlaskClient, verb: str) -> None:
    assert client.post(f"/requests/{verb}", json={}, headers=FROM_PAGE).status_code == 404


def test_a_form_leads_back_to_the_page_it_stands_on(capture: Box, client: FlaskClient) -> None:
    token = form_token_of(client.get("/").text)
    for back, place in (("room", "/room"), ("list", "/"), ("//evil.example", "/"), (None, "/")):
        form = {"token": token, "people": "4"} | ({"back": back} if back else {})
        answer = client.post("/requests/people", data=form)
        assert (answer.status_code, answer.headers["Location"]) == (303, place)
        assert capture.next_heard()[1] == b'{"ask":"people","people":4}'
    assert client.post("/requests/people", data={"token": token, "people": "0"}).status_code == 400


def test_without_capture_it_is_said_in_words(client: FlaskClient) -> None:
    answer = client.post("/requests/stop", json={}, headers=FROM_PAGE)
    assert answer.status_code == 503
    assert answer.get_json() == {
        "what": "The capture service does not answer.",
        "hint": "Start it, or look into its log.",
    }


@pytest.mark.parametrize("button", ["consent", "record"])
@pytest.mark.parametrize("down", [True, False])
def test_a_finger_reaches_the_simulated_panel(capture: Box, client: FlaskClient, button: str, *, down: bool) -> None:
    answer = client.post("/room/finger", json={"button": button, "down": down}, headers=FROM_PAGE)
    assert answer.status_code == 204
    socket, data = capture.next_heard()
    finger = parse_finger(data)
    assert socket == "room.sock"
    assert finger is not None
    assert (finger.button, finger.down) == (button, down)


def test_a_real_panel_has_no_room_view(capture: Box) -> None:
    publish(status(simulated=()), capture.run)
    client = capture.app(room=False).test_client()
    assert client.get("/room").status_code == 404
    finger = {"button": "consent", "down": True}
    assert client.post("/room/finger", json=finger, headers=FROM_PAGE).status_code == 404
    assert capture.heard.empty()
    assert "/room" not in client.get("/").text
