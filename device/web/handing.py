"""Handing a tablet over: a therapist says what is asked, and for which session.

A measure that went beside the wrong recording would be another client's. So nothing is guessed where two sessions could
be meant, and only the therapist's own ones are there to be chosen from.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import Blueprint, render_template, request
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from device.measures.document import MOST_PEOPLE
from device.measures.measure import Measure, Moment
from device.measures.shelf import Shelf, read_shelf
from device.store import Listed
from device.web.house import House
from device.web.kiosk_door import hand_over_here
from device.web.kiosks import Plan
from device.web.people.qr import qr
from device.web.refusals import Refusal
from device.web.texts import text
from device.web.visitor import visitor
from device.web.wording import when

NEXT: Final = "next"
_LOOKED_AT: Final = 40
_SHOWN: Final = 4
_LATE_S: Final = 86_400.0
_JUST_ENDED_S: Final = 1800.0
_ORDER: Final = {Moment.BEFORE: 0, Moment.AFTER: 1, Moment.ANY: 2}


@dataclass(frozen=True, slots=True)
class Session:
    """A session that answers can belong to. ``value``: the recording's id, or ``NEXT``."""

    value: str
    words: str
    chosen: bool = False


def handing(house: House) -> Blueprint:
    """The route ``/measures/``."""
    blueprint = Blueprint("handing", __name__, url_prefix="/measures")

    @blueprint.get("/")
    def view() -> str:
        return _page(house, read_shelf(house.setup.measures))

    @blueprint.post("/")
    def hand_over() -> Response | str | tuple[str, int]:
        shelf = read_shelf(house.setup.measures)
        chosen = tuple(one for one in _ordered(shelf) if one.id in request.form.getlist("measure"))
        if not chosen:
            return _page(house, shelf, nothing=True), BadRequest.code
        recording = _recording(house)
        after = _open_window(house) if recording is None else None
        plan = Plan(visitor().person.mark, chosen, recording, after, _person())
        if request.form.get("where") == "here":
            return hand_over_here(house, plan)
        address = house.front.address(server_port=request.environ.get("SERVER_PORT", "")) + "kiosk/"
        code = house.kiosks.prepare(plan, house.unix_s())
        return render_template("handing_code.html", code=code, address=address, picture=qr(f"{address}?code={code}"))

    return blueprint


def sessions_of(house: House) -> list[Session]:
    """The sessions that whoever asks can choose from; none is chosen where two are as likely.

    Raises:
        StoreError: the store cannot be listed.
    """
    mark = visitor().person.mark
    status = house.now().believed
    running = status.recording if status is not None else None
    own = _own(house, mark)
    found = [_session(listed, running=running is not None and running.id == listed.manifest.id) for listed in own]
    here = house.people.on_duty(house.unix_s()) == mark
    if here and not any(one.chosen for one in found):
        clear = not any(_age_s(house, listed.manifest.ended) < _JUST_ENDED_S for listed in own)
        words = text("handing.session.now" if running is not None else "handing.session.next")
        found.insert(0, Session(NEXT, words, chosen=running is not None or clear))
    return found


def _own(house: House, mark: str) -> list[Listed]:
    """The newest recordings of one therapist that something may still be put beside."""
    found: list[Listed] = []
    for recording_id in list(reversed(house.store.ids()))[:_LOOKED_AT]:
        listed = house.store.find(recording_id)
        if listed is None or listed.manifest.therapist != mark or listed.going is not None:
            continue
        if _age_s(house, listed.manifest.started) < _LATE_S:
            found.append(listed)
    return found[:_SHOWN]


def _age_s(house: House, moment: str | None) -> float:
    """How long ago that was. What is still to come was just now: the clock was set."""
    return 0.0 if moment is None else max(house.unix_s() - datetime.fromisoformat(moment).timestamp(), 0.0)


def _open_window(house: House) -> str | None:
    """The recording that its client can still withdraw."""
    status = house.now().believed
    last = status.last if status is not None else None
    return last.id if last is not None and last.window_left_s > 0 else None


def _session(listed: Listed, *, running: bool) -> Session:
    manifest = listed.manifest
    if running:
        return Session(manifest.id, text("handing.session.now"), chosen=True)
    return Session(manifest.id, text("handing.session.past", started=when(manifest.started).local))


def _ordered(shelf: Shelf) -> list[Measure]:
    return sorted(shelf.measures.values(), key=lambda one: _ORDER[one.moment])


def _page(house: House, shelf: Shelf, *, nothing: bool = False) -> str:
    return render_template(
        "handing.html",
        measures=_ordered(shelf),
        chosen=request.form.getlist("measure"),
        wrong=shelf.wrong,
        sessions=sessions_of(house),
        nothing=nothing,
        help=house.setup.therapist_help,
    )


def _recording(house: House) -> str | None:
    """The recording that answers belong to; ``None``: the one that runs, or the next.

    Raises:
        Refusal: none that can be chosen was.
    """
    value = request.form.get("session", "")
    if value not in {one.value for one in sessions_of(house)}:
        raise Refusal(BadRequest.code, "error.session")
    return None if value == NEXT else value


def _person() -> int:
    person = request.form.get("person", 1, type=int)
    if not 1 <= person <= MOST_PEOPLE:
        raise BadRequest
    return person
