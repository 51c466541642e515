"""How a browser becomes a tablet in the client's hands, and how it stops being one.

Nothing of a therapist stays in it: whoever was signed in there is signed out, and what the browser kept of the page's
other answers is thrown away, so that its Back button has nowhere to go (W3C Clear Site Data; browsers heed it by https,
and on loopback).
"""

from __future__ import annotations

from typing import Final

from flask import make_response, redirect, request, url_for
from werkzeug.wrappers import Response

from device.audit_requests import NoteRequest
from device.people.visit import LIVES, Kind
from device.web.doors import KIOSK_COOKIE, PAGE_COOKIE
from device.web.house import House
from device.web.kiosks import Plan
from device.web.visitor import By, visitor_or_none

_SEE_OTHER: Final = 303


def session_here() -> str | None:
    """The session of this tablet; ``None`` where the browser is none."""
    found = visitor_or_none()
    return found.session if found is not None and found.by is By.KIOSK else None


def hand_over_here(house: House, plan: Plan) -> Response:
    """Make a tablet of the browser that asks; it is in the audit log before it is one.

    Raises:
        Refusal: that could not be noted.
    """
    now_s, found = house.unix_s(), visitor_or_none()
    if found is not None:
        house.noting.must_note(NoteRequest(what="logout", person=found.person.mark, door=found.by))
    house.noting.must_note(NoteRequest(what="login", granted=True, person=plan.mark, door=By.KIOSK, way="handed over"))
    _end_visit(house)
    begun = house.people.hand_over(plan.mark, ", ".join(measure.id for measure in plan.measures), now_s)
    house.kiosks.begin(begun.session, plan, now_s)
    response = redirect(url_for("kiosk.view"), _SEE_OTHER)
    _drop(house, response, PAGE_COOKIE)
    response.set_cookie(
        house.front.cookie(KIOSK_COOKIE),
        begun.token,
        max_age=round(LIVES[Kind.KIOSK].most_s),
        secure=house.front.tls,
        httponly=True,
        samesite="Strict",
    )
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def let_go(house: House, answer: Response | str) -> Response:
    """Answer, and let the browser be a browser again."""
    response = make_response(answer)
    if session_here() is not None:
        _note_end(house)
        _end_visit(house)
        response.headers["Clear-Site-Data"] = '"cache"'
    if house.front.cookie(KIOSK_COOKIE) in request.cookies:
        _drop(house, response, KIOSK_COOKIE)
    return response


def _note_end(house: House) -> None:
    """Have noted that a tablet was handed back. It ends whether that can be noted or not: no client is kept at one."""
    found = visitor_or_none()
    if found is not None:
        house.noting.note(NoteRequest(what="logout", person=found.person.mark, door=found.by))


def _end_visit(house: House) -> None:
    found = visitor_or_none()
    if found is not None:
        house.people.revoke(found.person.mark, found.session)


def _drop(house: House, response: Response, name: str) -> None:
    response.delete_cookie(house.front.cookie(name), secure=house.front.tls, httponly=True, samesite="Strict")
