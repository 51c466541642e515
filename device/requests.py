"""What the page may ask of the session, over one local socket: to stop, to mark, and how many people choose.

Consent and start do not exist in this vocabulary (ARCHITECTURE, section 4). One JSON object per datagram:
``{"ask": "stop"}``, ``{"ask": "mark"}``, ``{"ask": "people", "people": 2}``. What it may have named is answered:
``device/naming_requests.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from device.datagrams import send_datagram

REQUESTS_NAME: Final = "requests.sock"


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Stop(_Request):
    """Stop the recording; it is kept."""

    ask: Literal["stop"] = "stop"


class Mark(_Request):
    """Set a bookmark at this moment."""

    ask: Literal["mark"] = "mark"


class People(_Request):
    """How many people choose in the next session."""

    ask: Literal["people"] = "people"
    people: Annotated[int, Field(ge=1, le=12)]


Request = Stop | Mark | People
_ADAPTER: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="ask")])


def parse_request(data: bytes) -> Request | None:
    """A request, or ``None`` for anything that is none."""
    try:
        return _ADAPTER.validate_json(data)
    except ValidationError:
        return None


def send_request(request: Request, run: Path) -> None:
    """Ask capture for something. That it was asked is all that is known; the status tells what came of it.

    Raises:
        AdminError: capture is not there.
    """
    send_datagram(request.model_dump_json().encode(), run / REQUESTS_NAME)
