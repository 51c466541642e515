"""The tablet in the client's hands: one question after the other, and what of it is sealed."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device.audit_requests import AUDIT_SOCKET_NAME
from device.measures.document import Measured
from device.people.person import Person, Role
from device.people.visit import LIVES, Kind
from device.session_events import State
from device.status import LastStatus, publish
from device.store import StoreReader
from device.web.app import create_app
from device.web.permissions import PERMISSIONS
from device.web.setup import Setup
from device.web.visitor import By
from device.words import Fate
from tests.web.conftest import Box, audited
from tests.web.naming import Naming, naming
from tests.web.published import BOX, add_recording, status
from tests.web.test_handing import ago
from tests.web.visitors import THERAPIST, add_person, begin, browser, form_token_of


@dataclass
class Tablet:
    """A browser that was handed over."""

    client: FlaskClient

    @property
    def html(self) -> str:
        """What it shows now."""
        return self.client.get("/kiosk/").text

    @property
    def of(self) -> str:
        """What the form on it is about."""
        found = re.search(r'name="of" value="([^"]+)"', self.html)
        assert found, self.html
        return found[1]

    def send(self, where: str, **form: str) -> str:
        """Send a form of the page that it shows; what it shows then."""
        answer = self.client.post(f"/kiosk/{where}", data={"token": form_token_of(self.html), **form})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/kiosk/")
        return self.html

    def answer(self, value: int | None = None, **form: str) -> str:
        """Answer the question that it asks; ``None``: leave it out."""
        said = {"go": "skip"} if value is None else {"go": "next", "value": str(value), "moved": "1"}
        return self.send("answer", **({"of": self.of} | said | form))

    def hand_in(self) -> str:
        return self.send("hand-in", of=self.of)


@dataclass
class Room:
    """A therapist who is checked in, with capture's desk and a page whose time can be set."""

    box: Box
    app: Flask
    therapist: Person
    desk: Naming
    now_s: list[float]

    def hand_over(self, *measures: str, session: str = "next", person: str = "1") -> Tablet:
        client = browser(self.app, begin(self.box.people, self.therapist, now_s=self.now_s[0]))
        token = form_token_of(client.get("/measures/").text)
        form: dict[str, Any] = {"measure": list(measures), "session": session, "person": person, "where": "here"}
        answer = client.post("/measures/", data={"token": token, **form})
        assert answer.status_code == 303, answer.text
        return Tablet(client)

    def begun(self, *measures: str, **how: str) -> Tablet:
        tablet = self.hand_over(*measures, **how)
        tablet.send("begin")
        return tablet


@pytest.fixture
def room(bare_box: Box) -> Iterator[Room]:
    now_s = [time.time()]
    therapist = add_person(bare_box.people, Role.THERAPIST, mark=THERAPIST)
    bare_box.people.check_in(therapist.mark, now_s[0])
    app = create_app(
        store=StoreReader(bare_box.store.path),
        run=bare_box.run,
        box=BOX,
        room=False,
        people=bare_box.people,
        unix_s=lambda: now_s[0],
    )
    with audited(bare_box) as auditor, naming(bare_box, auditor) as desk:
        yield Room(bare_box, app, therapist, desk, now_s)


def values(document: Measured) -> dict[str, int | None]:
    return {one.item: one.value for one in document.answers}


def test_one_question_is_asked_at_a_time_and_the_answers_are_sealed(room: Room) -> None:
    tablet = room.hand_over("phq-9", person="2")
    assert "Before you begin" in tablet.html
    html = tablet.send("begin")
    for number, value in enumerate([3, 2, 1, 0, 0, 1, 2, 3, 0], start=1):
        assert f"Question {number} of {9 if number == 1 else 10}" in html
        assert html.count("<h1") == 1
        assert "how often have you been bothered" in html
        assert html.count('type="radio"') == 4
        html = tablet.answer(value)
    assert "Extremely difficult" in html
    assert "how often have you been bothered" not in html
    html = tablet.answer(2)
    assert "That was the last question" in html
    room.now_s[0] += 100
    publish(status(published_unix_s=room.now_s[0]), room.box.run)
    html = tablet.hand_in()
    assert "Thank you" in html
    (document,) = room.desk.waiting()
    assert [one.value for one in document.scores] == [12]
    assert document.scores[0].band == "moderate"
    assert list(values(document).values()) == [3, 2, 1, 0, 0, 1, 2, 3, 0, 2]
    assert (document.by, document.person, document.clock_trusted) == (THERAPIST, 2, True)
    assert document.started < document.finished


