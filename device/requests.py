"""What the page may ask of the session, over one local socket: to stop, to mark, and how many people choose.

Consent and start do not exist in this vocabulary (ARCHITECTURE, section 4). One JSON object per datagram:
``{"ask": "stop"}``, ``{"ask": "mark"}``, ``{"ask": "people", "people": 2}``. What it may have named is answered:
``device/naming_requests.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

from device.datagrams import send_datagram
from device.shapes import Shape, ShapeError, from_json, rule

REQUESTS_NAME: Final = "requests.sock"


class Stop(Shape, tag_field="ask", tag="stop"):
    """Stop the recording; it is kept."""

    ask: ClassVar[Literal["stop"]] = "stop"


class Mark(Shape, tag_field="ask", tag="mark"):
    """Set a bookmark at this moment."""

    ask: ClassVar[Literal["mark"]] = "mark"


class People(Shape, tag_field="ask", tag="people"):
    """How many people choose in the next session."""

    ask: ClassVar[Literal["people"]] = "people"
    people: Annotated[int, rule(ge=1, le=12)]


Request = Stop | Mark | People


def parse_request(data: bytes) -> Request | None:
    """A request, or ``None`` for anything that is none."""
    try:
        request: Request = from_json(Request, data)
    except ShapeError:
        return None
    return request


def send_request(request: Request, run: Path) -> None:
    """Ask capture for something. That it was asked is all that is known; the status tells what came of it.

    Raises:
        AdminError: capture is not there.
    """
    send_datagram(request.model_dump_json().encode(), run / REQUESTS_NAME)
