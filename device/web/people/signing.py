"""Signing in and out: a password, then the second factor."""

from __future__ import annotations

from functools import partial
from typing import Final

from flask import Blueprint, Response, request, url_for

from device.audit_requests import NoteRequest
from device.people.refused import Reason, RefusedError
from device.people.sessions import Begun
from device.people.steps import Proof
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
    noted_login,
    own_path,
    take_cookie,
    token,
    with_cookie,
)
from device.web.visitor import visitor, visitor_or_none

_WAYS: Final = {Proof.APP: "password", Proof.PAPER: "recovery code"}


def signing(house: House) -> Blueprint:
    """The routes ``/sign-in``, ``/sign-in/code`` and ``/sign-out``."""
    blueprint = Blueprint("signing", __name__)
    blueprint.add_url_rule("/sign-in", "sign_in", partial(_sign_in, house), methods=["GET", "POST"])
    blueprint.add_url_rule("/sign-in/code", "code", partial(_code, house), methods=["GET", "POST"])
    blueprint.add_url_rule("/sign-out", "sign_out", partial(_sign_out, house), methods=["POST"])
    return blueprint


def _sign_in(house: House) -> Response:
    if visitor_or_none() is not None:
        return go("/")
    if request.method == "GET":
        return _sign_in_page(house, None)
    try:
        begun = house.people.entrance.password(field("login"), field("password"), caller(house))
    except RefusedError as problem:
        if problem.reason is Reason.WRONG:
            noted_login(house, "password", mark=None, granted=False)
        return _sign_in_page(house, problem)
    return with_cookie(house, _on(house, begun), begun)


def _sign_in_page(house: House, problem: RefusedError | None) -> Response:
    return form_page(
        "signing.html",
        problem,
        back=own_path(request.values.get("next", "")),
        login=field("login"),
        passkeys=house.people.keyring is not None,
        nobody=not house.people.persons(),
    )


def _on(house: House, begun: Begun) -> Response:
    """To the second proof, or to where it is set up."""
    half_way = house.people.half_way(begun.token, house.unix_s())
    if half_way is not None and half_way.stage is Stage.ENROLLING:
        return go(url_for("joining.app"))
    return go(url_for("signing.code", next=own_path(field("next"))))


def _code(house: House) -> Response:
    on_paper = request.values.get("from") == "paper"
    page = partial(form_page, "signing_code.html", on_paper=on_paper, back=own_path(request.values.get("next", "")))
    if not is_half_way(house, Stage.PASSWORD_GIVEN):
        return go(url_for("signing.sign_in"))
    if request.method == "GET":
        return page(None)
    try:
        begun, proof = house.people.entrance.second_factor(token(house), field("code"), caller(house))
    except RefusedError as problem:
        if problem.reason is Reason.WRONG:
            noted_login(house, _WAYS[Proof.PAPER if on_paper else Proof.APP], mark=None, granted=False)
        return page(problem)
    note_or_end(house, begun, _WAYS[proof])
    return let_in(house, go(own_path(field("next"))), begun)


def _sign_out(house: House) -> Response:
    house.noting.must_note(NoteRequest(what="logout", person=visitor().person.mark, door="page"))
    house.people.entrance.leave(token(house), caller(house))
    return take_cookie(house, go(url_for("signing.sign_in")))
