"""A therapist hands a tablet over: what is asked, and for which session."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from device.clock import wire_time
from device.people.person import Person, Role
from device.people.visit import Kind
from device.session_events import State
from device.status import publish
from device.store import StoreReader
from device.web.app import create_app
from device.web.setup import Setup
from tests.measures.test_parsing import GOOD
from tests.web.conftest import Box
from tests.web.published import BOX, add_recording, recording, status
from tests.web.visitors import THERAPIST, add_person, begin, browser, form_token_of


def ago(minutes: float) -> str:
    return wire_time(datetime.fromtimestamp(time.time() - 60 * minutes, UTC))


def options(html: str) -> dict[str, bool]:
    """The sessions that can be chosen, and whether one is already."""
    (select,) = re.findall(r'<select id="session".*?</select>', html, re.DOTALL)
    return {value: "selected" in rest for value, rest in re.findall(r'<option value="([^"]*)" ?([^>]*)>', select)}


def hand_over(client: FlaskClient, **form: str | list[str]) -> TestResponse:
    token = form_token_of(client.get("/measures/").text)
    return client.post("/measures/", data={"token": token, "person": "1", "where": "here", **form})


@pytest.fixture
def on_duty(box: Box, therapist: Person) -> None:
    box.people.check_in(therapist.mark, time.time())


def test_every_measure_is_there_with_whose_it_is(client: FlaskClient, on_duty: None) -> None:
    html = client.get("/measures/").text
    assert "Patient Health Questionnaire (PHQ-9)" in html
    assert "10 questions, at the beginning" in re.sub(r"\s+", " ", html)
    assert "No permission required to reproduce, translate, display or distribute." in html
    assert html.index("outcome-4") < html.index("alliance-4"), "what is asked first stands first"


def test_a_therapist_is_reminded_to_ask_about_an_answer_that_nobody_sees(client: FlaskClient, on_duty: None) -> None:
    html = client.get("/measures/").text
    assert html.count("You will not see the answer here: ask for it when you get the tablet back.") == 1


def test_the_clinics_own_words_stand_where_a_tablet_is_handed_over(
    bare_box: Box, therapist: Person, on_duty: None
) -> None:
    bare_box.setup = Setup(client_help="For clients.", therapist_help="Tell <the doctor on call>.")
    html = browser(bare_box.app(), begin(bare_box.people, therapist)).get("/measures/").text
    assert "Tell &lt;the doctor on call&gt;." in html
    assert "For clients." not in html


def test_a_clinics_own_is_offered_and_what_does_not_hold_is_told(
    box: Box, therapist: Person, on_duty: None, tmp_path: Path
) -> None:
    folder = tmp_path / "measures"
    folder.mkdir()
    (folder / "sleep.toml").write_text(GOOD)
    (folder / "bad.toml").write_text("id = '<b>'")
    app = create_app(
        store=StoreReader(box.store.path),
        run=box.run,
        box=BOX,
        room=False,
        people=box.people,
        setup=Setup(measures=folder),
    )
    html = browser(app, begin(box.people, therapist)).get("/measures/").text
    assert '<strong lang="de-AT">Schlaf</strong>' in html
    assert "bad.toml does not hold" in html
    assert "<b>" not in html.replace("&lt;b&gt;", "")


def test_a_clinics_words_are_text_and_nothing_else(box: Box, therapist: Person, on_duty: None, tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>&\\\"'"
    words = GOOD.replace("Schlaf", hostile).replace("Einschlafen", hostile).replace("schlecht", hostile)
    (tmp_path / "sleep.toml").write_text(words.replace("Ours.", hostile).replace("Wie war die", hostile))
    app = create_app(
        store=StoreReader(box.store.path),
        run=box.run,
        box=BOX,
        room=False,
        people=box.people,
        setup=Setup(measures=tmp_path),
    )
    client = browser(app, begin(box.people, therapist))
    pages = [client.get("/measures/").text]
    hand_over(client, measure="sleep", session="next")
    pages.append(client.get("/kiosk/").text)
    client.post("/kiosk/begin", data={"token": form_token_of(pages[-1])})
    pages.append(client.get("/kiosk/").text)
    assert "Question 1 of 1" in pages[-1]
    for page in pages:
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_without_a_session_nothing_can_be_handed_over(client: FlaskClient) -> None:
    html = client.get("/measures/").text
    assert "There is no session that answers could belong to." in html
    assert "<select" not in html


def test_the_next_session_is_chosen_where_no_other_can_be_meant(box: Box, client: FlaskClient, on_duty: None) -> None:
    assert options(client.get("/measures/").text) == {"next": True}
    old = add_recording(box.store, started=ago(300), ended=ago(250), therapist=THERAPIST)
    add_recording(box.store, started=ago(3000), ended=ago(2950), therapist=THERAPIST)
    assert options(client.get("/measures/").text) == {"next": True, old: False}


def test_just_after_a_session_nothing_is_guessed(box: Box, client: FlaskClient, on_duty: None) -> None:
    ended = add_recording(box.store, started=ago(60), ended=ago(10), therapist=THERAPIST)
    assert options(client.get("/measures/").text) == {"": False, "next": False, ended: False}


def test_while_a_session_is_recorded_it_is_the_one(box: Box, client: FlaskClient, on_duty: None) -> None:
    running = add_recording(box.store, started=ago(12), ended=None, state="open", therapist=THERAPIST)
    publish(status(State.RECORDING, recording=recording(id=running)), box.run)
    assert options(client.get("/measures/").text) == {running: True}
    publish(status(State.RECORDING, recording=recording(id=None)), box.run)  # its first chunk is on the way
    assert options(client.get("/measures/").text) == {"next": True, running: False}


def test_only_own_recordings_that_stay_can_be_chosen(box: Box, client: FlaskClient) -> None:
    other = add_person(box.people, Role.THERAPIST)
    box.people.check_in(other.mark, time.time())
    add_recording(box.store, started=ago(60), ended=ago(10), therapist=other.mark)
    add_recording(box.store, started=ago(60), ended=ago(10), therapist=None)
    add_recording(box.store, started=ago(60), ended=ago(10), therapist=THERAPIST, withdrawn=True)
    mine = add_recording(box.store, started=ago(60), ended=ago(10), therapist=THERAPIST)
    assert options(client.get("/measures/").text) == {"": False, mine: False}


@pytest.mark.parametrize("session", ["next", "", "000001-aaaaaaaaaa", "../../etc", "{theirs}"])
def test_no_other_session_can_be_named(box: Box, client: FlaskClient, session: str) -> None:
    theirs = add_recording(box.store, started=ago(60), ended=ago(10), therapist="0123456789ab")
    mine = add_recording(box.store, started=ago(60), ended=ago(10), therapist=THERAPIST)
    answer = hand_over(client, measure="gad-7", session=session.replace("{theirs}", theirs))
    assert answer.status_code == 400
    assert "That session cannot be chosen" in answer.text
    assert hand_over(client, measure="gad-7", session=mine).status_code == 303


@pytest.mark.parametrize("form", [{}, {"measure": "nonsense"}])
def test_nothing_chosen_is_said_and_asked_again(client: FlaskClient, on_duty: None, form: dict[str, str]) -> None:
    answer = hand_over(client, session="next", **form)
    assert answer.status_code == 400
    assert "Nothing was chosen." in answer.text


@pytest.mark.parametrize("person", ["0", "13", "-1"])
def test_nobody_is_the_thirteenth_in_the_room(client: FlaskClient, on_duty: None, person: str) -> None:
    assert hand_over(client, session="next", measure="gad-7", person=person).status_code == 400


def test_this_device_is_signed_out_and_a_tablet_from_then_on(
    box: Box, client: FlaskClient, therapist: Person, on_duty: None
) -> None:
    answer = hand_over(client, session="next", measure=["gad-7", "outcome-4"])
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/kiosk/"
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert client.get_cookie("sotto") is None
    cookie = client.get_cookie("sotto-kiosk")
    assert cookie is not None
    assert (cookie.http_only, cookie.same_site) == (True, "Strict")
    (visit,) = box.people.sessions(therapist.mark, time.time())
    assert (visit.kind, visit.what) == (Kind.KIOSK, "gad-7, outcome-4")


def test_a_code_makes_a_tablet_of_another_device_once(
    box: Box, client: FlaskClient, therapist: Person, on_duty: None
) -> None:
    app = client.application
    token = form_token_of(client.get("/measures/").text)
    form = {"token": token, "measure": "gad-7", "session": "next", "person": "2", "where": "code"}
    html = client.post("/measures/", data=form).text
    (code,) = re.findall(r"<code>([a-z0-9-]+)</code>", html)
    assert client.get("/measures/").status_code == 200, "this one stays signed in"
    for attempt, begins in ((code.upper().replace("-", " "), True), (code, False)):
        other = browser(app)
        answer = other.post("/kiosk/code", data={"token": form_token_of(other.get("/kiosk/").text), "code": attempt})
        assert (answer.status_code, "wrong" in answer.headers["Location"]) == (303, not begins)
        assert ("Before you begin" in other.get("/kiosk/").text) is begins
    assert "That code is not" in other.get(answer.headers["Location"]).text
    assert [visit.kind for visit in box.people.sessions(therapist.mark, time.time())].count(Kind.KIOSK) == 1


def test_a_code_is_worth_nothing_after_five_minutes(box: Box, therapist: Person, on_duty: None) -> None:
    now_s = [time.time()]
    app = create_app(
        store=StoreReader(box.store.path), run=box.run, box=BOX, room=False, people=box.people, unix_s=lambda: now_s[0]
    )
    for later_s, begins in ((299.0, True), (301.0, False), (-10.0, False)):
        client, other = browser(app, begin(box.people, therapist)), browser(app)
        token = form_token_of(client.get("/measures/").text)
        form = {"token": token, "measure": "gad-7", "session": "next", "person": "1", "where": "code"}
        (code,) = re.findall(r"<code>([a-z0-9-]+)</code>", client.post("/measures/", data=form).text)
        now_s[0] += later_s
        answer = other.post("/kiosk/code", data={"token": form_token_of(other.get("/kiosk/").text), "code": code})
        assert ("wrong" not in answer.headers["Location"]) is begins
        now_s[0] = time.time()


def test_the_picture_gives_the_code_and_begins_nothing(box: Box, client: FlaskClient, on_duty: None) -> None:
    token = form_token_of(client.get("/measures/").text)
    form = {"token": token, "measure": "gad-7", "session": "next", "person": "1", "where": "code"}
    html = client.post("/measures/", data=form).text
    (code,) = re.findall(r"<code>([a-z0-9-]+)</code>", html)
    assert "<svg" in html
    other = browser(client.application)
    for _ in range(2):
        page = other.get(f"/kiosk/?code={code}").text
        assert f'name="code" value="{code}"' in page
    answer = other.post("/kiosk/code", data={"token": form_token_of(page), "code": code})
    assert "wrong" not in answer.headers["Location"]


def test_what_stands_in_an_address_is_text(box: Box) -> None:
    page = browser(box.app()).get('/kiosk/?code="><script>alert(1)</script>').text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page or "&#34;&gt;&lt;" in page
