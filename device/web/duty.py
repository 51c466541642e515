"""Who works in the room: a therapist checks in, and what is recorded is theirs until they check out or night comes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

from device.naming_requests import OnDuty
from device.people.duty import Duty, night_after
from device.people.person import Role
from device.web.house import House, Now
from device.web.naming import ask
from device.web.visitor import visitor, visitor_or_none
from device.web.wording import time_text

_SEE_OTHER: Final = 303
_SAID_WITHIN_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class InTheRoom:
    """Who is checked in, as whoever asks is told. ``name`` is empty where nobody is; ``may``: they could check in.

    ``known``: the capture service says the same; where it does not, what is recorded would be nobody's.
    """

    name: str = ""
    mine: bool = False
    since: str = ""
    until: str = ""
    may: bool = False
    known: bool = True


def duty(house: House) -> Blueprint:
    """The routes ``/duty/in`` and ``/duty/out``."""
    blueprint = Blueprint("duty", __name__, url_prefix="/duty")

    @blueprint.post("/in")
    def check_in() -> Response:
        mark, now_s = visitor().person.mark, house.unix_s()
        # Capture first: what it does not know would be nobody's, and nobody would notice.
        ask(house, OnDuty(by=mark, therapist=mark, for_s=max(1, int(night_after(now_s) - now_s))))
        house.people.check_in(mark, now_s)
        return redirect(url_for("lists.recordings"), _SEE_OTHER)

    @blueprint.post("/out")
    def check_out() -> Response:
        mark = visitor().person.mark
        if house.people.on_duty(house.unix_s()) == mark:
            ask(house, OnDuty(by=mark, therapist=None))
            house.people.check_out(mark, house.unix_s())
        return redirect(url_for("lists.recordings"), _SEE_OTHER)

    return blueprint


def in_the_room(house: House, now: Now) -> InTheRoom:
    """Who is checked in just now."""
    now_s = house.unix_s()
    found, held = visitor_or_none(), house.people.duty(now_s)
    may = found is not None and found.person.is_a(Role.THERAPIST)
    if held is None:
        return InTheRoom(may=may)
    person = house.people.person(held.mark)
    return InTheRoom(
        name=held.mark if person is None else person.name,
        mine=found is not None and found.person.mark == held.mark,
        since=time_text(held.since_s),
        until=time_text(held.until_s),
        may=may,
        known=_is_known(held, now, now_s=now_s),
    )


def _is_known(held: Duty, now: Now, *, now_s: float) -> bool:
    """Whether capture says the same, as far as it can have said anything since."""
    return now.believed is None or now.believed.on_duty == held.mark or now_s - held.since_s < _SAID_WITHIN_S
