"""What waits for a recording, or was left: whoever gave it sees that it is there, and says where it belongs.

A box cannot know whether the client who answered is the client who is recorded next. So a therapist can say that a
session was not recorded, before another client's begins, and put what was left beside the right recording afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from device.clock import SystemClock, boot_id, stamp
from device.naming_requests import Leave, Place
from device.shapes import ShapeError
from device.store import Listed
from device.waiting import WAITS_S, Waiting, read_waiting, waits_still
from device.web.house import House, is_open
from device.web.naming import ask
from device.web.refusals import Refusal
from device.web.texts import text
from device.web.visitor import mark_or_none, visitor
from device.web.wording import when

_SEE_OTHER: Final = 303
_LOOKED_AT: Final = 100
_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Waits:
    """One of them. ``until``: when it waits no more; ``left``: it goes nowhere by itself."""

    name: str
    what: str
    given: str
    until: str
    left: bool


@dataclass(frozen=True, slots=True)
class InWaiting:
    """All of one person's, oldest first, and the recordings that it could be put beside: (id, when), newest first."""

    all: tuple[Waits, ...]
    recordings: tuple[tuple[str, str], ...]

    @property
    def any_waits(self) -> bool:
        """Whether something goes beside the next recording."""
        return any(not one.left for one in self.all)

    @property
    def any_left(self) -> bool:
        """Whether something lies beside none."""
        return any(one.left for one in self.all)


def waiting(house: House) -> Blueprint:
    """The routes under ``/waiting/``."""
    blueprint = Blueprint("waiting", __name__, url_prefix="/waiting")

    @blueprint.post("/leave")
    def leave() -> Response:
        ask(house, Leave(by=visitor().person.mark))
        return redirect(url_for("lists.recordings", said="left"), _SEE_OTHER)

    @blueprint.post("/<name>/place")
    def place(name: str) -> Response:
        recording_id = request.form.get("recording", "")
        if recording_id not in {one.manifest.id for one in _own(house)}:
            raise Refusal(400, "error.place")
        try:
            asked = Place(by=visitor().person.mark, name=name, recording=recording_id)
        except ShapeError as problem:
            raise Refusal(404, "error.404") from problem
        ask(house, asked)
        return redirect(url_for("lists.recording", recording_id=recording_id, said="placed"), _SEE_OTHER)

    return blueprint


def in_waiting(house: House) -> InWaiting | None:
    """What whoever asks has given that lies beside no recording yet; ``None``: nothing.

    Raises:
        StoreError: the store cannot be listed.
    """
    mark, now = mark_or_none(), stamp(SystemClock(), boot_id())
    own = [one for one in read_waiting(house.store.path) if one.by == mark]
    if not own:
        return None
    rows = tuple(_row(one, left=not waits_still(one, now)) for one in own)
    choices = tuple((one.manifest.id, when(one.manifest.started).local) for one in _own(house))
    return InWaiting(rows, choices)


def _row(one: Waiting, *, left: bool) -> Waits:
    until = datetime.fromisoformat(one.sealed) + timedelta(seconds=WAITS_S)
    return Waits(
        name=one.name,
        what=text(f"waiting.kind.{one.kind}"),
        given=when(one.sealed).local,
        until=f"{until.astimezone():%H:%M}",
        left=left,
    )


def _own(house: House) -> list[Listed]:
    """The newest recordings of whoever asks that something may still be put beside."""
    mark, found = mark_or_none(), list[Listed]()
    for recording_id in list(reversed(house.store.ids()))[:_LOOKED_AT]:
        listed = house.store.find(recording_id)
        if listed is None or listed.manifest.therapist != mark or listed.going is not None or is_open(listed):
            continue
        found.append(listed)
    return found[:_SHOWN]
