"""What the pages about people have in common: who stands at the door, the cookie, and what a refused form says."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from flask import Response, make_response, redirect, render_template, request

from device.audit_requests import NoteRequest
from device.people.account import Setting
from device.people.browsers import KNOWN_FOR_S
from device.people.refused import Reason, RefusedError
from device.people.sessions import Begun
from device.people.steps import Caller
from device.people.visit import Stage
from device.web.doors import KIOSK_COOKIE, PAGE_COOKIE
from device.web.house import House
from device.web.texts import text
from device.web.visitor import visitor

SEE_OTHER: Final = 303
KNOWN_COOKIE: Final = "sotto-known"
_BAD_REQUEST, _FORBIDDEN, _TOO_MANY = 400, 403, 429
_CODES: Final = {Reason.WRONG: _FORBIDDEN, Reason.WAIT: _TOO_MANY, Reason.BUSY: _TOO_MANY}
_WRONG: Final = {
    Reason.WRONG: frozenset({"password", "code"}),
    Reason.CODE: frozenset({"code"}),
    Reason.PASSWORD: frozenset({"password"}),
    Reason.AGAIN: frozenset({"password", "password_again"}),
    Reason.LOGIN: frozenset({"login"}),
    Reason.NOT_LISTED: frozenset({"login"}),
    Reason.NAME: frozenset({"name"}),
    Reason.RECIPIENT: frozenset({"recipient"}),
}
_BUSY_S: Final = 3
# A way back into this page, and nowhere else: one slash and then a name.
_OWN_PATH: Final = re.compile(r"/(?:[A-Za-z0-9._~-][A-Za-z0-9._~/-]*)?")


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why a form was refused: what happened, and what to do; ``wait_s``: not before so many seconds.

    ``wrong``: the fields that it is about.
    """

    what: str
    hint: str
    code: int
    wait_s: int
    wrong: frozenset[str]


def complaint_of(problem: RefusedError) -> Complaint:
    """What to say of a refusal."""
    wait_s = _BUSY_S if problem.reason is Reason.BUSY else problem.wait_s
    key = f"refused.{problem.reason}"
    code, wrong = _CODES.get(problem.reason, _BAD_REQUEST), _WRONG.get(problem.reason, frozenset())
    if problem.reason is Reason.WRONG and "old" in request.form:
        wrong = frozenset({"old"})  # the new one beside it may be as good as it likes
    return Complaint(text(key), text(f"{key}.do", seconds=wait_s), code, wait_s, wrong)


def form_page(template: str, problem: RefusedError | None, *, at: str = "", **facts: Any) -> Response:
    """A page with a form; ``problem``: why what was sent is refused, ``at``: which form, where there are several.

    Nothing secret that was typed is shown again.
    """
    complaint = None if problem is None else complaint_of(problem)
    wrong = complaint.wrong if complaint is not None else frozenset()
    response = make_response(render_template(template, complaint=complaint, wrong=wrong, refused_at=at, **facts))
    if complaint is not None:
        response.status_code = complaint.code
        if complaint.wait_s:
            response.headers["Retry-After"] = str(complaint.wait_s)
    return response


def field(name: str) -> str:
    """What was typed into a field; nothing where there is no such field."""
    return request.form.get(name, "")


def twice(name: str) -> str:
    """What was typed twice, so that nobody locks themself out by a slip.

    Raises:
        RefusedError: it is not the same.
    """
    if field(name) != field(f"{name}_again"):
        raise RefusedError(Reason.AGAIN)
    return field(name)


def caller(house: House) -> Caller:
    """Who asks, as far as that is known of a stranger."""
    known = request.cookies.get(house.front.cookie(KNOWN_COOKIE), "")
    return Caller(request.remote_addr or "", request.user_agent.string, house.unix_s(), known)


def setting() -> Setting:
    """Who is in, and the session from which they change something."""
    found = visitor()
    return Setting(found.person, found.session)


def token(house: House) -> str:
    """What the browser proves itself with; nothing where it has nothing."""
    return request.cookies.get(house.front.cookie(PAGE_COOKIE), "")


def with_cookie(house: House, response: Response, begun: Begun) -> Response:
    """Give the browser its fresh token. What it had before is worth nothing, and neither is a tablet's cookie."""
    response.set_cookie(
        house.front.cookie(PAGE_COOKIE),
        begun.token,
        path="/",
        secure=house.front.tls,
        httponly=True,
        samesite="Strict",
    )
    if house.front.cookie(KIOSK_COOKIE) in request.cookies:
        take_cookie(house, response, KIOSK_COOKIE)
    return response


def let_in(house: House, response: Response, begun: Begun) -> Response:
    """The same for somebody who is wholly in now; the browser is known again when they sign in the next time."""
    known = house.people.entrance.known(begun.mark, caller(house))
    if known is not None:
        name, secure = house.front.cookie(KNOWN_COOKIE), house.front.tls
        response.set_cookie(
            name, known, path="/", max_age=int(KNOWN_FOR_S), secure=secure, httponly=True, samesite="Strict"
        )
    return with_cookie(house, response, begun)


def take_cookie(house: House, response: Response, name: str = PAGE_COOKIE) -> Response:
    """Take the browser's token away."""
    response.delete_cookie(house.front.cookie(name), path="/", secure=house.front.tls, httponly=True, samesite="Strict")
    return response


def go(address: str) -> Response:
    """Go on to another page of ours."""
    return make_response(redirect(address, SEE_OTHER))


def own_path(path: str) -> str:
    """A way back into this page; to its beginning where ``path`` leads anywhere else."""
    return path if _OWN_PATH.fullmatch(path) else "/"


def noted(house: House, change: str, whom: str | None = None) -> Callable[[], None]:
    """Has a change to a person noted; to the one who asks, unless ``whom`` says otherwise."""
    who = visitor().person.mark

    def note() -> None:
        house.noting.must_note(NoteRequest(what="person changed", person=who, whom=whom or who, change=change))

    return note


def noted_login(house: House, way: str, *, mark: str | None, granted: bool) -> None:
    """Have noted that somebody signed in, or tried to.

    Raises:
        Refusal: it is not noted.
    """
    house.noting.must_note(NoteRequest(what="login", person=mark, door="page", way=way, granted=granted))


def note_or_end(house: House, begun: Begun, way: str) -> None:
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


def is_half_way(house: House, stage: Stage) -> bool:
    """Whether whoever asks has come that far with signing in."""
    half_way = house.people.half_way(token(house), house.unix_s())
    return half_way is not None and half_way.stage is stage
