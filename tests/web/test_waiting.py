"""What waits for a recording is seen by whoever gave it, and by nobody else; and goes where they say."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from device.naming_requests import Measure, ask_naming
from device.people.person import Person, Role
from tests.web.conftest import Box, audited
from tests.web.naming import Naming, naming
from tests.web.published import add_recording
from tests.web.visitors import add_person, begin, browser, form_token_of, the_therapist

TITLE = "Given, and beside no recording yet"


@pytest.fixture
def desk(bare_box: Box) -> Iterator[Naming]:
    with audited(bare_box) as auditor, naming(bare_box, auditor) as found:
        yield found


@pytest.fixture
def anna(desk: Naming) -> Person:
    return the_therapist(desk.box.people)


def client_of(desk: Naming, person: Person) -> FlaskClient:
    return browser(desk.box.app(), begin(desk.box.people, person))


def give(desk: Naming, person: Person) -> str:
    return ask_naming(Measure(by=person.mark, document="{}"), desk.box.run).name or ""


def send(client: FlaskClient, path: str, **form: str) -> int:
    return client.post(path, data={"token": form_token_of(client.get("/").text), **form}).status_code


def names(desk: Naming, recording_id: str) -> list[str]:
    place = desk.box.store.folder(recording_id) / "attachments"
    return sorted(path.name for path in place.glob("*"))


def test_whoever_gave_it_sees_that_it_waits_and_until_when_and_nobody_else_does(desk: Naming, anna: Person) -> None:
    assert TITLE not in client_of(desk, anna).get("/").text
    give(desk, anna)
    html = re.sub(r"\s+", " ", client_of(desk, anna).get("/").text)
    assert TITLE in html
    assert re.search(r"An answered measure, given .*: goes with your next recording before \d\d:\d\d\.", html)
    for role in Role:
        other = add_person(desk.box.people, role)
        assert TITLE not in client_of(desk, other).get("/").text


def test_a_session_that_was_not_recorded_is_said_and_what_was_given_goes_with_no_other(
    desk: Naming, anna: Person
) -> None:
    give(desk, anna)
    client = client_of(desk, anna)
    assert send(client, "/waiting/leave") == 303
    html = client.get("/?said=left").text
    assert "It waits no more" in html
    assert "goes with no recording by itself" in html
    assert "That session was not recorded" not in html
    assert [one.left for one in desk.desk.waiting.all()] == [True]


def test_what_was_left_is_put_beside_the_recording_that_is_chosen(desk: Naming, anna: Person) -> None:
    name, one = give(desk, anna), add_recording(desk.box.store)
    client = client_of(desk, anna)
    send(client, "/waiting/leave")
    assert f'<option value="{one}">' in client.get("/").text
    assert send(client, f"/waiting/{name}/place", recording=one) == 303
    assert names(desk, one) == ["measure-001.age"]
    assert TITLE not in client.get("/").text
    assert "It lies beside this recording now." in client.get(f"/recordings/{one}/?said=placed").text


def test_nothing_goes_beside_anothers_a_withdrawn_or_no_recording(desk: Naming, anna: Person) -> None:
    name = give(desk, anna)
    others = add_recording(desk.box.store, therapist="0" * 12)
    nobodys = add_recording(desk.box.store, therapist=None)
    withdrawn = add_recording(desk.box.store, withdrawn=True)
    client = client_of(desk, anna)
    for one in (others, nobodys, withdrawn, "000099-abcdefghij", "../audit", ""):
        assert send(client, f"/waiting/{name}/place", recording=one) == 400
    assert [one.name for one in desk.desk.waiting.all()] == [name]
    own = add_recording(desk.box.store)
    assert send(client, "/waiting/label.age/place", recording=own) == 404
    assert names(desk, own) == []


def test_what_another_gave_cannot_be_placed(desk: Naming, anna: Person) -> None:
    name = give(desk, add_person(desk.box.people, Role.THERAPIST))
    own = add_recording(desk.box.store)
    assert send(client_of(desk, anna), f"/waiting/{name}/place", recording=own) == 409
    assert names(desk, own) == []
