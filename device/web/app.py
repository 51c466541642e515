"""The page, put together. Everything it knows is handed in; nothing is kept in globals."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from flask import Flask, request
from jinja2 import StrictUndefined

from device.people.people import People
from device.remembering import RememberingReader
from device.store import StoreReader
from device.web.api.interface import api
from device.web.asks import asks
from device.web.download import download
from device.web.failures import failures
from device.web.framing import framing
from device.web.guard import guard
from device.web.headers import headers
from device.web.house import House
from device.web.lists import lists
from device.web.live import live
from device.web.noting import Noting
from device.web.room import room as room_view
from device.web.texts import text

# The longest that anybody has to say to the page is a form of a few words.
_MOST_REQUEST_BYTES: Final = 16 * 1024
_MOST_PEOPLE: Final = 12


def create_app(
    *, store: StoreReader, run: Path, box: str, room: bool, people: People, unix_s: Callable[[], float] = time.time
) -> Flask:
    """The page of one box, as a WSGI application.

    ``run`` is where capture publishes its status and listens; ``room`` says whether the panel is simulated, so that
    there is a room view; ``unix_s`` is the wall clock that the status is published by.
    """
    house = House(
        store=RememberingReader(of=store), run=run, box=box, room=room, unix_s=unix_s, noting=Noting(run), people=people
    )
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = _MOST_REQUEST_BYTES
    app.jinja_options = {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    for part in (guard, headers, failures):
        part(app)
    for blueprint in (lists, api, download, live, framing, asks, *([room_view] if room else [])):
        app.register_blueprint(blueprint(house))

    @app.context_processor
    def _frame() -> dict[str, Any]:
        looked = datetime.fromtimestamp(unix_s()).astimezone()
        return {
            "t": text,
            "box": box,
            "room": room,
            "looked": f"{looked:%H:%M:%S}",
            "most_people": _MOST_PEOPLE,
            "endpoint": request.endpoint or "",
        }

    return app
