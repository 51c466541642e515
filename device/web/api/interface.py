"""The interface for programs, put together: what there is of it, and where."""

from __future__ import annotations

from flask import Blueprint, Response

from device.web.api import PREFIX
from device.web.api.beside import beside
from device.web.api.description import description as describe
from device.web.api.device import device
from device.web.api.edges import document
from device.web.api.recordings import recordings
from device.web.api.signing_in import signing_in
from device.web.house import House


def api(house: House) -> Blueprint:
    """The routes under ``/api/v1``; the sealed bytes and the manifest there are those of ``device/web/download.py``."""
    blueprint = Blueprint("api", __name__, url_prefix=PREFIX)
    described = describe()

    @blueprint.get("/openapi.json")
    def description() -> Response:
        return document(described)

    for part in (device, signing_in, recordings, beside):
        part(blueprint, house)
    return blueprint
