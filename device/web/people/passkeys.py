"""Passkeys: what a browser's script is told and says, as JSON. Without a name of its own a box has none of this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from flask import Blueprint, Response, jsonify, request, url_for
from werkzeug.exceptions import BadRequest, NotFound

from device.people.refused import Reason, RefusedError
from device.shapes import Hidden, Shape, ShapeError, rule
from device.web.house import House
from device.web.people.asking import (
    caller,
    complaint_of,
    let_in,
    note_or_end,
    noted,
    noted_login,
    own_path,
    setting,
)

if TYPE_CHECKING:
    from device.people.keyring import Keyring


class _ToAdd(Shape):
    password: Hidden[Annotated[str, rule(max_length=1000)]]


class _Added(Shape):
    name: Annotated[str, rule(max_length=200)]
    said: dict[str, Any]


class _Proven(Shape):
    said: dict[str, Any]
    next: Annotated[str, rule(max_length=1000)] = "/"


_Model = TypeVar("_Model", bound=Shape)


def passkeys(house: House) -> Blueprint:
    """The routes under ``/passkeys``."""
    blueprint = Blueprint("passkeys", __name__, url_prefix="/passkeys")

    @blueprint.post("/ask")
    def ask() -> Response:
        return jsonify(_keyring(house).begin_asking(caller(house)))

    @blueprint.post("/prove")
    def prove() -> Response:
        proven, keyring = _read(_Proven), _keyring(house)
        try:
            begun = keyring.let_in(proven.said, caller(house))
        except RefusedError as problem:
            if problem.reason is Reason.PASSKEY:
                noted_login(house, "passkey", mark=None, granted=False)
            return _refused(problem)
        note_or_end(house, begun, "passkey")
        return let_in(house, jsonify(go=own_path(proven.next)), begun)

    @blueprint.post("/begin")
    def begin() -> Response:
        wanted = _read(_ToAdd)
        try:
            return jsonify(_keyring(house).begin_adding(setting().person, wanted.password, caller(house)))
        except RefusedError as problem:
            return _refused(problem)

    @blueprint.post("/add")
    def add() -> Response:
        made = _read(_Added)
        try:
            _keyring(house).add(setting().person, made.said, made.name, caller(house), noted(house, "passkey added"))
        except RefusedError as problem:
            return _refused(problem)
        return jsonify(go=url_for("account.view", done="passkey_added"))

    return blueprint


def _keyring(house: House) -> Keyring:
    if house.people.keyring is None:
        raise NotFound
    return house.people.keyring


def _read(model: type[_Model]) -> _Model:
    if request.mimetype != "application/json":
        raise BadRequest
    try:
        return model.model_validate_json(request.get_data())
    except ShapeError as problem:
        raise BadRequest from problem


def _refused(problem: RefusedError) -> Response:
    complaint = complaint_of(problem)
    response = jsonify(what=complaint.what, hint=complaint.hint)
    response.status_code = complaint.code
    return response
