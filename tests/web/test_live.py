"""The state of the box: told as it is, or not at all."""

from __future__ import annotations

import time
from typing import Any

import pytest
from flask.testing import FlaskClient

from device.capture.take import LONG_SILENCE, SILENCE, STORE_FULL
from device.session_events import Cause, State
from device.status import STATUS_NAME, Status, publish
from device.store import StoreReader
from device.web.app import create_app
from device.web.says import says
from device.web.texts import TEXTS
from device.words import Consent, Fate
from tests.web.conftest import Box
from tests.web.published import BOX, last, level, recording, recording_status, status
from tests.web.visitors import of_therapist


def told(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/status.json")
    assert answer.status_code == 200
    document: dict[str, Any] = answer.get_json()
    return document


def test_the_status_is_passed_on_whole_with_words(box: Box, client: FlaskClient) -> None:
    now = recording_status()
    publish(now, box.run)
    document = told(client)
    assert document.pop("stale") is False
    words = document.pop("says")
    assert Status.model_validate(document) == now
    assert words["shown"] == "The room light is on. Recording sound and picture."
    assert words["well_text"] == "Recording well"
    assert words["devices"] == "microphone open, camera open"
    assert words["elapsed"] == "12:31"


def test_an_answer_that_has_not_changed_is_not_sent_again(box: Box, client: FlaskClient) -> None:
    publish(status(), box.run)
    first = client.get("/status.json")
    again = client.get("/status.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    publish(status(), box.run)
    assert client.get("/status.json", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


@pytest.mark.parametrize("content", [None, "", "{", '{"state": "recording"}'])
def test_without_a_status_nothing_is_claimed(box: Box, client: FlaskClient, content: str | None) -> None:
    if content is not None:
        (box.run / STATUS_NAME).write_text(content)
    document = told(client)
    assert document["stale"] is True
    assert document["says"]["headline"] == "The capture service does not answer."
    assert "The capture service does not answer." in client.get("/").text


@pytest.mark.parametrize(
    ("recorded", "age_s", "stale"),
    [
        (False, 0, False),
        (False, 4.9, False),
        (False, 5.1, True),
        (False, -5.1, True),
        (True, 1.4, False),
        (True, 1.6, True),
    ],
)
def test_an_old_status_is_never_shown_as_live(box: Box, *, recorded: bool, age_s: float, stale: bool) -> None:
    now = recording_status() if recorded else status()
    publish(now, box.run)
    app = create_app(
        store=StoreReader(box.store.path),
        run=box.run,
        box=BOX,
        room=True,
        people=box.people,
        unix_s=lambda: now.published_unix_s + age_s,
    )
    client = of_therapist(app, box.people, now_s=now.published_unix_s)
    assert told(client)["stale"] is stale
    for path in ("/", "/room"):
        html = client.get(path).text
        assert ("The capture service does not answer." in html) == stale
        assert ("Recording sound and picture." in html) == (recorded and not stale)
        assert ('data-light="on"' in html) == (recorded and not stale and path == "/room")


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, "Recording well"),
        ({"recording": recording(durable_us=748_000_000)}, "Not durable yet: the last 3.0 s"),
        ({"level": level(-75.0, above_floor=False)}, "No sound above the floor right now"),
        ({"level": None}, "The level is not known"),
        ({"recording": recording(troubles=("no picture",))}, "Not recording well"),
    ],
)
def test_recording_well_needs_durable_sound_above_the_floor(facts: dict[str, Any], words: str) -> None:
    said = says(recording_status().model_copy(update=facts), stale=False)
    assert (said.well_text, said.well) == (words, words == "Recording well")


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("choice", Consent)
def test_every_state_of_the_machine_has_words(state: State, choice: Consent) -> None:
    facts: dict[str, Any] = {"recording": recording(choice), "level": level()} if state.records else {}
    if f"{state}" in ("sealing", "sealed", "kept", "withdrawn"):
        facts["last"] = last(Fate.WITHDRAWN if state is State.WITHDRAWN else Fate.KEPT)
    said = says(status(state, choice, **facts), stale=False)
    assert not said.headline.startswith("The box says")
    assert said.details
    assert (said.light == "on") == state.captures
    assert said.kind == state
    assert all(word for word in said.lamps)


