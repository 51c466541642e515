"""What the page may ask of capture, over one local socket: it can stop, mark and name, and nothing else.

Consent and start do not exist in this vocabulary (ARCHITECTURE, section 4). One JSON object per datagram:
``{"ask": "stop"}``, ``{"ask": "mark"}``, ``{"ask": "people", "people": 2}``, ``{"ask": "label", "text": "…"}``,
``{"ask": "note", "text": "…"}``. The texts belong to the recording that runs, or whose window is open.
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


class Label(_Request):
    """Name the recording; the next one takes this one's place."""

    ask: Literal["label"] = "label"
    text: Annotated[str, Field(min_length=1, max_length=200, repr=False)]


class Note(_Request):
    """Put a note beside the recording."""

    ask: Literal["note"] = "note"
    text: Annotated[str, Field(min_length=1, max_length=600, repr=False)]


Request = Stop | Mark | People | Label | Note
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
