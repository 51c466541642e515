"""Who works in the room: a therapist checks in, and what is recorded is theirs until they check out or night comes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

from device.people.person import Role
from device.web.house import House
from device.web.visitor import visitor, visitor_or_none
from device.web.wording import time_text

_SEE_OTHER: Final = 303


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Who is checked in, as whoever asks is told. ``name`` is empty where nobody is; ``may``: they could check in."""

    name: str = ""
    mine: bool = False
    since: str = ""
    until: str = ""
    may: bool = False


def duty(house: House) -> Blueprint:
    """The routes ``/duty/in`` and ``/duty/out``."""
    blueprint = Blueprint("duty", __name__, url_prefix="/duty")

    @blueprint.post("/in")
    def check_in() -> Response:
        house.people.check_in(visitor().person.mark, house.unix_s())
        return redirect(url_for("lists.recordings"), _SEE_OTHER)

    @blueprint.post("/out")
    def check_out() -> Response:
        house.people.check_out(visitor().person.mark, house.unix_s())
        return redirect(url_for("lists.recordings"), _SEE_OTHER)

    return blueprint


def on_duty(house: House) -> OnDuty:
    """Who is checked in just now."""
    found, held = visitor_or_none(), house.people.duty(house.unix_s())
    may = found is not None and found.person.is_a(Role.THERAPIST)
    if held is None:
        return OnDuty(may=may)
    person = house.people.person(held.mark)
    return OnDuty(
        name=held.mark if person is None else person.name,
        mine=found is not None and found.person.mark == held.mark,
        since=time_text(held.since_s),
        until=time_text(held.until_s),
        may=may,
    )
