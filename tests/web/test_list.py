"""The list of recordings and the facts of one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from device.clock import Stamp
from device.recording import MANIFEST_NAME, SESSION_NAME
from device.recording.manifest import (
    ConsentEvent,
    ConsentText,
    GapFact,
    PictureFacts,
    RecordingState,
    SoundReport,
    SoundVerdict,
    StepFact,
)
from device.session_events import State
from device.status import publish
from device.store import StoreReader
from device.web.app import create_app
from device.words import Consent, Rung
from tests.web.conftest import Box, people_in
from tests.web.published import add_recording, recording, status
from tests.web.visitors import of_therapist


def page(client: FlaskClient, path: str = "/") -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", answer.text)


def entry(html: str, recording_id: str) -> str:
    """The list's entry of one recording."""
    return next(part for part in html.split("<li ") if part.startswith('class="recording"') and recording_id in part)


def test_an_empty_store_says_so_and_what_will_happen(client: FlaskClient) -> None:
    html = page(client)
    assert "There is no recording yet." in html
    assert "It appears here as soon as one begins in the room." in html


def test_a_complete_recording_shows_time_length_consent_size_and_sound(box: Box, client: FlaskClient) -> None:
    recording_id = add_recording(box.store, sealed=bytes(1_234_567), consent=Consent.SOUND_AND_PICTURE)
    shown = entry(page(client), recording_id)
    for words in ("50 min 12 s", "sound and picture", "1.23 MB", "complete", "Sound: good", "2026-03-03 13:05:00 UTC"):
        assert words in shown
    assert f'href="/recordings/{recording_id}/session.mp4.age"' in shown


def test_a_recordings_page_says_which_text_its_client_had_been_given(box: Box, client: FlaskClient) -> None:
    given = add_recording(box.store, consent_text=ConsentText(version="2", sha256="0f" * 32))
    older = add_recording(box.store)
    shown = page(client, f"/recordings/{given}/")
    assert "card 2" in shown
    assert f"SHA-256 of its text: {'0f' * 32}" in shown
    assert "this box was told of no card" in page(client, f"/recordings/{older}/")


def test_the_newest_stands_first_whatever_the_clock_said(box: Box, client: FlaskClient) -> None:
    first = add_recording(box.store, started="2030-01-01T00:00:00.000Z")
    second = add_recording(box.store, started="1970-01-01T00:00:00.000Z", clock_trusted=False)
    html = page(client)
    assert html.index(second) < html.index(first)
    assert "time not certain" in entry(html, second)
    assert "time not certain" not in entry(html, first)


@pytest.mark.parametrize("verdict", [verdict for verdict in SoundVerdict if verdict is not SoundVerdict.UNKNOWN])
def test_every_verdict_is_a_word_and_says_what_to_do(box: Box, client: FlaskClient, verdict: SoundVerdict) -> None:
    recording_id = add_recording(box.store, report=SoundReport(verdict=verdict))
    shown = entry(page(client), recording_id)
    assert f'class="chip sound-{verdict}"' in shown
    assert ('class="hint"' in shown) == (verdict is not SoundVerdict.GOOD)


def test_what_is_not_closed_yet_is_being_closed_while_the_box_puts_its_recordings_in_order(
    box: Box, client: FlaskClient
) -> None:
    recording_id = add_recording(box.store, state=RecordingState.OPEN)
    publish(status(State.FAULT, recovering=True), box.run)
    shown = entry(page(client), recording_id)
    assert "being closed" in shown
    assert "session.mp4.age" not in shown
    publish(status(), box.run)
    assert "not closed" in entry(page(client), recording_id)


def test_an_interrupted_recording_can_be_downloaded_and_says_what_it_is(box: Box, client: FlaskClient) -> None:
    recording_id = add_recording(box.store, state=RecordingState.INTERRUPTED, report=SoundReport())
    shown = entry(page(client), recording_id)
    assert "What is there is whole and can be opened." in shown
    assert "Sound: not judged" in shown
    assert "session.mp4.age" in shown


def test_a_withdrawn_recording_is_shown_but_cannot_be_downloaded(box: Box, client: FlaskClient) -> None:
    recording_id = add_recording(box.store, withdrawn=True)
    shown = entry(page(client), recording_id)
    assert "The client withdrew it." in shown
    assert "session.mp4.age" not in shown