def test_it_goes_beside_the_recording_that_was_chosen(room: Room) -> None:
    chosen = add_recording(room.box.store, started=ago(60), ended=ago(10), therapist=THERAPIST)
    tablet = room.begun("alliance-4", session=chosen)
    for value in (90, 80, 70, 60):
        tablet.answer(value)
    tablet.hand_in()
    (document,) = room.desk.beside(chosen)
    assert document.scores[0].value == 75
    assert room.desk.waiting() == []
    (entry,) = [one for one in room.box.noted() if one["what"] == "named"]
    assert (entry["recording"], entry["facts"]["attachment"]) == (chosen, "measure")


def test_it_goes_beside_the_recording_that_runs_by_now(room: Room) -> None:
    tablet = room.begun("gad-7")
    running = add_recording(room.box.store, state="open", ended=None, therapist=THERAPIST)
    room.desk.runs(running, THERAPIST)
    for _ in range(7):
        tablet.answer(0)
    tablet.hand_in()
    assert [one.measure.id for one in room.desk.beside(running)] == ["gad-7"]


def test_it_goes_beside_no_recording_of_another_therapist(room: Room) -> None:
    tablet = room.begun("gad-7")
    running = add_recording(room.box.store, state="open", ended=None, therapist="0123456789ab")
    room.desk.runs(running, "0123456789ab")
    for _ in range(7):
        tablet.answer(0)
    assert "Thank you" in tablet.hand_in()
    assert room.desk.beside(running) == []
    assert len(room.desk.waiting()) == 1


def test_the_next_clients_answers_do_not_go_beside_the_last_clients_recording(room: Room) -> None:
    ended = add_recording(room.box.store, started=ago(60), ended=ago(1), therapist=THERAPIST)
    room.desk.runs(ended, THERAPIST)  # its window is open
    last = LastStatus(id=ended, fate=Fate.KEPT, sealed=True, window_left_s=100.0)
    publish(status(State.KEPT, last=last), room.box.run)
    for session, beside, waiting in (("next", 0, 1), (ended, 1, 1)):
        tablet = room.begun("gad-7", session=session)
        for _ in range(7):
            tablet.answer(0)
        assert "Thank you" in tablet.hand_in()
        assert (len(room.desk.beside(ended)), len(room.desk.waiting())) == (beside, waiting)


def test_several_follow_each_other_and_each_is_sealed_by_itself(room: Room) -> None:
    tablet = room.begun("gad-7", "outcome-4")
    for _ in range(7):
        tablet.answer(0)
    html = tablet.hand_in()
    assert "Question 1 of 4" in html
    assert len(room.desk.waiting()) == 1
    for _ in range(4):
        tablet.answer(20)
    assert "Thank you" in tablet.hand_in()
    assert {one.measure.id for one in room.desk.waiting()} == {"gad-7", "outcome-4"}


def test_any_question_can_be_left_out_and_changed_on_the_way_back(room: Room) -> None:
    tablet = room.begun("gad-7")
    tablet.answer(3)
    tablet.answer(None)
    html = tablet.answer(None)
    assert "Question 4" in html
    tablet.answer(go="back")
    html = tablet.answer(go="back")
    assert "You left this question out before." in html
    tablet.answer(2)
    tablet.answer(None)
    for _ in range(4):
        tablet.answer(1)
    html = tablet.answer(1)
    assert "Left out: 1." in html
    assert "Question 8" in tablet.send("answer", of="0/", go="back")
    tablet.answer(0)
    tablet.hand_in()
    (document,) = room.desk.waiting()
    assert list(values(document).values()) == [3, 2, None, 1, 1, 1, 1, 0]
    assert (document.scores[0].value, document.scores[0].missing) == (None, 1)


@pytest.mark.parametrize("value", ["", "4", "-1", "two", "1.0", "9" * 5000, "٣", "1 ", "<b>"])
def test_what_is_no_answer_is_asked_again(room: Room, value: str) -> None:
    tablet = room.begun("gad-7")
    html = tablet.send("answer", of=tablet.of, go="next", value=value)
    assert "Question 1" in html
    assert "Question 1" in tablet.html


