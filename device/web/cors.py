"""Pages of other origins and the interface for programs: who may read its answers in a browser.

A page that was opened from disk has no origin of its own, so any origin may (Fetch, "CORS protocol"). That gives
nothing away: an answer is for whoever shows a token, no browser sends that by itself, and it is never kept by one. What
was answered to a cookie stays with pages of ours, and outside of the interface nothing is for any other origin.
"""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, request

from device.web.api import PREFIX
from device.web.visitor import By, visitor_or_none

ANY_ORIGIN: Final = "Access-Control-Allow-Origin"
READABLE: Final = "Access-Control-Expose-Headers"
_ANSWERS: Final = {
    ANY_ORIGIN: "*",
    READABLE: "Accept-Ranges, Content-Length, Content-Range, ETag, Retry-After",
}
_PERMITS: Final = {
    ANY_ORIGIN: "*",
    "Access-Control-Allow-Methods": "GET, HEAD, POST, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-None-Match, If-Range, Range",
    # As long as browsers keep it: each question would be a way there and back before the first sound.
    "Access-Control-Max-Age": "86400",
}
_NO_CONTENT: Final = 204


def cors(app: Flask) -> None:
    """Let browsers hand what the interface of ``app`` answers to pages of other origins; after ``guard``."""

    @app.before_request
    def _permit() -> Response | None:
        if request.method == "OPTIONS" and _for_programs():  # a browser asks before a page may; nobody is known yet
            return Response(status=_NO_CONTENT, headers=_PERMITS)
        return None

    @app.after_request
    def _add(response: Response) -> Response:
        if _for_programs() and not _by_cookie():
            for name, value in _ANSWERS.items():
                response.headers.setdefault(name, value)
            if "Origin" in request.headers:  # a browser keeps nothing of it, whatever the page that asks says
                response.headers["Cache-Control"] = "no-store"
        return response


def _for_programs() -> bool:
    return request.path.startswith(f"{PREFIX}/")


def _by_cookie() -> bool:
    found = visitor_or_none()
    return found is not None and found.by is not By.PROGRAM