@pytest.mark.parametrize("choice", Consent)
def test_a_choice_under_way_is_read_off_the_lamps(choice: Consent) -> None:
    now = status(State.CHOOSING, choice, people=3, choices=(Consent.SOUND,))
    word = TEXTS[f"consent.{choice}"]
    assert says(now, stale=False).headline == f"Person 2 of 3 chooses: {word}."


def test_what_is_wrong_is_told_with_what_to_do() -> None:
    now = status(State.FAULT, faults=(("no recipient", "make a key"),), store_minutes_left=5, clock_trusted=False)
    said = says(now, stale=False)
    assert [(wrong.what, wrong.hint) for wrong in said.wrong] == [("No recipient.", "Make a key.")]
    assert any("about 5 more minutes" in detail for detail in said.details)
    assert any("clock" in detail for detail in said.details)
    troubled = says(recording_status(State.TROUBLED, troubles=("no sound", "something new")), stale=False)
    assert [wrong.what for wrong in troubled.wrong] == ["There is no sound.", "Something new."]
    assert all(wrong.hint for wrong in troubled.wrong)


def test_a_newer_box_is_shown_as_far_as_it_can_be() -> None:
    strange = status().model_copy(update={"state": "dreaming", "simulated": ("oven",)})
    lamp = strange.panel.lamps[0].model_copy(update={"colour": "green", "pattern": "waves"})
    panelled = strange.panel.model_copy(update={"lamps": (lamp, lamp)})
    said = says(strange.model_copy(update={"panel": panelled}), stale=False)
    assert said.headline == "The box says: dreaming."
    assert said.lamps == ("green, waves", "green, waves")
    assert said.simulated == "Simulated: the oven."


def test_what_is_simulated_is_said_on_every_page(box: Box, client: FlaskClient) -> None:
    publish(status(), box.run)
    for path in ("/", "/room"):
        assert "Simulated: the microphone (a sound file is played)" in client.get(path).text
    publish(status(simulated=()), box.run)
    assert "Simulated:" not in client.get("/").text


def test_why_a_recording_ended_has_words_for_every_cause() -> None:
    assert all(f"end.{cause}" in TEXTS for cause in (*Cause, SILENCE, STORE_FULL))
    assert f"trouble.{LONG_SILENCE}" in TEXTS


def test_why_only_sound_can_be_chosen_is_said_while_nothing_is_recorded() -> None:
    words = TEXTS["store.sound_only"]
    for state in (State.IDLE, State.ARMED, State.CHOOSING, State.KEPT):
        assert words in says(status(state, Consent.SOUND, room_for_picture=False), stale=False).details
        assert words not in says(status(state, Consent.SOUND), stale=False).details
    full = status(State.KEPT, faults=(("the store has no room for a whole session", "free room on the store"),))
    for now in (recording_status(), status(State.FAULT), full):  # where nothing can be chosen anyway
        assert words not in says(now.model_copy(update={"room_for_picture": False}), stale=False).details


def test_the_last_five_minutes_of_the_longest_recording_are_counted() -> None:
    assert "The recording ends by itself in 4:59: that is the longest one may be." in (
        says(recording_status(ends_in_s=299.0), stale=False).details
    )
    assert not any("longest" in detail for detail in says(recording_status(ends_in_s=301.0), stale=False).details)


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (STORE_FULL, "It ended by itself: there was no room left in the store."),
        (SILENCE, "It ended by itself: there had been no sound for a long time."),
        ("maximum length", "It ended by itself: it had reached the longest a recording may be."),
        ("the oven is hot", "It ended by itself: the oven is hot."),
        ("button", None),
        ("page", None),
        ("withdrawn", None),
        (None, None),
    ],
)
def test_a_recording_that_ended_by_itself_says_why_in_its_window(end: str | None, words: str | None) -> None:
    now = status(State.SEALED, last=last().model_copy(update={"end": end}))
    assert [detail for detail in says(now, stale=False).details if detail.startswith("It ended by")] == (
        [] if words is None else [words]
    )


def test_without_javascript_the_page_says_how_old_it_is(box: Box) -> None:
    app = create_app(
        store=StoreReader(box.store.path),
        run=box.run,
        box=BOX,
        room=False,
        people=box.people,
        unix_s=lambda: 1_772_543_105.0,
    )
    moment = time.strftime("%H:%M:%S", time.localtime(1_772_543_105.0))
    assert f"As it was at {moment}." in of_therapist(app, box.people, now_s=1_772_543_105.0).get("/").text
