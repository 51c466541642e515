"""One's own account: password, second factor, recovery codes, passkeys, and what one is signed in with."""

from __future__ import annotations

from functools import partial
from typing import Final

from flask import Blueprint, Response, request, url_for

from device.people.refused import RefusedError
from device.people.visit import Kind, Visit
from device.web.house import House
from device.web.people.asking import caller, field, form_page, go, noted, setting, twice, with_cookie
from device.web.people.joining import app_page, codes_page
from device.web.people.wording import browser_text, moment_text, roles_text
from device.web.texts import text
from device.web.visitor import visitor

_DONE: Final = frozenset({"password", "session", "passkey_added", "passkey_gone"})


def account(house: House) -> Blueprint:
    """The routes under ``/account``."""
    blueprint = Blueprint("account", __name__, url_prefix="/account")
    for path, name, action in (
        ("/password", "password", _password),
        ("/codes", "codes", _codes),
        ("/app", "begin_app", _begin_app),
        ("/end/<session>", "end", _end),
        ("/passkeys/<passkey>/remove", "remove_passkey", _remove_passkey),
    ):
        blueprint.add_url_rule(path, name, partial(action, house), methods=["POST"])
    blueprint.add_url_rule("/", "view", partial(_page, house, None))
    blueprint.add_url_rule("/app/new", "app", partial(_app, house), methods=["GET", "POST"])
    return blueprint


def _password(house: House) -> Response:
    try:
        begun = house.people.account.change_password(
            setting(),
            field("old"),
            twice("password"),
            caller(house),
            about=(house.box,),
            noted=noted(house, "password"),
        )
    except RefusedError as problem:
        return _page(house, problem, at="password")
    return with_cookie(house, _done("password"), begun)


def _codes(house: House) -> Response:
    try:
        codes = house.people.account.new_codes(setting(), field("old"), caller(house), noted(house, "recovery codes"))
    except RefusedError as problem:
        return _page(house, problem, at="codes")
    return codes_page(codes, first=False)


def _begin_app(house: House) -> Response:
    try:
        house.people.account.begin_new_app(setting(), field("old"), caller(house))
    except RefusedError as problem:
        return _page(house, problem, at="app")
    return go(url_for("account.app"))


def _app(house: House) -> Response:
    secret = house.people.account.new_app(setting())
    if secret is None:
        return go(url_for("account.view"))
    problem = None
    if request.method == "POST":
        try:
            begun, codes = house.people.account.use_new_app(
                setting(), field("code"), caller(house), noted(house, "second factor")
            )
        except RefusedError as refused:
            problem = refused
        else:
            return with_cookie(house, codes_page(codes, first=True), begun)
    return app_page(house, "account_app.html", secret, problem)


def _end(house: House, session: str) -> Response:
    kind = next((visit.kind for visit in _visits(house) if visit.session == session), None)
    if kind is not None:
        change = "token revoked" if kind is Kind.PROGRAM else "session ended"
        house.people.revoke(visitor().person.mark, session, noted(house, change))
    return _done("session")


def _remove_passkey(house: House, passkey: str) -> Response:
    if house.people.keyring is not None:
        house.people.keyring.take_away(visitor().person.mark, passkey, noted(house, "passkey removed"))
    return _done("passkey_gone")


def _visits(house: House) -> list[Visit]:
    mark, now_s = visitor().person.mark, house.unix_s()
    return [*house.people.sessions(mark, now_s), *house.people.tokens(mark, now_s)]


def _page(house: House, problem: RefusedError | None, *, at: str = "") -> Response:
    """The account; ``at``: which of its forms was refused."""
    mark, keyring = visitor().person.mark, house.people.keyring
    visits = [
        {
            "session": visit.session,
            "kind": text(f"account.kind.{visit.kind}"),
            "what": browser_text(visit.what) if visit.kind is Kind.PAGE else visit.what,
            "seen": moment_text(visit.seen_s),
            "here": visit.session == visitor().session,
        }
        for visit in _visits(house)
    ]
    done = request.args.get("done", "")
    return form_page(
        "account.html",
        problem,
        at=at,
        roles=roles_text(visitor().person),
        visits=visits,
        codes_left=house.people.account.codes_left(mark),
        passkeys=None
        if keyring is None
        else [
            {"id": one.id, "name": one.name or text("account.passkey"), "made": moment_text(one.made_s)}
            for one in keyring.of(mark)
        ],
        done=text(f"account.done.{done}") if done in _DONE else "",
    )


def _done(what: str) -> Response:
    return go(url_for("account.view", done=what))