FORMS = st.dictionaries(
    st.sampled_from(["of", "go", "value", "moved", "code", "measure", "session", "person", "where", "x"]),
    st.sampled_from(["", "0/1", "0/", "0", "next", "back", "skip", "stay", "1", "3", "50", "here", "code", "gad-7"])
    | st.text(max_size=40),
)
PLACES = ["kiosk/begin", "kiosk/answer", "kiosk/hand-in", "kiosk/stop", "kiosk/code", "measures/"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(sent=st.lists(st.tuples(st.sampled_from(PLACES), FORMS), min_size=1, max_size=6))
def test_whatever_is_sent_the_page_has_an_answer(room: Room, sent: list[tuple[str, dict[str, str]]]) -> None:
    tablet = room.begun("gad-7", "outcome-4")
    for place, form in sent:
        answer = tablet.client.post(f"/{place}", data={**form, "token": form_token_of(tablet.html)})
        assert answer.status_code in {303, 403}, (place, form)
        assert tablet.client.get("/kiosk/").status_code == 200


def test_a_complaint_is_shown_once(room: Room) -> None:
    tablet = room.begun("gad-7")
    token = form_token_of(tablet.html)
    tablet.client.post("/kiosk/answer", data={"token": token, "of": "0/1", "go": "next"})
    assert 'role="alert">Choose an answer first' in tablet.html
    assert "Choose an answer first" not in tablet.html


def test_a_mark_that_nobody_moved_is_no_answer_until_it_is_said_to_be(room: Room) -> None:
    tablet = room.begun("outcome-4")
    client, token = tablet.client, form_token_of(tablet.html)
    for moved in ({"moved": "0"}, {}):
        client.post("/kiosk/answer", data={"token": token, "of": "0/mood", "go": "next", "value": "50", **moved})
        html = tablet.html
        assert "Question 1" in html
        assert "Is that where it belongs?" in html
        assert "Yes, leave it there" in html
    assert "Question 2" in tablet.send("answer", of="0/mood", go="stay", value="50")
    assert "Question 3" in tablet.send("answer", of="0/tasks", go="next", value="51")
    assert "Question 4" in tablet.send("answer", of="0/people", go="next", value="50", moved="1")
    tablet.send("answer", of="0/life", go="back")
    html = tablet.html
    assert re.search(r'name="moved" value="1"', html), "it was set before"
    assert 'value="50"' in html


def test_a_second_press_answers_nothing(room: Room) -> None:
    tablet = room.begun("gad-7")
    first = tablet.of
    tablet.answer(3)
    assert "Question 2" in tablet.send("answer", of=first, go="next", value="3")
    assert "Question 2" in tablet.send("begin")
    for _ in range(7):
        tablet.answer(0)
    assert tablet.of == "0"
    before = form_token_of(tablet.html)
    tablet.hand_in()
    tablet.client.post("/kiosk/hand-in", data={"token": before, "of": "0"})
    assert len(room.desk.waiting()) == 1
    assert "Thank you" in tablet.html


def test_nothing_is_handed_in_before_the_end(room: Room) -> None:
    tablet = room.begun("gad-7")
    tablet.answer(3)
    assert "Question 2" in tablet.send("hand-in", of="0")
    assert room.desk.waiting() == []


def test_whoever_stops_is_asked_once_more_and_then_nothing_is_kept(room: Room) -> None:
    tablet = room.begun("gad-7", "outcome-4")
    for _ in range(7):
        tablet.answer(0)
    tablet.hand_in()
    tablet.answer(20)
    asked = tablet.client.get("/kiosk/stop").text
    assert "Stop here?" in asked
    assert "Question 2" in tablet.html
    assert "You have stopped" in tablet.send("stop")
    assert "You have stopped" in tablet.send("hand-in", of="1")
    assert "You have stopped" in tablet.send("answer", of="1/tasks", go="next", value="1", moved="1")
    assert [one.measure.id for one in room.desk.waiting()] == ["gad-7"]


def test_where_it_cannot_be_sealed_the_answers_are_still_there(room: Room) -> None:
    gone = add_recording(room.box.store, started=ago(60), ended=ago(10), therapist=THERAPIST)
    tablet = room.begun("gad-7", session=gone)
    for _ in range(7):
        tablet.answer(0)
    room.box.store.mark_withdrawn(gone)
    html = tablet.hand_in()
    assert 'role="alert"' in html
    assert "could not be sealed" in html
    room.box.store.unmark_withdrawn(gone)
    assert "Thank you" in tablet.hand_in()
    assert len(room.desk.beside(gone)) == 1


def test_without_capture_nothing_is_said_to_be_handed_in(box: Box) -> None:
    therapist = add_person(box.people, Role.THERAPIST, mark=THERAPIST)
    box.people.check_in(therapist.mark, time.time())
    room = Room(box, box.app(), therapist, None, [time.time()])  # type: ignore[arg-type]  # there is no desk
    tablet = room.begun("alliance-4")
    for _ in range(4):
        tablet.answer(10)
    html = tablet.hand_in()
    assert "could not be sealed" in html
    assert "The capture service does not answer." in html


def test_what_cannot_be_noted_is_not_handed_over(bare_box: Box) -> None:
    therapist = add_person(bare_box.people, Role.THERAPIST, mark=THERAPIST)
    bare_box.people.check_in(therapist.mark, time.time())
    client = browser(bare_box.app(), begin(bare_box.people, therapist))
    token = form_token_of(client.get("/measures/").text)
    form = {"token": token, "measure": "gad-7", "session": "next", "person": "1", "where": "here"}
    assert client.post("/measures/", data=form).status_code == 503
    assert client.get_cookie("sotto-kiosk") is None
    assert client.get("/measures/").status_code == 200


def test_handing_over_is_in_the_audit_log_without_what_is_asked(room: Room) -> None:
    room.hand_over("phq-9")
    out, in_ = [one for one in room.box.noted() if one["what"] in ("login", "logout")]
    assert (out["what"], out["facts"]) == ("logout", {"person": THERAPIST, "door": "page"})
    assert in_["facts"] == {"person": THERAPIST, "door": "kiosk", "way": "handed over", "granted": True}
    assert all(b"phq" not in path.read_bytes() for path in room.box.audit.rglob("*") if path.is_file())


def test_what_cannot_wait_is_said_before_the_tablet_is_given_back(room: Room) -> None:
    tablet = room.begun("phq-9", "alliance-4")
    for value in (0, 0, 0, 0, 0, 0, 0, 0, 1, 0):
        tablet.answer(value)
    assert "Please tell your therapist now" not in tablet.hand_in()
    for _ in range(4):
        tablet.answer(20)
    html = tablet.hand_in()
    assert "Please tell your therapist now" in html
    assert "Please tell your therapist now" in tablet.html, "it is still there when the page is loaded again"


def test_a_tablet_is_let_go_only_to_strangers(room: Room) -> None:
    tablet = room.begun("gad-7")
    answer = tablet.client.post("/kiosk/close", data={"token": form_token_of(tablet.html)})
    assert answer.status_code == 303
    assert tablet.client.get_cookie("sotto-kiosk") is None
    assert 'name="code"' in tablet.html
    assert tablet.client.get("/measures/").status_code in (302, 303, 401)
    assert room.box.people.sessions(THERAPIST, room.now_s[0]) == []


@pytest.mark.parametrize("item_9", [0, 3])
def test_the_clinics_own_words_stand_at_both_ends_whatever_was_answered(room: Room, item_9: int) -> None:
    told = "At night: <the clinic's own service>."
    shown = told.replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;")
    app = create_app(
        store=StoreReader(room.box.store.path),
        run=room.box.run,
        box=BOX,
        room=False,
        people=room.box.people,
        setup=Setup(client_help=told, therapist_help="For therapists."),
        unix_s=lambda: room.now_s[0],
    )
    tablet = Room(room.box, app, room.therapist, room.desk, room.now_s).hand_over("phq-9")
    assert shown in tablet.html
    html = tablet.send("begin")
    assert shown not in html
    for value in (0, 0, 0, 0, 0, 0, 0, 0, item_9, 0)[: 10 if item_9 else 9]:
        tablet.answer(value)
    html = tablet.hand_in()
    assert shown in html
    assert ("Please tell your therapist now" in html) is (item_9 > 0)
    assert "For therapists." not in html


def test_without_words_of_the_clinics_no_number_is_made_up(room: Room) -> None:
    tablet = room.hand_over("gad-7")
    pages = [tablet.html]
    tablet.send("begin")
    for _ in range(7):
        tablet.answer(0)
    pages.append(tablet.hand_in())
    assert not any(re.search(r"call|\d{3,}", re.sub(r"<[^>]*>", "", page.split("<main")[1])) for page in pages)


def test_handing_back_is_in_the_audit_log(room: Room) -> None:
    tablet = room.hand_over("gad-7")
    tablet.client.post("/kiosk/close", data={"token": form_token_of(tablet.html)})
    last = room.box.noted()[-1]
    assert (last["what"], last["facts"]) == ("logout", {"person": THERAPIST, "door": "kiosk"})


def test_a_tablet_is_let_go_also_where_that_cannot_be_noted(room: Room) -> None:
    tablet = room.hand_over("gad-7")
    token = form_token_of(tablet.html)
    (room.box.run / AUDIT_SOCKET_NAME).unlink()
    assert tablet.client.post("/kiosk/close", data={"token": token}).status_code == 303
    assert tablet.client.get_cookie("sotto-kiosk") is None
    assert room.box.people.sessions(THERAPIST, room.now_s[0]) == []


def test_there_is_no_way_from_a_tablet_to_the_page(room: Room) -> None:
    recording_id = add_recording(room.box.store, started=ago(60), ended=ago(10), therapist=THERAPIST)
    tablet = room.begun("gad-7")
    kiosk = {name for name, rule in PERMISSIONS.items() if By.KIOSK in rule.by}
    assert {name.partition(".")[0] for name in kiosk} == {"kiosk", "static"}
    for path in ("/", f"/recordings/{recording_id}/", f"/recordings/{recording_id}/session.mp4.age", "/measures/"):
        answer = tablet.client.get(path)
        assert answer.status_code == 403 or answer.headers.get("Location") == "/kiosk/", path
    links = {link for html in (tablet.html, tablet.client.get("/kiosk/stop").text) for link in hrefs(html)}
    assert {link for link in links if not link.startswith(("/static/", "/kiosk/"))} == set()


def hrefs(html: str) -> list[str]:
    return re.findall(r'(?:href|action)="([^"]+)"', html)


@pytest.mark.parametrize(
    "later_s", [LIVES[Kind.KIOSK].idle_s + 1, -LIVES[Kind.KIOSK].idle_s], ids=["left alone", "the clock was set back"]
)
def test_a_tablet_that_is_left_alone_forgets_all_of_it(room: Room, later_s: float) -> None:
    tablet = room.begun("gad-7")
    tablet.answer(3)
    room.now_s[0] += later_s
    assert 'name="code"' in tablet.html
    assert tablet.client.get_cookie("sotto-kiosk") is None


def test_a_page_that_was_started_anew_says_that_it_has_forgotten(room: Room) -> None:
    tablet = room.begun("gad-7")
    cookie = tablet.client.get_cookie("sotto-kiosk")
    assert cookie is not None
    anew = Tablet(room.box.app().test_client())
    anew.client.set_cookie("sotto-kiosk", cookie.value, domain="localhost")
    assert "What was not handed in before is forgotten." in anew.html
    assert "forgotten" in anew.send("answer", of="0/1", go="next", value="1")
    anew.client.post("/kiosk/close", data={"token": form_token_of(anew.html)})
    assert 'name="code"' in anew.html


def test_a_therapist_who_goes_takes_the_tablet_along(room: Room) -> None:
    tablet = room.begun("gad-7")
    room.box.people.revoke(THERAPIST, room.box.people.sessions(THERAPIST, room.now_s[0])[0].session)
    assert 'name="code"' in tablet.html


def test_two_tablets_do_not_know_of_each_other(room: Room) -> None:
    one, two = room.begun("gad-7", person="1"), room.begun("gad-7", person="2")
    for _ in range(7):
        one.answer(0)
        two.answer(3)
    two.answer(3)
    one.hand_in()
    two.hand_in()
    assert {document.person: document.scores[0].value for document in room.desk.waiting()} == {1: 0, 2: 21}


def test_nothing_of_an_answer_is_on_the_disk_in_plain(room: Room, tmp_path: Path) -> None:
    tablet = room.begun("phq-9")
    for value in (3, 3, 3, 3, 3, 3, 3, 3, 3, 3):
        tablet.answer(value)
    tablet.hand_in()
    room.desk.waiting()
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"Nearly every day" not in content, path
            assert b"moderately severe" not in content, path
            assert b"sotto-measure" not in content, path
