"""Naming what is recorded: a label, a note, a wish, whose it is. Capture seals it and answers; nothing is kept here.

Each form comes with the recording that it is meant for, or with none: then it is for the session in the room, the one
that runs or the next one that begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from device.naming_requests import Asked, AskFor, Assign, Declined, Label, Named, Note, NotNamedError, ask_naming
from device.shapes import ShapeError
from device.web.house import House
from device.web.refusals import Refusal
from device.web.texts import text
from device.web.visitor import visitor

_SEE_OTHER: Final = 303
_CONFLICT: Final = 409
SAID: Final = frozenset({"label", "note", "asked", "taken_back", "assigned", "declined", "left", "placed"})
"""What was done just now, as the next page's address says it."""


def naming(house: House) -> Blueprint:
    """The routes beneath ``/recordings/<id>/`` and ``/session/`` by which something is named."""
    blueprint = Blueprint("naming", __name__)

    @blueprint.post("/recordings/<recording_id>/label")
    def label(recording_id: str) -> Response:
        ask(house, _label(request.form, recording_id))
        return _back(recording_id, "label")

    @blueprint.post("/recordings/<recording_id>/note")
    def note(recording_id: str) -> Response:
        ask(house, _note(request.form, recording_id))
        return _back(recording_id, "note")

    @blueprint.post("/recordings/<recording_id>/wish")
    def wish(recording_id: str) -> Response:
        taken_back = request.form.get("taken_back") == "1"
        ask(house, _wish(request.form, recording_id, taken_back=taken_back))
        return _back(recording_id, "taken_back" if taken_back else "asked")

    @blueprint.post("/recordings/<recording_id>/assign")
    def assign(recording_id: str) -> Response:
        ask(house, _assign(house, request.form, recording_id))
        return _back(recording_id, "assigned")

    @blueprint.post("/session/label")
    def session_label() -> Response:
        ask(house, _label(request.form, None))
        return _back(None, "label")

    @blueprint.post("/session/note")
    def session_note() -> Response:
        ask(house, _note(request.form, None))
        return _back(None, "note")

    @blueprint.post("/session/declined")
    def declined() -> Response:
        ask(house, Declined(by=visitor().person.mark))
        return _back(None, "declined")

    return blueprint


def _back(recording_id: str | None, said: str) -> Response:
    if recording_id is None:
        return redirect(url_for("lists.recordings", said=said), _SEE_OTHER)
    return redirect(url_for("lists.recording", recording_id=recording_id, said=said), _SEE_OTHER)


def ask(house: House, asked: Asked) -> Named:
    """Have capture do it.

    Raises:
        Refusal: it says why not.
        AdminError: it does not answer.
    """
    try:
        return ask_naming(asked, house.run)
    except NotNamedError as problem:
        raise Refusal(_CONFLICT, f"error.named.{problem.reason.replace(' ', '_')}") from problem


def _label(form: Mapping[str, str], recording_id: str | None) -> Label:
    session = form.get("session", "").strip()
    try:
        return Label(
            by=visitor().person.mark,
            recording=recording_id,
            client=_word(form, "client") or "",
            session=int(session) if session else None,
            study=_word(form, "study"),
            arm=_word(form, "arm"),
        )
    except (ShapeError, ValueError) as problem:
        raise Refusal(400, "error.label") from problem


def _word(form: Mapping[str, str], name: str) -> str | None:
    return form.get(name, "").strip() or None


def _note(form: Mapping[str, str], recording_id: str | None) -> Note:
    written = form.get("text", "").replace("\r\n", "\n").strip()  # a form sends its line ends as the wire has them
    try:
        return Note(by=visitor().person.mark, recording=recording_id, text=written)
    except ShapeError as problem:
        raise Refusal(400, "error.note") from problem


def _wish(form: Mapping[str, str], recording_id: str, *, taken_back: bool) -> AskFor:
    told = {"by": visitor().person.mark, "recording": recording_id, "wish": form.get("wish"), "taken_back": taken_back}
    try:
        return AskFor.model_validate(told)
    except ShapeError as problem:
        raise Refusal(400, "error.400") from problem


def _assign(house: House, form: Mapping[str, str], recording_id: str) -> Assign:
    """To somebody who is a therapist here; to nobody else can a recording belong."""
    mark = form.get("therapist", "")
    if mark not in {one.mark for one in house.therapists()}:
        raise Refusal(400, "error.assign")
    return Assign(by=visitor().person.mark, recording=recording_id, therapist=mark)


def said(address: Mapping[str, str]) -> str:
    """What was done just now, in words; empty where nothing was."""
    done = address.get("said", "")
    return text(f"said.{done}") if done in SAID else ""
