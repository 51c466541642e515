"""Looking for recordings: what is asked for is found, what cannot be asked is left out, and nobody's list is longer."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from device.people.person import Role
from device.recording import ATTACHMENTS_NAME
from device.recording.beside import LABEL_FILE
from device.recording.manifest import RecordingState, SoundReport, SoundVerdict
from device.store import Listed
from device.web.attached import Attached, attached_of
from device.web.filters import NOBODY, SOUNDS, STATES, Wanted, fits, wanted_of
from device.web.paging import number_of, page_of
from tests.web.conftest import Box
from tests.web.published import add_recording, manifest
from tests.web.visitors import THERAPIST, add_person, begin, browser

OTHER = "0123456789ab"


def does_fit(
    wanted: Wanted, *, state: str = "complete", therapist: str | None = None, measures: int | None = 0, **facts: Any
) -> bool:
    made = manifest("000001-aaaaaaaaaa", **{"therapist": therapist, **facts})
    return fits(Listed(made, 0, None).glimpse, wanted, state=state, measures=measures)


def test_whoever_asks_for_nothing_gets_everything() -> None:
    assert not wanted_of({}).anything
    assert does_fit(Wanted(), state="withdrawn")
    assert does_fit(Wanted(), therapist=THERAPIST, measures=None)


@pytest.mark.parametrize(
    ("wanted", "state", "fitting"),
    [
        ("complete", "complete", True),
        ("complete", "interrupted", False),
        ("unfinished", "left", True),
        ("unfinished", "open", True),
        ("unfinished", "complete", False),
        ("going", "withdrawn", True),
        ("going", "going", True),
        ("going", "open", False),
    ],
)
def test_a_state_is_looked_for_as_people_mean_it(wanted: str, state: str, *, fitting: bool) -> None:
    assert does_fit(Wanted(state=wanted), state=state) == fitting


def test_days_are_those_of_the_computer_and_both_ends_count() -> None:
    day = date(2026, 3, 3)
    noon = "2026-03-03T12:00:00.000Z"
    assert does_fit(Wanted(since=day, until=day), started=noon)
    assert not does_fit(Wanted(since=date(2026, 3, 5)), started=noon)
    assert not does_fit(Wanted(until=date(2026, 3, 1)), started=noon)
    assert not does_fit(Wanted(since=day), started="when the clock was wrong")


def test_whose_it_is_which_room_and_how_it_sounds_are_looked_for() -> None:
    assert does_fit(Wanted(therapist=THERAPIST), therapist=THERAPIST)
    assert not does_fit(Wanted(therapist=THERAPIST), therapist=OTHER)
    assert does_fit(Wanted(therapist=NOBODY), therapist=None)
    assert not does_fit(Wanted(therapist=NOBODY), therapist=OTHER)
    assert does_fit(Wanted(room="Room 3"), box="Room 3")
    assert not does_fit(Wanted(room="Room 4"), box="Room 3")
    assert does_fit(Wanted(sound="not good"), report=SoundReport(verdict=SoundVerdict.SILENT))
    assert not does_fit(Wanted(sound="good"), report=SoundReport(verdict=SoundVerdict.SILENT))


@pytest.mark.parametrize(("measures", "fitting"), [(0, True), (1, False), (None, False)])
def test_open_items_are_those_that_are_known_to_have_no_measures(measures: int | None, *, fitting: bool) -> None:
    assert does_fit(Wanted(open_items=True), measures=measures) == fitting


@given(
    st.dictionaries(
        st.sampled_from(["therapist", "since", "until", "room", "state", "sound", "open", "page"]), st.text()
    )
)
def test_no_address_is_a_mistake_of_ours(address: dict[str, str]) -> None:
    wanted = wanted_of(address)
    assert wanted_of(wanted.address()) == wanted
    assert wanted.state in (None, *STATES)
    assert wanted.sound in (None, *SOUNDS)
    assert isinstance(does_fit(wanted), bool)


@given(st.integers(0, 400), st.integers(-5, 10**7), st.integers(1, 60))
def test_every_page_of_a_list_is_there_and_no_other(count: int, number: int, size: int) -> None:
    page = page_of(range(count), number, size=size)
    assert 1 <= page.number <= page.last
    assert page.total == count
    every = [one for which in range(1, page.last + 1) for one in page_of(range(count), which, size=size).items]
    assert every == list(range(count))


@given(st.text())
def test_the_number_of_a_page_is_one_whatever_the_address_says(text: str) -> None:
    assert number_of(text) >= 0
    assert number_of(None) == 1
    assert number_of("²") == number_of("-1") == number_of("x") == 1
    assert number_of("17") == 17


def test_what_lies_beside_a_recording_is_told_by_its_name_alone() -> None:
    names = (
        LABEL_FILE,
        "note-001.age",
        "note-002.age",
        "measure-001.age",
        "clip-001.age",
        "note.age",
        "x",
        "measure-1.age",
    )
    assert attached_of(names) == Attached(label=True, notes=2, measures=1, clips=1)
    assert attached_of(()) == Attached()


# -- on the page ------------------------------------------------------------------------------------------------------


def shown(client: FlaskClient, address: str = "/") -> set[str]:
    listed = client.get(address).text.partition('id="recordings"')[2]
    return set(re.findall(r"/recordings/([0-9]{6}-[a-z0-9]{10})/\"", listed))


@pytest.fixture
def supervisor(box: Box) -> FlaskClient:
    for mark in (THERAPIST, OTHER):
        add_person(box.people, Role.THERAPIST, mark=mark)
    person = add_person(box.people, Role.SUPERVISOR, supervisees=frozenset({THERAPIST, OTHER}))
    return browser(box.app(), begin(box.people, person))


def test_a_supervisor_looks_through_the_library_and_never_beyond_it(box: Box, supervisor: FlaskClient) -> None:
    first = add_recording(box.store)
    second = add_recording(box.store, therapist=OTHER, state=RecordingState.INTERRUPTED)
    others = add_recording(box.store, therapist="ff" * 6)
    nobodys = add_recording(box.store, therapist=None)
    (box.store.folder(first) / ATTACHMENTS_NAME).mkdir()
    (box.store.folder(first) / ATTACHMENTS_NAME / "measure-001.age").write_bytes(b"sealed")
    assert shown(supervisor) == {first, second}
    assert shown(supervisor, f"/?therapist={OTHER}") == {second}
    assert shown(supervisor, "/?state=complete") == {first}
    assert shown(supervisor, "/?open=1") == {second}
    assert shown(supervisor, f"/?therapist={'ff' * 6}") == set()
    assert shown(supervisor, f"/?therapist={NOBODY}") == set()
    html = supervisor.get("/").text
    assert "no measures attached" in html
    assert others not in html
    assert nobodys not in html
    assert "1 of 2 fits" in supervisor.get("/?open=1").text
    nothing = supervisor.get("/?since=2031-01-01").text
    assert "There is no such recording." in nothing
    assert 'value="2031-01-01"' in nothing


def test_a_long_library_comes_page_by_page_and_keeps_what_is_looked_for(box: Box, supervisor: FlaskClient) -> None:
    every = {add_recording(box.store, sealed=b"x") for _ in range(53)}
    first = shown(supervisor, "/?state=complete")
    assert len(first) == 50
    html = supervisor.get("/?state=complete").text
    assert 'href="/?state=complete&amp;page=2"' in html
    assert "Page 1 of 2" in html
    assert first | shown(supervisor, "/?state=complete&page=2") == every
    assert shown(supervisor, "/?page=999") == shown(supervisor, "/?page=2")


def test_an_admin_is_told_of_nothing_that_lies_beside_a_recording(box: Box) -> None:
    add_recording(box.store)
    admin = browser(box.app(), begin(box.people, add_person(box.people, Role.ADMIN)))
    html = admin.get("/").text
    assert "no measures attached" not in html
    assert "session.mp4.age" not in html
    assert shown(admin, "/?open=1") == set()
