"""What is named on the page lies sealed beside its recording, by whom it was named, and nowhere else."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from device.clock import SystemClock
from device.counts import read_counts
from device.naming_requests import Reason
from device.people.person import Role
from device.recording import SESSION_NAME
from device.recording.named import LabelDocument, NoteDocument
from device.status import publish
from device.waiting import read_waiting
from device.web.texts import TEXTS
from device.wishes import wishes_of
from tests.web.conftest import Box, audited
from tests.web.desks import Named, named
from tests.web.published import add_recording, status
from tests.web.visitors import THERAPIST, add_person, begin, browser, form_token_of

LABEL = {"client": "K-17", "session": "4", "study": "ALPHA", "arm": "b"}
LABELLED = " labelled</span>"
NASTY = "<script>alert(1)</script>"


@pytest.fixture
def desk(bare_box: Box) -> Iterator[Named]:
    with audited(bare_box) as auditor, named(bare_box, auditor) as desk:
        yield desk


def post(client: FlaskClient, path: str, /, **form: str) -> tuple[int, str]:
    """Send a form as the page would; the answer's code and where it leads, or what it says."""
    token = form_token_of(client.get("/").text)
    answer = client.post(path, data={"token": token, **form})
    return answer.status_code, answer.headers.get("Location") or answer.text


def in_capture(desk: Named) -> str | None:
    """Who works in the room, as capture knows it."""
    return desk.desk.duty.therapist(SystemClock().now_us())


@pytest.fixture
def therapist_client(desk: Named) -> FlaskClient:
    person = add_person(desk.box.people, Role.THERAPIST, mark=THERAPIST)
    return browser(desk.box.app(), begin(desk.box.people, person))


@pytest.fixture
def admin_client(desk: Named) -> FlaskClient:
    return browser(desk.box.app(), begin(desk.box.people, add_person(desk.box.people, Role.ADMIN)))


def test_a_label_is_sealed_with_all_its_parts_and_by_whom(desk: Named, therapist_client: FlaskClient) -> None:
    recording_id = add_recording(desk.box.store)
    code, where = post(therapist_client, f"/recordings/{recording_id}/label", **LABEL)
    assert (code, where) == (303, f"/recordings/{recording_id}/?said=label")
    sealed = desk.opened(recording_id, "label.age", LabelDocument)
    assert (sealed.client, sealed.session, sealed.study, sealed.arm) == ("K-17", 4, "ALPHA", "b")
    assert sealed.by == THERAPIST
    shown = therapist_client.get(where).text
    assert "The label is sealed." in shown
    assert LABELLED in shown
    assert "K-17" not in shown


def test_the_next_label_takes_the_place_of_the_one_before(desk: Named, therapist_client: FlaskClient) -> None:
    recording_id = add_recording(desk.box.store)
    for client in ("K-17", "K-18"):
        post(therapist_client, f"/recordings/{recording_id}/label", client=client)
    sealed = desk.opened(recording_id, "label.age", LabelDocument)
    assert (sealed.client, sealed.session, sealed.study) == ("K-18", None, None)


@pytest.mark.parametrize(
    "form", [{}, {"client": " "}, {**LABEL, "session": "four"}, {**LABEL, "session": "0"}, {"client": "x" * 61}]
)
def test_what_is_no_label_is_told_and_not_kept(
    desk: Named, therapist_client: FlaskClient, form: dict[str, str]
) -> None:
    recording_id = add_recording(desk.box.store)
    code, told = post(therapist_client, f"/recordings/{recording_id}/label", **form)
    assert code == 400
    assert "That is no label." in told
    assert LABELLED not in therapist_client.get(f"/recordings/{recording_id}/").text


def test_a_note_is_sealed_as_it_was_written(desk: Named, therapist_client: FlaskClient) -> None:
    recording_id = add_recording(desk.box.store)
    code, where = post(therapist_client, f"/recordings/{recording_id}/note", text=f"first line\r\n{NASTY} äöü\r\n")
    assert code == 303
    assert desk.opened(recording_id, "note-001.age", NoteDocument).text == f"first line\n{NASTY} äöü"
    shown = therapist_client.get(where).text
    assert "1 note" in shown
    assert "first line" not in shown


def test_what_is_named_for_the_session_waits_sealed_for_the_next_recording(
    desk: Named, therapist_client: FlaskClient
) -> None:
    post(therapist_client, "/duty/in")
    assert post(therapist_client, "/session/label", **LABEL) == (303, "/?said=label")
    waiting = read_waiting(desk.box.store.path)
    assert [(one.kind, one.by) for one in waiting] == [("label", THERAPIST)]
    assert "K-17" not in therapist_client.get("/?said=label").text


