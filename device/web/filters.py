"""Which recordings somebody wants to see of those that they may; pure. What an address says wrongly is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from device.glimpse import Glimpse
from device.people.person import is_mark

STATES: Final = ("complete", "interrupted", "unfinished", "going")
SOUNDS: Final = ("good", "not good")
NOBODY: Final = "nobody"
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; ``None`` and ``False``: that does not matter.

    ``therapist``: a mark, or ``nobody`` where nobody was checked in. ``since`` and ``until``: days of the computer's
    own zone, both of them included. ``open_items``: those alone that have no measures beside them.
    """

    therapist: str | None = None
    since: date | None = None
    until: date | None = None
    room: str | None = None
    state: str | None = None
    sound: str | None = None
    open_items: bool = False

    @property
    def anything(self) -> bool:
        """Whether anything is looked for, and not simply all that there is."""
        return self != Wanted()

    def address(self) -> dict[str, str]:
        """The same as an address has it."""
        told: dict[str, object | None] = {
            "therapist": self.therapist,
            "since": self.since,
            "until": self.until,
            "room": self.room,
            "state": self.state,
            "sound": self.sound,
            "open": "1" if self.open_items else None,
        }
        return {name: str(value) for name, value in told.items() if value is not None}


def wanted_of(address: Mapping[str, str]) -> Wanted:
    """What the address of a page says."""
    therapist, state, sound = address.get("therapist", ""), address.get("state"), address.get("sound")
    return Wanted(
        therapist=therapist if therapist == NOBODY or is_mark(therapist) else None,
        since=_day(address.get("since", "")),
        until=_day(address.get("until", "")),
        room=address.get("room", "")[:_MOST] or None,
        state=state if state in STATES else None,
        sound=sound if sound in SOUNDS else None,
        open_items=address.get("open") == "1",
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def fits(glimpse: Glimpse, wanted: Wanted, *, state: str, measures: int | None) -> bool:
    """Whether it is looked for. ``measures``: how many are beside it, ``None`` where that is not to be told."""
    return (
        _is(wanted.room, glimpse.common.box)
        and _is(wanted.therapist, glimpse.common.therapist or NOBODY)
        and _is(wanted.state, _group(state))
        and _is(wanted.sound, "good" if glimpse.common.verdict == "good" else "not good")
        and _in_time(glimpse.started, wanted)
        and not (wanted.open_items and measures != 0)
    )


def _is(wanted: str | None, found: str) -> bool:
    return wanted is None or wanted == found


def _group(state: str) -> str:
    """The state as it can be looked for: what is not closed is one thing to whoever looks back, and so is what goes."""
    if state in ("complete", "interrupted"):
        return state
    return "going" if state in ("withdrawn", "going") else "unfinished"


def _in_time(started: str, wanted: Wanted) -> bool:
    if wanted.since is None and wanted.until is None:
        return True
    try:
        day = datetime.fromisoformat(started).astimezone().date()
    except ValueError:
        return False
    return (wanted.since is None or wanted.since <= day) and (wanted.until is None or day <= wanted.until)
