"""The framing check as the page shows it: the latest still, for as long as capture has one; it is kept nowhere here."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request
from werkzeug.exceptions import Forbidden

from device.stills import fetch_still
from device.web.house import House

AGE_HEADER: Final = "X-Sotto-Age-Ms"
_NO_CONTENT: Final = 204


def framing(house: House) -> Blueprint:
    """The route ``/framing.jpg``: a still, once that is noted, or 204. Only a page of ours is answered."""
    blueprint = Blueprint("framing", __name__)

    @blueprint.get("/framing.jpg")
    def still() -> Response:
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            raise Forbidden
        found = fetch_still(house.run)
        if found is None or not house.noting.view("framing"):
            return Response(status=_NO_CONTENT)
        response = Response(found.jpeg, mimetype="image/jpeg")
        response.headers[AGE_HEADER] = str(found.age_ms)
        # nginx would put what does not fit its memory into a file.
        response.headers["X-Accel-Buffering"] = "no"
        return response

    return blueprint
