"""The page, put together. Everything it knows is handed in; nothing is kept in globals."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from flask import Flask
from jinja2 import StrictUndefined

from device.people.people import People
from device.remembering import RememberingReader
from device.store import StoreReader
from device.web.ahead import ahead
from device.web.api.interface import api
from device.web.asks import asks
from device.web.box import BOX
from device.web.cors import cors
from device.web.doors import doors, who_asks
from device.web.download import download
from device.web.duty import duty
from device.web.failures import failures
from device.web.forms import forms
from device.web.frame import frame
from device.web.framing import framing
from device.web.front import Front
from device.web.guard import guard
from device.web.handing import handing
from device.web.headers import headers
from device.web.house import House
from device.web.kiosk import kiosk
from device.web.lists import lists
from device.web.live import live
from device.web.naming import naming
from device.web.noting import Noting
from device.web.people import PEOPLE
from device.web.room import room as room_view
from device.web.setup import Setup
from device.web.visitor import mark_or_none
from device.web.waiting import waiting

# The longest that anybody has to say to the page is a form of a few words.
_MOST_REQUEST_BYTES: Final = 16 * 1024
_PAGES: Final = (lists, api, download, live, framing, asks, duty, naming, waiting, handing, kiosk, *BOX, *PEOPLE)
_LOOPBACK: Final = Front()


def create_app(
    *,
    store: StoreReader,
    run: Path,
    box: str,
    room: bool,
    people: People,
    setup: Setup | None = None,
    front: Front = _LOOPBACK,
    form_key: bytes | None = None,
    unix_s: Callable[[], float] = time.time,
) -> Flask:
    """The page of one box, as a WSGI application.

    ``run`` is where capture publishes its status and listens; ``room`` says whether the panel is simulated, so that
    there is a room view; ``setup`` is what the configuration says; ``front``: how browsers get here; ``form_key`` signs
    the tokens of forms (none: one that is forgotten when the page ends); ``unix_s`` is the wall clock that the status
    is published by.
    """
    house = House(
        store=RememberingReader(of=store),
        run=run,
        box=box,
        room=room,
        unix_s=unix_s,
        noting=Noting(run, who=mark_or_none),
        people=people,
        setup=setup or Setup(),
        front=front,
    )
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = _MOST_REQUEST_BYTES
    app.jinja_options = {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    headers(app, front=front)
    failures(app, front=front)
    # In this order: is it for us, who asks, was it meant, may they.
    guard(app, front=front)
    cors(app)
    who_asks(app, house)
    forms(app, front=front, key=form_key or secrets.token_bytes(32))
    doors(app, house)
    frame(app, house)
    ahead(app, house)
    for blueprint in (*_PAGES, *([room_view] if room else [])):
        app.register_blueprint(blueprint(house))
    return app
