"""Who asks, as each view of the page is told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from flask import g
from werkzeug.exceptions import Unauthorized

from device.people.person import Person


class By(StrEnum):
    """How somebody came in."""

    PAGE = "page"  # signed in with a password and a second factor, or a passkey
    PROGRAM = "program"  # a bearer token, got by key login
    KIOSK = "kiosk"  # a tablet handed to the client: the measures of one session, and nothing else


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who proved who they are. In the kiosk ``person`` is the therapist who handed the tablet over."""

    person: Person
    by: By
    session: str  # what is ended when they sign out; never the token itself


def visitor_or_none() -> Visitor | None:
    """Who asks, or ``None`` for a stranger. The doors (``device/web/doors.py``) set it before any view runs."""
    return cast("Visitor | None", g.get("visitor"))


def mark_or_none() -> str | None:
    """The mark of who asks, or ``None`` for a stranger."""
    found = visitor_or_none()
    return None if found is None else found.person.mark


def visitor() -> Visitor:
    """Who asks.

    Raises:
        Unauthorized: a stranger does; the permission table lets none get here.
    """
    found = visitor_or_none()
    if found is None:
        raise Unauthorized
    return found
