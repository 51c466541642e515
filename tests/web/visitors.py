"""People of every kind, and their browsers, programs and tablets, signed in for real.

How somebody signs in is for other tests; here a session is begun straight in the page's database.
"""

from __future__ import annotations

import re
import time

from flask import Flask
from flask.testing import FlaskClient

from device.people import sessions
from device.people.people import People
from device.people.person import Person, Role, new_mark
from device.people.sessions import Begun
from device.people.visit import Kind, Stage
from device.web.doors import KIOSK_COOKIE, PAGE_COOKIE

THERAPIST = "7e7a9157a000"
"""The mark of the therapist whose the recordings of ``add_recording`` are, unless it is said otherwise."""


def add_person(
    people: People, *roles: Role, mark: str | None = None, supervisees: frozenset[str] = frozenset()
) -> Person:
    """Somebody with those roles."""
    mark = mark or new_mark()
    person = Person(mark, f"login-{mark}", f"Person {mark}", frozenset(roles), supervisees=supervisees)
    people.put(person)
    return person


def begin(people: People, person: Person, kind: Kind = Kind.PAGE, *, now_s: float | None = None) -> Begun:
    """A session of that person."""
    with people._database.transaction() as rows:
        moment_s = time.time() if now_s is None else now_s
        return sessions.begin(rows, person.mark, kind, Stage.IN, what="a test", now_s=moment_s)


def browser(app: Flask, begun: Begun | None = None) -> FlaskClient:
    """A browser, signed in where a session was begun."""
    client = app.test_client()
    if begun is not None:
        client.set_cookie(PAGE_COOKIE, begun.token, domain="localhost")
    return client


def the_therapist(people: People) -> Person:
    """Whose the recordings are, where a test says nothing else."""
    return people.person(THERAPIST) or add_person(people, Role.THERAPIST, mark=THERAPIST)


def of_therapist(app: Flask, people: People, *, now_s: float | None = None) -> FlaskClient:
    """The browser of that therapist."""
    return browser(app, begin(people, the_therapist(people), now_s=now_s))


def cookie(begun: Begun) -> dict[str, str]:
    """The header of a browser that is signed in."""
    return {"Cookie": f"{PAGE_COOKIE}={begun.token}"}


def tablet(app: Flask, begun: Begun) -> FlaskClient:
    """A tablet that was handed to the client."""
    client = app.test_client()
    client.set_cookie(KIOSK_COOKIE, begun.token, domain="localhost")
    return client


def bearer(begun: Begun) -> dict[str, str]:
    """The header of a program that signed in."""
    return {"Authorization": f"Bearer {begun.token}"}


def form_token_of(html: str) -> str:
    """The token of the first form on a page."""
    found = re.search(r'name="token" value="([^"]+)"', html)
    assert found, "there is no form on this page"
    return found[1]
