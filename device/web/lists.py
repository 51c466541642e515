"""What everybody comes for: the state of the room, who works there, and the recordings that they may see."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, render_template, request

from device.web.counting import counted_of
from device.web.duty import in_the_room
from device.web.facts import facts_of
from device.web.filters import NOBODY, SOUNDS, STATES, wanted_of
from device.web.house import House
from device.web.naming import said
from device.web.openers import openers
from device.web.paging import number_of
from device.web.rows import Rowing, rows
from device.web.waiting import in_waiting
from device.web.ways import STEPS
from device.wishes import wishes_of

_CHOICES: Final = {"states": STATES, "sounds": SOUNDS, "nobody": NOBODY}


def lists(house: House) -> Blueprint:
    """The routes ``/`` and ``/recordings/<id>/``."""
    blueprint, openers_said = Blueprint("lists", __name__), openers(house)

    @blueprint.get("/")
    def recordings() -> str:
        now, wanted = house.now(), wanted_of(request.args)
        found = rows(house, now, wanted=wanted, page=number_of(request.args.get("page")))
        who = in_the_room(house, now)
        return render_template(
            "list.html",
            now=now,
            openers=openers_said(),
            list=found,
            wanted=wanted,
            choices=_CHOICES,
            duty=who,
            said=said(request.args),
            counted=counted_of(house) if who.may else None,
            waiting=in_waiting(house) if who.may else None,
            last=found.last_own if who.may else None,
        )

    @blueprint.get("/recordings/<recording_id>/")
    def recording(recording_id: str) -> str:
        listed = house.find(recording_id)
        house.noting.must_view("facts", recording_id)
        now = house.now()
        row = Rowing(house, now).row(listed)
        facts = facts_of(listed.manifest)
        return render_template(
            "recording.html",
            now=now,
            row=row,
            facts=facts,
            listed=listed,
            steps=STEPS,
            said=said(request.args),
            therapists=house.therapists(),
            wishes={wished.wish for wished in wishes_of(house.store.folder(recording_id))},
        )

    return blueprint
