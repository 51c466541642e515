"""An admin's register: who there is, what they may do, and a way in for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, abort, render_template, request, url_for

from device.audit_requests import NoteRequest
from device.people.office import changes_of
from device.people.person import Person, Role, is_mark, new_mark
from device.people.refused import Reason, RefusedError
from device.people.register import plain_login
from device.web.house import House
from device.web.people.asking import field, form_page, go, noted
from device.web.people.wording import roles_text
from device.web.texts import text
from device.web.visitor import visitor


def persons(house: House) -> Blueprint:
    """The routes under ``/persons``."""
    blueprint = Blueprint("persons", __name__, url_prefix="/persons")
    office = house.people.office

    @blueprint.get("/")
    def persons() -> Response:
        house.noting.must_view("people")
        rows = [_row(house, person) for person in house.people.persons()]
        saved, made_here = request.args.get("saved", ""), house.people.from_clinic is None
        return form_page("persons.html", None, rows=rows, saved=saved, made_here=made_here)

    @blueprint.route("/new", methods=["GET", "POST"])
    def new() -> Response:
        blank = Person(new_mark(), "", "", frozenset())
        if request.method == "GET":
            none_here = None if house.people.from_clinic is None else RefusedError(Reason.FROM_CLINIC)
            return _form(house, blank, none_here, fresh=True)
        person = _typed(house, blank)
        try:
            office.put(person, noted(house, "added", person.mark))
        except RefusedError as problem:
            return _form(house, person, problem, fresh=True)
        return _invited(house, person)

    @blueprint.route("/<mark>", methods=["GET", "POST"])
    def person(mark: str) -> Response:
        before = _existing(house, mark)
        if request.method == "GET":
            house.noting.must_view("people")
            return _form(house, before, None)
        after = _typed(house, before)
        try:
            office.put(after, _noted_changes(house, before, after))
        except RefusedError as problem:
            return _form(house, after, problem)
        return go(url_for("persons.persons", saved=mark))

    @blueprint.post("/<mark>/invite")
    def invite(mark: str) -> Response:
        return _invited(house, _existing(house, mark))

    return blueprint


def _existing(house: House, mark: str) -> Person:
    found = house.people.person(mark) if is_mark(mark) else None
    return found if found is not None else abort(404)


def _invited(house: House, person: Person) -> Response:
    """A code for that person, shown this once."""

    def note() -> None:
        for change in ("password", "second factor"):
            noted(house, change, person.mark)()

    try:
        code = house.people.office.invite(person.mark, house.unix_s(), note)
    except RefusedError as problem:
        return _form(house, person, problem)
    return Response(render_template("persons_invited.html", person=person, code=code))


def _typed(house: House, before: Person) -> Person:
    """The person as the form has it. A role or supervisee that there is not is left out; the register says the rest."""
    marks = {one.mark for one in house.people.persons()}
    supervisor = Role.SUPERVISOR in request.form.getlist("role")
    return Person(
        mark=before.mark,
        login=plain_login(field("login")),
        name=field("name").strip(),
        roles=frozenset(role for role in Role if role in request.form.getlist("role")),
        recipient=field("recipient").strip() or None,
        supervisees=frozenset(request.form.getlist("supervisee")) & marks if supervisor else frozenset(),
        active=not before.login or "active" in request.form,
    )


def _noted_changes(house: House, before: Person, after: Person) -> Callable[[], None]:
    def note() -> None:
        for change in changes_of(before, after):
            request = NoteRequest(what="person changed", person=visitor().person.mark, whom=after.mark, change=change)
            house.noting.must_note(request)

    return note


def _row(house: House, person: Person) -> dict[str, Any]:
    office, now_s = house.people.office, house.unix_s()
    if not person.active:
        state = "gone"
    elif office.is_ready(person.mark):
        state = "ready"
    else:
        state = "invited" if office.is_invited(person.mark, now_s) else "waiting"
    return {"person": person, "roles": roles_text(person), "state": state, "said": text(f"persons.state.{state}")}


def _form(house: House, person: Person, problem: RefusedError | None, *, fresh: bool = False) -> Response:
    """The form for one person. Whoever is chosen as a supervisee stays in the list, also without that role now."""
    others = [
        one
        for one in house.people.persons()
        if one.mark != person.mark and (one.is_a(Role.THERAPIST) or one.mark in person.supervisees)
    ]
    facts: dict[str, Any] = {
        "person": person,
        "fresh": fresh,
        "others": others,
        "roles": list(Role),
        "said": roles_text(person),
    }
    if house.people.from_clinic is not None:
        return form_page("persons_listed.html", problem, **facts)
    return form_page("persons_person.html", problem, **facts)