def test_a_wish_is_written_down_shown_and_taken_back(desk: Named, therapist_client: FlaskClient) -> None:
    recording_id = add_recording(desk.box.store)
    folder = desk.box.store.folder(recording_id)
    for wish in ("copy", "deletion"):
        assert post(therapist_client, f"/recordings/{recording_id}/wish", wish=wish)[0] == 303
        assert [(one.wish, one.by) for one in wishes_of(folder)] == [(wish, THERAPIST)]
        assert "is asked for." in therapist_client.get(f"/recordings/{recording_id}/").text
        assert post(therapist_client, f"/recordings/{recording_id}/wish", wish=wish, taken_back="1")[0] == 303
        assert wishes_of(folder) == ()
    assert (folder / SESSION_NAME).exists()
    assert post(therapist_client, f"/recordings/{recording_id}/wish", wish="start")[0] == 400


def test_an_admin_says_whose_a_recording_is_and_that_is_noted(desk: Named, admin_client: FlaskClient) -> None:
    recording_id = add_recording(desk.box.store, therapist=None)
    whose = add_person(desk.box.people, Role.THERAPIST, mark=THERAPIST)
    other = add_person(desk.box.people, Role.SUPERVISOR)
    theirs = browser(desk.box.app(), begin(desk.box.people, whose))
    assert recording_id not in theirs.get("/").text
    for mark in (other.mark, "0" * 12, "", NASTY):
        assert post(admin_client, f"/recordings/{recording_id}/assign", therapist=mark)[0] == 400
    assert post(admin_client, f"/recordings/{recording_id}/assign", therapist=THERAPIST)[0] == 303
    assert recording_id in theirs.get("/").text
    assert any(entry["what"] == "assigned" and entry["recording"] == recording_id for entry in desk.box.noted())


def test_a_client_who_declined_is_counted_for_the_therapist(desk: Named, therapist_client: FlaskClient) -> None:
    assert "declined" in therapist_client.get("/").text
    for _ in range(2):
        assert post(therapist_client, "/session/declined") == (303, "/?said=declined")
    counts = read_counts(desk.box.store.path)
    assert counts is not None
    assert [month.declined for month in counts.of(THERAPIST).values()] == [2]
    assert "0 of 2 accepted" in therapist_client.get("/").text


def test_why_something_was_not_named_is_told_in_the_page_s_words(desk: Named, therapist_client: FlaskClient) -> None:
    going = add_recording(desk.box.store, withdrawn=True)
    code, told = post(therapist_client, f"/recordings/{going}/label", **LABEL)
    assert code == 409
    assert "being erased" in told


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_its_two_sentences(reason: Reason) -> None:
    key = f"error.named.{reason.replace(' ', '_')}"
    assert TEXTS[key]
    assert TEXTS[f"{key}.do"]


def test_without_capture_nothing_is_named_and_nobody_is_checked_in(box: Box) -> None:
    person = add_person(box.people, Role.THERAPIST, mark=THERAPIST)
    client = browser(box.app(), begin(box.people, person))
    recording_id = add_recording(box.store)
    for path in (f"/recordings/{recording_id}/label", "/duty/in", "/session/declined"):
        code, told = post(client, path, **LABEL)
        assert code == 503
        assert "The capture service does not answer." in told
    assert box.people.on_duty(time.time()) is None


# -- who works in the room --------------------------------------------------------------------------------------------


def test_checking_in_and_out_reaches_capture_and_the_page(desk: Named, therapist_client: FlaskClient) -> None:
    assert "Nobody is checked in." in therapist_client.get("/").text
    assert post(therapist_client, "/duty/in")[0] == 303
    assert in_capture(desk) == THERAPIST
    publish(status(on_duty=THERAPIST), desk.box.run)
    shown = therapist_client.get("/").text
    assert "You are checked in." in shown
    assert "does not know it" not in shown
    assert post(therapist_client, "/duty/out")[0] == 303
    assert in_capture(desk) is None
    assert "Nobody is checked in." in therapist_client.get("/").text


def test_another_therapist_sees_who_is_there_and_may_check_in_instead(
    desk: Named, therapist_client: FlaskClient
) -> None:
    other = add_person(desk.box.people, Role.THERAPIST)
    client = browser(desk.box.app(), begin(desk.box.people, other))
    post(therapist_client, "/duty/in")
    shown = client.get("/").text
    assert f"Person {THERAPIST} is checked in" in shown
    assert "Check in instead" in shown
    assert post(client, "/session/label", **LABEL)[0] == 403
    assert post(client, "/duty/out")[0] == 303  # that is not theirs to end, and ends nothing
    assert in_capture(desk) == THERAPIST
    post(client, "/duty/in")
    assert in_capture(desk) == other.mark


def test_a_check_in_that_capture_has_forgotten_is_told(desk: Named, therapist_client: FlaskClient) -> None:
    publish(status(on_duty=None), desk.box.run)
    post(therapist_client, "/duty/in")
    assert "does not know it" not in therapist_client.get("/").text  # it is only just being told
    desk.box.people.check_in(THERAPIST, time.time() - 60)
    shown = therapist_client.get("/").text
    assert "The capture service does not know it." in shown
    assert 'formaction="/duty/in"' in shown
    publish(status(on_duty=THERAPIST), desk.box.run)
    assert "does not know it" not in therapist_client.get("/").text
