"""Signing in and out: a password, then the second factor; and how somebody gets both in the first place."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, render_template, request, url_for

from device.audit_requests import NoteRequest
from device.people.refused import Reason, RefusedError
from device.people.second_factor import uri_of
from device.people.sessions import Begun
from device.people.steps import Proof
from device.people.visit import Stage
from device.web.house import House
from device.web.people.asking import (
    caller,
    field,
    form_page,
    go,
    noted_login,
    own_path,
    take_cookie,
    token,
    twice,
    with_cookie,
)
from device.web.people.qr import qr
from device.web.visitor import visitor, visitor_or_none

_WAYS: Final = {Proof.APP: "password", Proof.PAPER: "recovery code"}
_GROUP_LETTERS: Final = 4


def signing(house: House) -> Blueprint:
    """The routes under ``/sign-in``, ``/welcome``, ``/first-admin`` and ``/sign-out``."""
    blueprint = Blueprint("signing", __name__)
    entrance = house.people.entrance

    @blueprint.route("/sign-in", methods=["GET", "POST"])
    def sign_in() -> Response:
        if visitor_or_none() is not None:
            return go("/")
        if request.method == "GET":
            return _sign_in(house, None)
        try:
            begun = entrance.password(field("login"), field("password"), caller(house))
        except RefusedError as problem:
            if problem.reason is Reason.WRONG:
                noted_login(house, "password", mark=None, granted=False)
            return _sign_in(house, problem)
        return with_cookie(house, _on(house, begun), begun)

    @blueprint.route("/sign-in/code", methods=["GET", "POST"])
    def code() -> Response:
        on_paper = request.values.get("from") == "paper"
        facts = {"on_paper": on_paper, "back": own_path(request.values.get("next", ""))}
        if not _is_at(house, Stage.PASSWORD_GIVEN):
            return _from_the_beginning()
        if request.method == "GET":
            return form_page("signing_code.html", None, **facts)
        way = _WAYS[Proof.PAPER if on_paper else Proof.APP]
        try:
            begun, proof = entrance.second_factor(token(house), field("code"), caller(house))
        except RefusedError as problem:
            if problem.reason is Reason.WRONG:
                noted_login(house, way, mark=None, granted=False)
            return form_page("signing_code.html", problem, **facts)
        _note_or_end(house, begun, _WAYS[proof])
        return with_cookie(house, go(own_path(field("next"))), begun)

    @blueprint.route("/sign-in/app", methods=["GET", "POST"])
    def app() -> Response:
        if not _is_at(house, Stage.ENROLLING):
            return _from_the_beginning()
        problem = None
        if request.method == "POST":
            try:
                begun, codes = entrance.enrol(token(house), field("code"), caller(house))
            except RefusedError as refused:
                problem = refused
            else:
                _note_or_end(house, begun, "password")
                page = Response(render_template("signing_codes.html", codes=codes, first=True))
                return with_cookie(house, page, begun)
        return app_page(house, "signing_app.html", entrance.enrolment(token(house), caller(house)), problem)

    @blueprint.route("/welcome", methods=["GET", "POST"])
    def welcome() -> Response:
        if request.method == "GET":
            return form_page("signing_welcome.html", None)
        try:
            begun = entrance.accept(field("code"), twice("password"), caller(house), about=(house.box,))
        except RefusedError as problem:
            return form_page("signing_welcome.html", problem)
        return with_cookie(house, go(url_for("signing.app")), begun)

    @blueprint.route("/first-admin", methods=["GET", "POST"])
    def first_admin() -> Response:
        typed = {"login": field("login"), "name": field("name")}
        if request.method == "GET":
            return form_page("signing_first_admin.html", None, **typed)
        try:
            begun = entrance.first_admin(
                field("code"),
                (typed["login"], typed["name"]),
                twice("password"),
                caller(house),
                about=(house.box,),
                noted=lambda mark: house.noting.must_note(
                    NoteRequest(what="person changed", person=mark, whom=mark, change="added")
                ),
            )
        except RefusedError as problem:
            return form_page("signing_first_admin.html", problem, **typed)
        return with_cookie(house, go(url_for("signing.app")), begun)

    @blueprint.post("/sign-out")
    def sign_out() -> Response:
        house.noting.must_note(NoteRequest(what="logout", person=visitor().person.mark, door="page"))
        entrance.leave(token(house), caller(house))
        return take_cookie(house, go(url_for("signing.sign_in")))

    return blueprint


def app_page(house: House, template: str, secret: str, problem: RefusedError | None) -> Response:
    """The page on which an app learns its secret: as a picture, and in letters for who cannot take one."""
    half_way = house.people.half_way(token(house), house.unix_s())
    person = half_way.person if half_way is not None else visitor().person
    letters = " ".join(secret[at : at + _GROUP_LETTERS] for at in range(0, len(secret), _GROUP_LETTERS))
    picture = qr(uri_of(secret, login=person.login, box=house.box))
    return form_page(template, problem, picture=picture, letters=letters)


def _sign_in(house: House, problem: RefusedError | None) -> Response:
    back = own_path(request.values.get("next", ""))
    return form_page(
        "signing.html",
        problem,
        back=back,
        login=field("login"),
        passkeys=house.people.keyring is not None,
        nobody=not house.people.persons(),
    )


def _on(house: House, begun: Begun) -> Response:
    """To the second proof, or to where it is set up."""
    half_way = house.people.half_way(begun.token, house.unix_s())
    if half_way is not None and half_way.stage is Stage.ENROLLING:
        return go(url_for("signing.app"))
    return go(url_for("signing.code", next=own_path(field("next"))))


def _is_at(house: House, stage: Stage) -> bool:
    half_way = house.people.half_way(token(house), house.unix_s())
    return half_way is not None and half_way.stage is stage


def _from_the_beginning() -> Response:
    return go(url_for("signing.sign_in"))


def _note_or_end(house: House, begun: Begun, way: str) -> None:
    """Nobody is in before it is noted.

    Raises:
        Refusal: it is not, and the session has ended.
    """
    let_in = False
    try:
        noted_login(house, way, mark=begun.mark, granted=True)
        let_in = True
    finally:
        if not let_in:
            house.people.entrance.leave(begun.token, caller(house))
