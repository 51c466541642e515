"""To which name the page answers, whoever asks."""

from __future__ import annotations

from flask import Flask, request
from werkzeug.exceptions import MisdirectedRequest

from device.web.front import Front


def guard(app: Flask, *, front: Front) -> None:
    """Let ``app`` answer to its own names only."""

    @app.before_request
    def _check_host() -> None:
        host, port = request.environ.get("HTTP_HOST", ""), request.environ.get("SERVER_PORT", "")
        if not front.answers(host, server_port=port):
            raise MisdirectedRequest
