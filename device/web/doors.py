"""The doors: who asks, and whether they may, before any view runs.

Who asks is known by one thing at a time. A bearer token is a program's, and then no cookie counts. A program that is a
page from disk may show it in ``Accept``, where it only looks: before each request that has an ``Authorization`` its
browser would ask whether it may, which is a way there and back, and remember no answer for it. The cookie of a
tablet that was handed to the client counts before that of a therapist who is signed in on it, also when it is worth
nothing any more: it never opens the rest of the page. What they may is one table (``device/web/permissions.py``).
"""

from __future__ import annotations

import re
from typing import Final

from flask import Flask, g, redirect, request, url_for
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized
from werkzeug.wrappers import Response

from device.people.visit import Visit
from device.web.api import PREFIX
from device.web.house import House
from device.web.permissions import PERMISSIONS, On, Rule, Verdict, judge
from device.web.refusals import Refusal, no_such_recording
from device.web.sight import Sight
from device.web.visitor import By, Visitor, mark_or_none, visitor_or_none

PAGE_COOKIE: Final = "sotto"
KIOSK_COOKIE: Final = "sotto-kiosk"
_BEARER: Final = "bearer"
_TOKEN_IN_ACCEPT: Final = re.compile(r"; ?token=([A-Za-z0-9_-]{20,100})$")
_IN_THE_ROOM: Final = {On.ROOM: "room", On.CAMERA: "camera"}
_LOOKING: Final = frozenset({"GET", "HEAD"})
_SEE_OTHER: Final = 303
_SEEN_AS: Final = {On.FACTS: Sight.FACTS, On.RECORDING: Sight.CONTENT}


def who_asks(app: Flask, house: House) -> None:
    """Let ``app`` know who asks, before anything else wants to know it."""

    @app.before_request
    def _look() -> None:
        g.visitor = _visitor(house)


def doors(app: Flask, house: House) -> None:
    """Let nobody through to a view of ``app`` who may not; after ``who_asks``."""

    @app.before_request
    def _stand() -> Response | None:
        if request.endpoint is None:
            return None  # there is no such place, and that is what is answered
        rule = PERMISSIONS.get(request.endpoint)
        verdict = judge(rule, visitor_or_none(), demo=house.room)
        if verdict is Verdict.SIGN_IN:
            raise Unauthorized(www_authenticate=WWWAuthenticate(_BEARER) if _is_for_programs(rule) else None)
        if rule is None or verdict is Verdict.KEEP_OUT:
            if rule is not None and in_kiosk() and request.method in _LOOKING:
                return redirect(url_for("kiosk.view"), _SEE_OTHER)  # what a client is shown leads nowhere else
            raise Refusal(Forbidden.code, "error.403.role")
        if not rule.open_to_all(demo=house.room):
            _check_object(rule.on, house)
        return None

    def may(endpoint: str) -> bool:
        rule = PERMISSIONS.get(endpoint)
        return judge(rule, visitor_or_none(), demo=house.room) is Verdict.COME_IN

    app.add_template_global(may, "may")
    app.add_template_global(in_kiosk, "in_kiosk")


def in_kiosk() -> bool:
    """Whether a tablet asks that was handed to the client."""
    found = visitor_or_none()
    return found is not None and found.by is By.KIOSK


def _visitor(house: House) -> Visitor | None:
    people, front, now_s = house.people, house.front, house.unix_s()
    authorization = request.authorization
    shown = _TOKEN_IN_ACCEPT.search(request.headers.get("Accept", "")) if _is_read_by_a_program() else None
    if authorization is None and shown is not None:
        return _of(people.visitor_of_bearer(shown[1], now_s))
    if authorization is not None:
        token = authorization.token if authorization.type == _BEARER else None
        return _of(people.visitor_of_bearer(token, now_s) if token else None)
    kiosk = request.cookies.get(front.cookie(KIOSK_COOKIE))
    if kiosk is not None:
        return _of(people.visitor_of_kiosk(kiosk, now_s))
    cookie = request.cookies.get(front.cookie(PAGE_COOKIE))
    return _of(people.visitor_of_cookie(cookie, now_s) if cookie else None)


def _is_read_by_a_program() -> bool:
    return request.method in _LOOKING and request.path.startswith(f"{PREFIX}/")


def _of(visit: Visit | None) -> Visitor | None:
    return None if visit is None else Visitor(visit.person, By(visit.kind), visit.session)


def _check_object(on: On, house: House) -> None:
    """Raises:
    Refusal: the object is not the visitor's; of a recording that is another's, not even whether it exists is told.
    """
    if on in _IN_THE_ROOM:
        duty = house.people.on_duty(house.unix_s())
        if duty != mark_or_none() and (on is On.CAMERA or duty is not None):
            raise Refusal(Forbidden.code, f"error.403.{_IN_THE_ROOM[on]}")
    elif (least := _SEEN_AS.get(on)) is not None:
        sight = house.sight(house.find((request.view_args or {})["recording_id"]).manifest.therapist)
        if sight is Sight.NOTHING:
            raise no_such_recording()
        if sight < least:
            raise Refusal(Forbidden.code, "error.403.content")


def _is_for_programs(rule: Rule | None) -> bool:
    return rule is not None and By.PROGRAM in rule.by
