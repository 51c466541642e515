"""A changed roster is announced where people look: for whom recordings open from the next session on."""

from __future__ import annotations

import os
import re
import time
from html import unescape

import pytest
from flask.testing import FlaskClient

from device.age.identities import generate_identity
from device.age.recipients import fingerprint
from device.people.person import Person, Role
from device.roster import ROSTER_NAME, Opener, Roster, Seat, sign_roster
from device.web.openers import TOLD_FOR_S
from tests.audit.logs import KEY
from tests.web.conftest import BOX, Box
from tests.web.visitors import THERAPIST, add_person, begin, browser, of_therapist

SUPERVISOR, UNKNOWN = "5" * 12, "6" * 12
KEYS = [generate_identity(post_quantum=False).recipient() for _ in range(4)]


def take(box: Box, *seats: Seat, ago_s: float = 0.0) -> None:
    """What capture leaves where it took a roster."""
    marks = dict.fromkeys(mark for seat in seats for mark in seat.opened_by)
    people = tuple(Opener(mark=mark, recipient=str(key)) for mark, key in zip(marks, KEYS, strict=False))
    roster = Roster(
        number=4, made="2026-03-02T09:00:00Z", boxes=(BOX,), policy="supervised", people=people, therapists=seats,
        recovery=(str(KEYS[3]),),
    )  # fmt: skip
    path = box.store.path / ROSTER_NAME
    path.write_bytes(sign_roster(roster, KEY))
    os.utime(path, (time.time() - ago_s,) * 2)


def said(client: FlaskClient, path: str = "/") -> str:
    found = re.search(r'<p class="notice" id="openers">(.*?)</p>', client.get(path).text, re.DOTALL)
    return unescape(found[1]).strip() if found else ""


@pytest.fixture
def supervisor(box: Box) -> Person:
    person = Person(SUPERVISOR, "sue", "Sue", frozenset({Role.SUPERVISOR}))
    box.people.put(person)
    return person


def test_a_therapist_is_told_by_name_for_whom_their_recordings_open(box: Box, supervisor: Person) -> None:
    app = box.app()
    therapist = of_therapist(app, box.people)
    assert said(therapist) == ""
    take(box, Seat(mark=THERAPIST, opened_by=(THERAPIST, SUPERVISOR, UNKNOWN)))
    for path in ("/", "/room"):
        told = said(therapist, path)
        assert "roster 4" in told
        key = fingerprint(KEYS[2])
        names = f"Person {THERAPIST}, Sue, the owner of the key {key}, the clinic's recovery"
        assert told.endswith(f"From the next session on, your recordings open for {names}.")


def test_others_are_told_of_the_room_and_a_stranger_no_name(box: Box, supervisor: Person) -> None:
    take(box, Seat(mark=THERAPIST, opened_by=(THERAPIST, SUPERVISOR)), Seat(mark=UNKNOWN, opened_by=(UNKNOWN,)))
    app = box.app()
    admin = browser(app, begin(box.people, add_person(box.people, Role.ADMIN)))
    add_person(box.people, Role.THERAPIST, mark=THERAPIST)
    assert "depending on who works here" in said(admin)
    box.people.check_in(THERAPIST, time.time())
    told = said(admin)
    assert f"recordings in this room open for Person {THERAPIST}, Sue, the clinic's recovery." in told
    stranger = said(browser(app), "/room")
    assert "3 keys open a recording" in stranger
    assert "Sue" not in stranger


def test_it_is_told_for_a_month_and_again_when_it_changes_again(box: Box) -> None:
    therapist = of_therapist(box.app(), box.people)
    take(box, Seat(mark=THERAPIST, opened_by=(THERAPIST,)), ago_s=TOLD_FOR_S - 60)
    assert said(therapist)
    take(box, Seat(mark=THERAPIST, opened_by=(THERAPIST,)), ago_s=TOLD_FOR_S + 60)
    assert said(therapist) == ""
    take(box, Seat(mark=THERAPIST, opened_by=()))
    assert said(therapist).endswith("open for the clinic's recovery.")