def test_what_retention_erases_is_shown_as_that_and_cannot_be_downloaded(box: Box, client: FlaskClient) -> None:
    recording_id = add_recording(box.store)
    box.store.mark_for_retention(recording_id)
    shown = entry(page(client), recording_id)
    assert "being erased" in shown
    assert "withdrew" not in shown
    assert "session.mp4.age" not in shown
    assert client.get(f"/recordings/{recording_id}/session.mp4.age").status_code == 404
    assert client.get(f"/recordings/{recording_id}/manifest.json").status_code == 404


def test_a_research_hold_is_shown_in_the_list_and_with_the_facts(box: Box, client: FlaskClient) -> None:
    held, other = add_recording(box.store), add_recording(box.store)
    box.store.hold(held, at=Stamp("2026-03-02T10:00:00.000Z"))
    assert "held for research" in entry(page(client), held)
    assert "held for research" not in entry(page(client), other)
    assert "held for research" in client.get(f"/recordings/{held}/").text
    assert "held for research" not in client.get(f"/recordings/{other}/").text


def test_a_warning_of_the_store_is_shown_with_what_to_do(box: Box, client: FlaskClient) -> None:
    publish(status(warnings=(("2 recordings are old", "look at the sync"),)), box.run)
    html = page(client)
    assert "2 recordings are old." in html
    assert "Look at the sync." in html
    assert "Ready. Nothing is recorded." in html


def test_open_means_being_recorded_only_while_capture_says_so(box: Box, client: FlaskClient) -> None:
    recording_id = add_recording(box.store, state=RecordingState.OPEN, report=SoundReport())
    assert "not closed" in entry(page(client), recording_id)
    publish(status(recording=recording(id=recording_id)), box.run)
    assert "being recorded" in entry(page(client), recording_id)
    publish(status(sealing=1), box.run)
    assert "being sealed" in entry(page(client), recording_id)
    publish(status(recording=recording(id=recording_id), published_unix_s=0.0), box.run)
    assert "not closed" in entry(page(client), recording_id)


def test_what_cannot_be_read_is_counted_for_an_admin_and_not_hidden(
    box: Box, admin: FlaskClient, client: FlaskClient
) -> None:
    add_recording(box.store)
    broken = add_recording(box.store)
    (box.store.folder(broken) / MANIFEST_NAME).write_text("{}")
    html = page(admin)
    assert "1 in the store cannot be read." in html
    assert "1 recording in the store" in html
    assert "cannot be read" not in page(client)


def test_what_is_half_erased_is_no_damage(box: Box, admin: FlaskClient) -> None:
    recording_id = add_recording(box.store, withdrawn=True)
    (box.store.folder(recording_id) / SESSION_NAME).unlink()
    html = page(admin)
    assert "cannot be read" not in html
    assert recording_id not in html


def test_a_recording_that_just_begins_is_not_taken_for_an_unreadable_one(box: Box, admin: FlaskClient) -> None:
    box.store.new_folder()
    assert "cannot be read" in page(admin)
    publish(status(recording=recording()), box.run)
    assert "cannot be read" not in page(admin)


def test_the_last_one_is_the_newest_of_ones_own_that_stays(box: Box, client: FlaskClient) -> None:
    own, goes = add_recording(box.store), add_recording(box.store, withdrawn=True)
    add_recording(box.store, therapist="b" * 12)

    def last() -> str:
        return page(client).partition('id="last"')[2].partition("</section>")[0]

    assert f'href="/recordings/{own}/"' in last()
    box.store.unmark_withdrawn(goes)
    assert f'href="/recordings/{goes}/"' in last()
    for recording_id in (own, goes):
        box.store.mark_withdrawn(recording_id)
    assert "href" not in last()


def test_a_folder_with_the_manifest_of_another_recording_is_not_believed(box: Box, client: FlaskClient) -> None:
    first, second = add_recording(box.store), add_recording(box.store)
    for name in (MANIFEST_NAME, SESSION_NAME):
        (box.store.folder(first) / name).write_bytes((box.store.folder(second) / name).read_bytes())
    listed = page(client).partition('id="recordings"')[2]
    assert listed.count(f'/recordings/{second}/"') == 1
    assert client.get(f"/recordings/{first}/").status_code == 404


def test_the_facts_tell_what_happened_in_order(box: Box, client: FlaskClient) -> None:
    recording_id = add_recording(
        box.store,
        picture=PictureFacts(width=1280, height=720, camera="clock", pictures=7, given_up_at_us=60_000_000),
        consent_events=(ConsentEvent(at_us=-9_000_000, what="consented", consent=Consent.SOUND, people=3),),
        gaps=(GapFact(start_sample=48_000 * 20, samples=4_800, cause="overrun"),),
        bookmarks_us=(10_000_000,),
    )
    html = page(client, f"/recordings/{recording_id}/")
    told = [
        "0:09 before it began</span> consent: sound (the least choice of 3 people)",
        "at 0:10</span> bookmark",
        "at 0:20</span> gap: 4800 samples (100 ms) of sound are missing: overrun",
    ]
    places = [html.index(words) for words in told]
    assert places == sorted(places)
    assert "H.264, 1280 × 720, 7 pictures, from clock; given up at 1:00; the sound went on" in html
    for words in ("FLAC, 24 bit, 48 kHz, 2 channels", "1f0c6b2a9d3e4f57", "ab" * 32, "RECORD was pressed"):
        assert words in html


