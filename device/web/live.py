"""The state of the box, for pages that look again and again."""

from __future__ import annotations

from dataclasses import asdict
from hashlib import sha256

from flask import Blueprint, Response, json, request

from device.web.house import House, Now


def live(house: House) -> Blueprint:
    """The route ``/status.json``: the status, whether it is stale, and what there is to say about it."""
    blueprint = Blueprint("live", __name__)

    @blueprint.get("/status.json")
    def status() -> Response:
        body = _document(house.now())
        response = Response(body, mimetype="application/json")
        response.set_etag(sha256(body).hexdigest()[:32])
        response.make_conditional(request)
        return response

    return blueprint


def _document(now: Now) -> bytes:
    status = now.status.model_dump(mode="json") if now.status else {}
    return json.dumps({**status, "stale": now.stale, "says": asdict(now.says)}).encode()
