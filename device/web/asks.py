"""What the page may ask of capture: stop, mark, and how many people choose. Consent and start do not exist here."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, jsonify, redirect, request, url_for
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response as AnyResponse

from device.requests import Mark, People, Request, Stop, send_request
from device.shapes import Shape, ShapeError
from device.web.house import House
from device.web.refusals import Refusal

_ACCEPTED: Final = 202
_SEE_OTHER: Final = 303


def asks(house: House) -> Blueprint:
    """The routes under ``/requests/``. A form is answered with the page it came from, JSON with 202."""
    blueprint = Blueprint("asks", __name__, url_prefix="/requests")

    @blueprint.post("/stop")
    def stop() -> AnyResponse:
        _expect_nothing()
        return _ask(Stop())

    @blueprint.post("/mark")
    def mark() -> AnyResponse:
        _expect_nothing()
        return _ask(Mark())

    @blueprint.post("/people")
    def people() -> AnyResponse:
        return _ask(_people())

    def _ask(wanted: Request) -> AnyResponse:
        send_request(wanted, house.run)
        if request.mimetype == "application/json":
            response: Response = jsonify(asked=wanted.ask)
            response.status_code = _ACCEPTED
            return response
        to_room = house.room and request.form.get("back") == "room"
        return redirect(url_for("room.view" if to_room else "lists.recordings"), _SEE_OTHER)

    return blueprint


def _expect_nothing() -> None:
    if request.mimetype != "application/json":
        return
    try:
        Shape.model_validate_json(request.get_data())
    except ShapeError as problem:
        raise BadRequest from problem


def _people() -> People:
    try:
        if request.mimetype == "application/json":
            return People.model_validate_json(request.get_data())
        return People.model_validate({"people": request.form.get("people")}, strict=False)
    except ShapeError as problem:
        raise Refusal(400, "error.people") from problem