HOT = (
    StepFact(at_us=60_000_000, rung=Rung.HALF_RATE, cause="the box is too hot"),
    StepFact(at_us=180_000_000, rung=Rung.WHOLE, cause="what was too much has eased"),
)
FULL = (
    StepFact(at_us=60_000_000, rung=Rung.LOW_BITRATE, cause="the store has too little room"),
    StepFact(at_us=90_000_000, rung=Rung.NO_PICTURE, cause="the store has too little room"),
)


@pytest.mark.parametrize(
    ("steps", "given_up_at_us", "row", "timeline"),
    [
        ((), None, None, []),
        (
            HOT,
            None,
            "reduced at times",
            [
                "at 1:00</span> picture at half the frame rate: the box is too hot",
                "at 3:00</span> the whole picture again: what was too much has eased",
            ],
        ),
        (
            FULL,
            90_000_000,
            "given up at 1:30",
            [
                "picture at half the frame rate and a third of the bitrate: the store has too little room",
                "at 1:30</span> no picture from here on: the store has too little room",
            ],
        ),
    ],
)
def test_a_picture_that_the_box_could_not_afford_is_told(
    box: Box,
    client: FlaskClient,
    steps: tuple[StepFact, ...],
    given_up_at_us: int | None,
    row: str | None,
    timeline: list[str],
) -> None:
    picture = PictureFacts(
        width=1280, height=720, camera="clock", pictures=7, given_up_at_us=given_up_at_us, steps=steps
    )
    recording_id = add_recording(box.store, picture=picture, consent=Consent.SOUND_AND_PICTURE)
    listed = entry(page(client), recording_id)
    assert ("<dt>Picture</dt>" in listed) == (row is not None)
    assert row is None or f"<dd>{row}</dd>" in listed
    html = page(client, f"/recordings/{recording_id}/")
    places = [html.index(words) for words in timeline]
    assert places == sorted(places)


@pytest.mark.parametrize("facts", [{"withdrawn": True}, {"state": RecordingState.OPEN, "ended": None, "sound": None}])
def test_the_facts_of_what_cannot_be_downloaded_offer_no_download(
    box: Box, client: FlaskClient, facts: dict[str, object]
) -> None:
    recording_id = add_recording(box.store, **facts)  # type: ignore[arg-type]  # one of several shapes of facts
    assert "session.mp4.age" not in page(client, f"/recordings/{recording_id}/")


def test_text_from_elsewhere_stays_text(box: Box, client: FlaskClient) -> None:
    nasty = "<script>alert(1)</script>"
    recording_id = add_recording(box.store, box=nasty, end=nasty, recipients=(nasty,), started=nasty)
    publish(status(faults=((nasty, nasty),)).model_copy(update={"state": nasty}), box.run)
    for path in ("/", "/room", f"/recordings/{recording_id}/"):
        html = page(client, path)
        assert "<script>alert" not in html
        assert "<b>3</b>" not in html
        assert "Room &lt;b&gt;3&lt;/b&gt; &amp; &#34;garden&#34;" in html


def test_a_store_that_is_gone_is_said_in_words(tmp_path: Path) -> None:
    with people_in(tmp_path) as people:
        app = create_app(store=StoreReader(tmp_path / "nowhere"), run=tmp_path, box="box", room=False, people=people)
        answer = of_therapist(app, people).get("/")
    assert answer.status_code == 503
    assert "The store failed: it cannot be listed" in answer.text
    assert "Check the store&#39;s disk" in answer.text


@given(st.integers(min_value=0, max_value=10**13))
def test_sizes_and_lengths_can_always_be_read(number: int) -> None:
    from device.web.wording import clock_text, length_text, size_text

    assert re.fullmatch(r"\d+ bytes|\d+(\.\d+)? [kMG]B", size_text(number))
    assert re.fullmatch(r"(\d+ h )?(\d+ min)?( ?\d+ s)?", length_text(number))
    assert re.fullmatch(r"(\d+:\d\d|\d+):\d\d", clock_text(number))
