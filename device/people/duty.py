"""Who works in the room: a therapist checks in, until they check out, another does, or the night comes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from device.people.database import Rows

NIGHT: Final = time(3, 0)
"""When a room is nobody's again, by its own clock on the wall."""


@dataclass(frozen=True, slots=True)
class Duty:
    """Somebody is checked in. Moments are seconds since 1970 by the wall clock."""

    mark: str
    since_s: float
    until_s: float


def night_after(now_s: float) -> float:
    """The next moment at which a room is nobody's again."""
    moment = datetime.fromtimestamp(now_s).astimezone()
    day = moment.date() + timedelta(days=moment.time() >= NIGHT)
    return datetime.combine(day, NIGHT).astimezone().timestamp()


def duty_now(rows: Rows, *, now_s: float) -> Duty | None:
    """Who is checked in. A clock that was set back since then ends it as the night does: nothing else is known."""
    row = rows.one("SELECT * FROM duty")
    if row is None or not row["since_s"] <= now_s < row["until_s"]:
        return None
    return Duty(row["person"], row["since_s"], row["until_s"])


def begin_duty(rows: Rows, mark: str, *, now_s: float) -> Duty:
    """Check somebody in; whoever was is no more."""
    rows.run("INSERT OR REPLACE INTO duty VALUES (1, ?, ?, ?)", mark, now_s, night_after(now_s))
    return Duty(mark, now_s, night_after(now_s))


def end_duty(rows: Rows) -> None:
    """Check whoever it is out."""
    rows.run("DELETE FROM duty")
