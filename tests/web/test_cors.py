"""What browsers hand to pages of other origins: the interface for programs, by token, and nothing else."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from device.web.api import PREFIX
from device.web.permissions import PERMISSIONS
from tests.web.conftest import Box
from tests.web.programs import Program, mark_of, settle
from tests.web.published import add_recording
from tests.web.test_permissions import address, routes

ELSEWHERE = {"Origin": "null", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
SEALED = bytes(range(256)) * 700


@pytest.fixture
def clinic(box: Box) -> Box:
    settle(box.people)
    return box


@pytest.fixture
def reader(clinic: Box) -> FlaskClient:
    """A browser that shows a page from disk."""
    return clinic.app().test_client()


@pytest.fixture
def recording_id(clinic: Box) -> str:
    return add_recording(clinic.store, sealed=SEALED, therapist=mark_of("one"))


class FromDisk(Program):
    """A program that is a page from disk."""

    def challenge(self) -> dict[str, str]:
        answer = self.client.post(f"{PREFIX}/challenges", json={"login": self.login}, headers=ELSEWHERE)
        assert answer.status_code == 201, answer.text
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        return dict(answer.get_json())

    def sign_in(self) -> FromDisk:
        granted = self.client.post(f"{PREFIX}/tokens", json=self.answer_to(self.challenge()), headers=ELSEWHERE)
        assert granted.status_code == 201, granted.text
        self.token = granted.get_json()["token"]
        return self


def test_a_page_from_disk_signs_in_with_a_key_and_reads_a_slice(reader: FlaskClient, recording_id: str) -> None:
    one = FromDisk(reader, "one").sign_in()
    headers = ELSEWHERE | {"Range": "bytes=10-19"}
    answer = one.get(f"/recordings/{recording_id}/session.mp4.age", headers=headers)
    assert (answer.status_code, answer.data) == (206, SEALED[10:20])
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert {"Content-Range", "ETag"} <= set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_refusal_can_be_read_as_well(reader: FlaskClient, recording_id: str) -> None:
    one = FromDisk(reader, "one").sign_in()
    refused = one.get("/recordings/000099-aaaaaaaaaa", headers=ELSEWHERE)
    assert refused.status_code == 404
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
    strange = reader.get(f"{PREFIX}/recordings", headers=ELSEWHERE)
    assert strange.status_code == 401
    assert strange.headers["Access-Control-Allow-Origin"] == "*"


def test_a_browser_is_told_once_and_for_long_what_a_page_may_send(reader: FlaskClient, clinic: Box) -> None:
    for path in ("/challenges", "/recordings/000001-aaaaaaaaaa/session.mp4.age", "/nowhere"):
        asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization,range"}
        answer = reader.options(PREFIX + path, headers=ELSEWHERE | asked)
        assert answer.status_code == 204
        assert answer.data == b""
        allowed = answer.headers["Access-Control-Allow-Headers"].lower().split(", ")
        assert {"authorization", "range", "if-range", "content-type"} <= set(allowed)
        assert int(answer.headers["Access-Control-Max-Age"]) >= 7200
        assert "Access-Control-Allow-Credentials" not in answer.headers
    assert clinic.noted() == []


def test_outside_of_the_interface_nothing_is_for_other_origins(clinic: Box, client: FlaskClient) -> None:
    app = clinic.app()
    stranger = app.test_client()
    tried = 0
    for route, method in routes(app):
        path = address(route, "000001-aaaaaaaaaa")
        if path.startswith(f"{PREFIX}/"):
            continue
        for browser in (client, stranger):
            for asked in (method, "OPTIONS"):
                answer = browser.open(path, method=asked, headers=ELSEWHERE)
                answer.close()
                assert not [name for name, _ in answer.headers if name.startswith("Access-Control")], path
                tried += 1
    assert tried > len(PERMISSIONS)


def test_what_is_answered_to_a_cookie_is_for_pages_of_ours_alone(client: FlaskClient, box: Box) -> None:
    listed = client.get(f"{PREFIX}/recordings", headers=ELSEWHERE)
    assert listed.status_code == 200
    assert "Access-Control-Allow-Origin" not in listed.headers


def test_a_page_from_disk_shows_its_token_where_its_browser_does_not_ask_first(
    reader: FlaskClient, clinic: Box, recording_id: str
) -> None:
    """The Fetch Standard lets ``Accept`` and a simple ``Range`` through without a question (CORS-safelisted)."""
    one = FromDisk(reader, "one").sign_in()
    path = f"{PREFIX}/recordings/{recording_id}/session.mp4.age"
    shown = ELSEWHERE | {"Accept": f"application/octet-stream; token={one.token}", "Range": "bytes=10-19"}
    answer = reader.get(path, headers=shown)
    assert (answer.status_code, answer.data) == (206, SEALED[10:20])
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "no-store"
    (pull,) = [entry for entry in clinic.noted() if entry["what"] == "pull"]
    assert pull["facts"]["person"] == mark_of("one")


@pytest.mark.parametrize("accept", ["*/*; token=", "*/*; token=" + "a" * 43, "*/*; token={}, */*", "token={}"])
def test_what_is_no_token_in_that_place_opens_nothing(reader: FlaskClient, recording_id: str, accept: str) -> None:
    one = FromDisk(reader, "one").sign_in()
    shown = ELSEWHERE | {"Accept": accept.format(one.token)}
    assert reader.get(f"{PREFIX}/recordings", headers=shown).status_code == 401


def test_a_token_in_that_place_changes_nothing_and_opens_no_page(reader: FlaskClient, recording_id: str) -> None:
    one = FromDisk(reader, "one").sign_in()
    shown = {"Accept": f"application/json; token={one.token}"}
    attached = f"{PREFIX}/recordings/{recording_id}/attachments"
    assert reader.post(attached, json={"kind": "note", "text": "x"}, headers=shown).status_code == 401
    assert reader.get(f"/recordings/{recording_id}/session.mp4.age", headers=shown).status_code == 401


def test_a_token_that_was_ended_is_worth_nothing_in_either_place(reader: FlaskClient) -> None:
    one = FromDisk(reader, "one").sign_in()
    (token,) = one.get("/tokens").get_json()["tokens"]
    assert one.ask("DELETE", f"/tokens/{token['id']}").status_code == 204
    assert one.get("/me").status_code == 401
    assert reader.get(f"{PREFIX}/me", headers={"Accept": f"*/*; token={one.token}"}).status_code == 401
