"""Who asks: cookies, bearer tokens and tablets; and when each of them is worth nothing any more."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from device.people.person import Person, Role
from device.people.visit import Kind, Stage
from device.web.app import create_app
from device.web.front import Front
from tests.web.conftest import BOX, FROM_PAGE, Box
from tests.web.published import add_recording
from tests.web.visitors import add_person, bearer, begin, browser, tablet

HOUR_S = 3600.0


def get(client: FlaskClient, path: str = "/", **request: object) -> int:
    return client.get(path, **request).status_code  # type: ignore[arg-type]  # the test client takes many


def test_a_stranger_is_told_to_sign_in_and_sees_nothing(box: Box, stranger: FlaskClient) -> None:
    recording_id = add_recording(box.store)
    for path in ("/", f"/recordings/{recording_id}/", f"/recordings/{recording_id}/session.mp4.age"):
        answer = stranger.get(path)
        assert answer.status_code in {303, 401}
        assert recording_id not in answer.text
    assert recording_id not in stranger.get("/room").text
    assert box.noted() == []


def test_a_program_is_told_how_to_sign_in(stranger: FlaskClient) -> None:
    answer = stranger.get("/recordings/000001-aaaaaaaaaa/session.mp4.age")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].lower().startswith("bearer")


def test_a_session_is_worth_nothing_after_it_ended(box: Box, therapist: Person) -> None:
    app = box.app()
    begun = begin(box.people, therapist)
    copied, own = browser(app, begun), browser(app, begun)
    assert get(own) == get(copied) == 200
    assert box.people.revoke(therapist.mark, begun.session)
    assert get(copied) in {303, 401}


@pytest.mark.parametrize(
    "change",
    [{"roles": frozenset({Role.SUPERVISOR})}, {"active": False}, {"supervisees": frozenset({"0123456789ab"})}],
    ids=["other roles", "gone", "others to supervise"],
)
def test_a_session_is_worth_nothing_after_the_person_may_do_other_things(box: Box, change: dict[str, object]) -> None:
    add_person(box.people, Role.THERAPIST, mark="0123456789ab")
    person = add_person(box.people, Role.SUPERVISOR, Role.THERAPIST)
    app = box.app()
    page, program = browser(app, begin(box.people, person)), bearer(begin(box.people, person, Kind.PROGRAM))
    assert get(page) == get(app.test_client(), "/status.json", headers=program) == 200
    box.people.put(replace(person, **change))  # type: ignore[arg-type]  # fields of a person
    assert get(page) in {303, 401}
    assert get(browser(box.app(room=False)), "/status.json", headers=program) == 401


def test_a_session_ends_when_it_is_not_used_and_in_the_end_anyway(box: Box, therapist: Person) -> None:
    now_s = [1_800_000_000.0]
    app = create_app(store=box.store, run=box.run, box=BOX, room=False, people=box.people, unix_s=lambda: now_s[0])
    used, idle = (browser(app, begin(box.people, therapist, now_s=now_s[0])) for _ in range(2))
    for _ in range(23):
        assert get(used, "/status.json") == 200
        now_s[0] += HOUR_S / 4
    assert get(idle, "/status.json") == 401
    for _ in range(30):
        get(used, "/status.json")
        now_s[0] += HOUR_S / 4
    assert get(used, "/status.json") == 401


def test_who_is_only_half_way_in_is_a_stranger(box: Box, therapist: Person) -> None:
    from device.people import sessions

    with box.people._database.transaction() as rows:
        for stage in set(Stage) - {Stage.IN}:
            begun = sessions.begin(rows, therapist.mark, Kind.PAGE, stage, what="", now_s=time.time())
    assert get(browser(box.app(), begun)) in {303, 401}


@pytest.mark.parametrize("kind", [Kind.PROGRAM, Kind.KIOSK])
def test_a_token_of_one_kind_is_worth_nothing_as_another(box: Box, therapist: Person, kind: Kind) -> None:
    app = box.app(room=False)
    begun, page = begin(box.people, therapist, kind), begin(box.people, therapist)
    assert get(browser(app, begun)) in {303, 401}
    assert get(tablet(app, page), "/status.json") == 401
    assert get(app.test_client(), "/status.json", headers=bearer(page)) == 401


def test_a_tablet_in_a_clients_hands_never_opens_the_page_of_who_is_signed_in_on_it(
    box: Box, therapist: Person
) -> None:
    app = box.app()
    recording_id = add_recording(box.store)
    kiosk = begin(box.people, therapist, Kind.KIOSK)
    client = tablet(app, kiosk)
    client.set_cookie("sotto", begin(box.people, therapist).token, domain="localhost")
    for path in ("/", "/room", f"/recordings/{recording_id}/", "/status.json", "/measures/"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/kiosk/"), path
    asked = client.post("/requests/stop", json={}, headers=FROM_PAGE)
    assert asked.status_code == 403
    box.people.revoke(therapist.mark, kiosk.session)
    assert all(get(client, path) in {303, 401} for path in ("/", f"/recordings/{recording_id}/"))
    client.set_cookie("sotto-kiosk", "", domain="localhost")
    assert get(client) in {303, 401}
    client.delete_cookie("sotto-kiosk", domain="localhost")
    assert get(client) == 200


def test_a_program_that_shows_a_token_is_that_program_whatever_cookies_it_has(box: Box, therapist: Person) -> None:
    client = browser(box.app(room=False), begin(box.people, therapist))
    assert get(client, "/status.json") == 200
    for header in ("Bearer nonsense", "Bearer", "Basic eDp4", "nonsense"):
        assert get(client, "/status.json", headers={"Authorization": header}) == 401


def test_behind_nginx_a_cookie_that_another_host_could_have_set_is_not_looked_at(box: Box, therapist: Person) -> None:
    name = "room-3.practice.example"
    client = box.app(front=Front(names=(name,))).test_client()
    token = begin(box.people, therapist).token
    client.set_cookie("sotto", token, domain=name)
    assert client.get("/", base_url=f"https://{name}/").status_code in {303, 401}
    client.set_cookie("__Host-sotto", token, domain=name)
    assert client.get("/", base_url=f"https://{name}/").status_code == 200


def test_what_is_looked_at_and_pulled_is_noted_with_the_mark_of_who_did(box: Box, client: FlaskClient) -> None:
    recording_id = add_recording(box.store)
    over = add_person(box.people, Role.SUPERVISOR, supervisees=frozenset({"7e7a9157a000"}))
    supervisor = browser(box.app(), begin(box.people, over))
    for one in (client, supervisor, client):
        one.get("/")
        one.get(f"/recordings/{recording_id}/session.mp4.age")
    told = [(entry["what"], entry["facts"]["person"]) for entry in box.noted()]
    assert told[:2] == [("view", "7e7a9157a000"), ("pull", "7e7a9157a000")]
    assert told[2:4] == [("view", over.mark), ("pull", over.mark)]
