"""The room view: the box drawn as it stands in the room, with buttons for a simulated finger.

Only a box whose panel is simulated has it; elsewhere its routes do not exist.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, render_template, request
from werkzeug.exceptions import BadRequest

from device.room import parse_finger, send_finger
from device.web.house import House
from device.web.openers import openers
from device.web.rows import rows

_RECENT: Final = 5
_NO_CONTENT: Final = 204


def room(house: House) -> Blueprint:
    """The routes ``/room`` and ``/room/finger``."""
    blueprint, openers_said = Blueprint("room", __name__), openers(house)

    @blueprint.get("/room")
    def view() -> str:
        now = house.now()
        return render_template("room.html", now=now, openers=openers_said(), list=rows(house, now, most=_RECENT))

    @blueprint.post("/room/finger")
    def finger() -> Response:
        pressed = parse_finger(request.get_data()) if request.mimetype == "application/json" else None
        if pressed is None:
            raise BadRequest
        send_finger(pressed, house.run)
        return Response(status=_NO_CONTENT)

    return blueprint
