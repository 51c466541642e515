"""A request that is answered with a refusal of our own words."""

from __future__ import annotations

from werkzeug.exceptions import HTTPException


class Refusal(HTTPException):
    """Refused with ``code``; ``key`` names the two sentences of the catalogue, what happened and what to do."""

    def __init__(self, code: int, key: str) -> None:
        super().__init__()
        self.code = code
        self.key = key


def no_such_recording() -> Refusal:
    """There is none of that id (any more)."""
    return Refusal(404, "error.404.recording")
