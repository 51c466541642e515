"""The recordings list, and the page of one recording."""

from __future__ import annotations

from flask import Blueprint, render_template

from device.web.facts import facts_of
from device.web.house import House
from device.web.rows import row_of, rows
from device.web.sight import Sight


def lists(house: House) -> Blueprint:
    """The routes ``/`` and ``/recordings/<id>/``."""
    blueprint = Blueprint("lists", __name__)

    @blueprint.get("/")
    def recordings() -> str:
        now = house.now()
        return render_template("list.html", now=now, list=rows(house, now.believed))

    @blueprint.get("/recordings/<recording_id>/")
    def recording(recording_id: str) -> str:
        listed = house.find(recording_id)
        house.noting.must_view("facts", recording_id)
        now = house.now()
        sight = house.sight(listed.manifest)
        return render_template(
            "recording.html",
            now=now,
            row=row_of(listed, now.believed, sight=sight),
            facts=facts_of(listed.manifest),
            listed=listed,
            content=sight is Sight.CONTENT,
        )

    return blueprint
