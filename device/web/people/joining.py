"""How somebody gets what they sign in with: a code on paper, then a password, then an app."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Response, render_template, request, url_for

from device.audit_requests import NoteRequest
from device.people.refused import RefusedError
from device.people.second_factor import uri_of
from device.people.visit import Stage
from device.web.house import House
from device.web.people.asking import (
    caller,
    field,
    form_page,
    go,
    is_half_way,
    let_in,
    note_or_end,
    token,
    twice,
    with_cookie,
)
from device.web.people.qr import qr
from device.web.visitor import visitor

_GROUP_LETTERS = 4


def joining(house: House) -> Blueprint:
    """The routes ``/welcome``, ``/first-admin`` and ``/sign-in/app``."""
    blueprint = Blueprint("joining", __name__)
    for path, name, action in (
        ("/welcome", "welcome", _welcome),
        ("/first-admin", "first_admin", _first_admin),
        ("/sign-in/app", "app", _app),
    ):
        blueprint.add_url_rule(path, name, partial(action, house), methods=["GET", "POST"])
    return blueprint


def _welcome(house: House) -> Response:
    if request.method == "GET":
        return form_page("joining_welcome.html", None)
    try:
        begun = house.people.entrance.accept(field("code"), twice("password"), caller(house), about=(house.box,))
    except RefusedError as problem:
        return form_page("joining_welcome.html", problem)
    return with_cookie(house, go(url_for("joining.app")), begun)


def _first_admin(house: House) -> Response:
    login, name, made_here = field("login"), field("name"), house.people.from_clinic is None
    if request.method == "GET":
        return form_page("joining_first_admin.html", None, login=login, name=name, made_here=made_here)

    def note(mark: str) -> None:
        for change in ("added",) if made_here else ("password", "second factor"):
            house.noting.must_note(NoteRequest(what="person changed", person=mark, whom=mark, change=change))

    try:
        begun = house.people.entrance.first_admin(
            field("code"), (login, name), twice("password"), caller(house), about=(house.box,), noted=note
        )
    except RefusedError as problem:
        return form_page("joining_first_admin.html", problem, login=login, name=name, made_here=made_here)
    return with_cookie(house, go(url_for("joining.app")), begun)


def _app(house: House) -> Response:
    if not is_half_way(house, Stage.ENROLLING):
        return go(url_for("signing.sign_in"))
    entrance, problem = house.people.entrance, None
    if request.method == "POST":
        try:
            begun, codes = entrance.enrol(token(house), field("code"), caller(house))
        except RefusedError as refused:
            problem = refused
        else:
            note_or_end(house, begun, "password")
            return let_in(house, codes_page(codes, first=True), begun)
    return app_page(house, "joining_app.html", entrance.enrolment(token(house), caller(house)), problem)


def codes_page(codes: list[str], *, first: bool) -> Response:
    """The recovery codes, shown this once; ``first``: with a second factor that was just set up."""
    return Response(render_template("joining_codes.html", codes=codes, first=first))


def app_page(house: House, template: str, secret: str, problem: RefusedError | None) -> Response:
    """The page on which an app learns its secret: as a picture, and in letters for who cannot take one."""
    half_way = house.people.half_way(token(house), house.unix_s())
    person = half_way.person if half_way is not None else visitor().person
    letters = " ".join(secret[at : at + _GROUP_LETTERS] for at in range(0, len(secret), _GROUP_LETTERS))
    link = uri_of(secret, login=person.login, box=house.box)
    return form_page(template, problem, picture=qr(link), link=link, letters=letters)
