"""The permission table against all routes there are, every role, and every object of another."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from werkzeug.routing import Rule as Route

from device.people.person import Person, Role
from device.people.visit import Kind
from device.web.permissions import PERMISSIONS, On, Rule, Strangers, Verdict, judge
from device.web.visitor import By, Visitor
from tests.web.conftest import FROM_PAGE, Box, app_of_nobody
from tests.web.matrix import DOCUMENT, filled
from tests.web.published import add_recording
from tests.web.visitors import add_person, bearer, begin, browser, tablet

REACHED = 299
# A value for each part of an address that is no recording; "another's" where a view has to look whose it is.
VALUES = {
    "filename": "style.css",
    "mark": "0" * 12,
    "session": "0" * 12,
    "passkey": "00",
    "name": "label.age",
    "token_id": "0" * 12,
}
ON_RECORDINGS = (On.FACTS, On.RECORDING)
IN_THE_ROOM = (On.ROOM, On.CAMERA)
ROLES = [frozenset(roles) for count in range(1, 4) for roles in itertools.combinations(Role, count)]


def routes(app: Flask) -> Iterator[tuple[Route, str]]:
    """Each route with each of its methods."""
    for route in app.url_map.iter_rules():
        for method in sorted((route.methods or set()) - {"OPTIONS"}):
            yield route, method


def address(route: Route, recording_id: str = "000001-aaaaaaaaaa") -> str:
    """An address of that route; a part without a value here is a line missing in VALUES."""
    values = {**VALUES, "recording_id": recording_id}
    built = route.build({name: values[name] for name in route.arguments}, append_unknown=False)
    assert built is not None
    return built[1]


def emptied(app: Flask) -> Flask:
    """The same doors, with nothing behind them: each view only tells that it was reached."""
    for endpoint in app.view_functions:
        app.view_functions[endpoint] = lambda **_values: Response(status=REACHED)
    return app


@dataclass
class Caller:
    """Somebody who asks, in one of the ways there are."""

    name: str
    client: FlaskClient
    headers: dict[str, str]
    visitor: Visitor | None

    def reaches(self, path: str, method: str) -> bool:
        """Whether a view is reached. Else nobody was let in, and that is said in one of three ways."""
        body = {} if method in ("GET", "HEAD") else {"json": {}, "headers": {**self.headers, **FROM_PAGE}}
        answer = self.client.open(path, method=method, **({"headers": self.headers} | body))
        assert answer.status_code in {REACHED, 303, 401, 403, 404}, answer.text
        return answer.status_code == REACHED


def callers(box: Box, app: Flask) -> Iterator[Caller]:
    """A stranger, and people of every set of roles in each way to come in; and one who has gone."""
    yield Caller("stranger", browser(app), {}, None)
    for roles in ROLES:
        person = add_person(box.people, *roles)
        yield from ways_of(box, app, person)
    gone = add_person(box.people, *Role)
    found = list(ways_of(box, app, gone))
    box.people.put(replace(gone, active=False))
    yield from (replace(caller, name=f"{caller.name}, gone", visitor=None) for caller in found)


def ways_of(box: Box, app: Flask, person: Person) -> Iterator[Caller]:
    roles = "+".join(sorted(person.roles))
    page, program, kiosk = (begin(box.people, person, kind) for kind in (Kind.PAGE, Kind.PROGRAM, Kind.KIOSK))
    yield Caller(roles, browser(app, page), {}, Visitor(person, By.PAGE, page.session))
    yield Caller(f"{roles} by program", app.test_client(), bearer(program), Visitor(person, By.PROGRAM, ""))
    yield Caller(f"kiosk of {roles}", tablet(app, kiosk), {}, Visitor(person, By.KIOSK, ""))


def test_every_route_has_a_rule_and_every_rule_a_route() -> None:
    with app_of_nobody() as app:
        assert {route.endpoint for route, _ in routes(app)} == set(PERMISSIONS)


def test_what_names_a_recording_is_asked_whose_it_is() -> None:
    with app_of_nobody() as app:
        for route, _ in routes(app):
            names_one = "recording_id" in route.arguments
            assert names_one == (PERMISSIONS[route.endpoint].on in ON_RECORDINGS), route


def test_the_document_says_what_the_table_says() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    with app_of_nobody() as app:
        assert filled(document, app) == document, "python -m tests.web.matrix brings it up to date"


@pytest.mark.parametrize("room", [True, False])
def test_every_route_lets_in_whom_the_table_names_and_nobody_else(box: Box, *, room: bool) -> None:
    app = emptied(box.app(room=room))
    let_in = dict.fromkeys(("stranger", "therapist", "kiosk of admin+supervisor+therapist"), 0)
    for caller in callers(box, app):
        mark = caller.visitor.person.mark if caller.visitor else "0" * 12
        recording_id = add_recording(box.store, therapist=mark)
        for route, method in routes(app):
            rule = PERMISSIONS[route.endpoint]
            wanted = judge(rule, caller.visitor, demo=room) is Verdict.COME_IN
            if wanted and rule.on in ON_RECORDINGS:
                wanted = caller.visitor is not None and (
                    Role.THERAPIST in caller.visitor.person.roles
                    or (rule.on is On.FACTS and Role.ADMIN in caller.visitor.person.roles)
                )
            if wanted and rule.on is On.CAMERA:
                wanted = room  # nobody is checked in
            told = f"{caller.name}: {method} {route}"
            assert caller.reaches(address(route, recording_id), method) is wanted, told
            let_in[caller.name] = let_in.get(caller.name, 0) + wanted
    assert let_in["therapist"] > let_in["stranger"]
    assert let_in["kiosk of admin+supervisor+therapist"] < let_in["therapist"]


def test_a_route_that_the_table_does_not_name_lets_nobody_in(box: Box) -> None:
    app = box.app()
    app.add_url_rule("/new", "new", lambda: "reached", methods=["GET", "POST"])
    for caller in callers(box, app):
        assert caller.client.get("/new", headers=caller.headers).status_code == 403
        assert caller.client.post("/new", json={}, headers={**caller.headers, **FROM_PAGE}).status_code == 403


@contextmanager
def clinic(box: Box, app: Flask) -> Iterator[tuple[dict[str, Caller], dict[str, str]]]:
    """Everybody a clinic has, by page and by program, and a recording of each who can have one."""
    one, two = (add_person(box.people, Role.THERAPIST) for _ in range(2))
    over_one = add_person(box.people, Role.SUPERVISOR, supervisees=frozenset({one.mark}))
    over_two = add_person(box.people, Role.SUPERVISOR, Role.THERAPIST, supervisees=frozenset({two.mark}))
    over_nobody = add_person(box.people, Role.SUPERVISOR)
    admin = add_person(box.people, Role.ADMIN)
    not_any_more = add_person(box.people, Role.ADMIN)
    people = {
        "one": one,
        "two": two,
        "over one": over_one,
        "over two": over_two,
        "over nobody": over_nobody,
        "admin": admin,
        "was a therapist": not_any_more,
    }
    whose = {"one": one.mark, "two": two.mark, "over two": over_two.mark, "was a therapist": not_any_more.mark}
    recordings = {name: add_recording(box.store, therapist=mark) for name, mark in whose.items()}
    recordings["nobody"] = add_recording(box.store, therapist=None)
    found = {"stranger": Caller("stranger", browser(app), {}, None)}
    for name, person in people.items():
        page, program, kiosk = ways_of(box, app, person)
        found |= {name: page, f"{name}, by program": program, f"kiosk of {name}": kiosk}
    yield found, recordings


# Who sees the content of whose recording; written down here once more, by hand.
CONTENT = {
    "one": {"one"},
    "two": {"two"},
    "over one": {"one"},
    "over two": {"two", "over two"},
}
FACTS = CONTENT | {who: {"one", "two", "over two", "was a therapist", "nobody"} for who in ("admin", "was a therapist")}


def test_nobody_sees_a_recording_of_another(box: Box) -> None:
    app = emptied(box.app())
    tried = 0
    with clinic(box, app) as (people, recordings):
        for (name, caller), (whose, recording_id) in itertools.product(people.items(), recordings.items()):
            by_program, by_kiosk = name.endswith(", by program"), name.startswith("kiosk")
            who = name.removesuffix(", by program")
            for route, method in routes(app):
                rule = PERMISSIONS[route.endpoint]
                if rule.on not in ON_RECORDINGS:
                    continue
                seen = (CONTENT if rule.on is On.RECORDING else FACTS).get(who, set())
                way = By.PROGRAM if by_program else By.PAGE
                open_to = not by_kiosk and way in rule.by and rule.roles == frozenset(Role)
                if rule.roles != frozenset(Role):
                    open_to = judge(rule, caller.visitor, demo=True) is Verdict.COME_IN
                wanted = open_to and whose in seen
                assert caller.reaches(address(route, recording_id), method) is wanted, f"{name}: {method} {route}"
                tried += 1
    assert tried > 500


def test_a_recording_of_another_is_told_in_the_very_words_of_one_that_there_is_not(box: Box) -> None:
    app = box.app()
    with clinic(box, app) as (people, recordings):
        for path in ("", "session.mp4.age", "manifest.json"):
            hidden, missing = (
                people["one"].client.get(f"/recordings/{recording_id}/{path}")
                for recording_id in (recordings["two"], "999999-aaaaaaaaaa")
            )
            assert hidden.status_code == missing.status_code == 404
            assert hidden.data == missing.data
            assert dict(hidden.headers) == dict(missing.headers)


def test_lists_hold_what_somebody_sees_and_nothing_else(box: Box) -> None:
    app = box.app()
    with clinic(box, app) as (people, recordings):
        for name in ("one", "two", "over one", "over two", "over nobody", "admin"):
            html = people[name].client.get("/").text
            shown = {whose for whose, recording_id in recordings.items() if recording_id in html}
            assert shown == FACTS.get(name, set()), name
            downloads = {whose for whose, one in recordings.items() if f"{one}/session.mp4.age" in html}
            assert downloads == CONTENT.get(name, set()), name


def test_an_admin_reads_the_facts_and_is_told_why_there_is_no_more(box: Box, admin: FlaskClient) -> None:
    recording_id = add_recording(box.store)
    page = admin.get(f"/recordings/{recording_id}/")
    assert page.status_code == 200
    assert "manifest.json" not in page.text
    assert "session.mp4.age" not in page.text
    answer = admin.get(f"/recordings/{recording_id}/session.mp4.age")
    assert (answer.status_code, answer.mimetype) == (403, "text/plain")
    assert "not what is in it" in answer.text


@pytest.mark.parametrize("endpoint", [name for name, rule in PERMISSIONS.items() if rule.on in IN_THE_ROOM])
def test_the_session_in_the_room_is_that_of_the_therapist_who_is_checked_in(box: Box, endpoint: str) -> None:
    app = emptied(box.app(room=False))
    (route,) = [route for route in app.url_map.iter_rules() if route.endpoint == endpoint]
    method = "POST" if "POST" in (route.methods or ()) else "GET"
    mine, other = (next(ways_of(box, app, add_person(box.people, Role.THERAPIST))) for _ in range(2))
    assert mine.visitor is not None
    assert other.visitor is not None
    where_nobody_is = PERMISSIONS[endpoint].on is On.ROOM  # what its camera sees is shown to none of them then
    assert mine.reaches(address(route), method) is where_nobody_is
    assert other.reaches(address(route), method) is where_nobody_is
    box.people.check_in(mine.visitor.person.mark, time.time())
    assert mine.reaches(address(route), method)
    assert not other.reaches(address(route), method)
    box.people.check_out(mine.visitor.person.mark, time.time())
    assert other.reaches(address(route), method) is where_nobody_is


@pytest.mark.parametrize("strangers", Strangers)
@pytest.mark.parametrize("demo", [True, False])
def test_strangers_come_in_where_the_rule_says_so(strangers: Strangers, *, demo: bool) -> None:
    rule = Rule(strangers=strangers)
    wanted = {Strangers.NEVER: False, Strangers.IN_A_DEMO: demo, Strangers.ALWAYS: True}[strangers]
    assert (judge(rule, None, demo=demo) is Verdict.COME_IN) is wanted
    assert judge(None, None, demo=demo) is Verdict.KEEP_OUT
