"""Who opens what is recorded here from the next session on: told for a month after the clinic changed it.

There is no putting it away before: whoever had somebody added could be the first to do so. A month, so that somebody
who works here every other week sees it twice; Health tells it for good.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from device.age.recipients import fingerprint, parse_recipient
from device.roster import ROSTER_NAME, Roster
from device.web.house import House
from device.web.texts import text
from device.web.visitor import visitor_or_none
from device.web.wording import day_text

TOLD_FOR_S: Final = 30 * 86_400.0


def openers(house: House) -> Callable[[], str]:
    """What says it, to whoever asks; nothing where nothing changed lately."""
    kept = _Kept(house.store.path / ROSTER_NAME)

    def said() -> str:
        taken = kept.newest()
        now_s = house.unix_s()
        if taken is None or now_s - taken[1] >= TOLD_FOR_S:
            return ""
        roster, taken_s = taken
        day = day_text(datetime.fromtimestamp(taken_s, UTC))
        return f"{text('openers.changed', number=roster.number, day=day)} {_said(house, roster, now_s)}"

    return said


def _said(house: House, roster: Roster, now_s: float) -> str:
    """To somebody who is signed in by name; to a stranger how many keys it is, as names are none of theirs."""
    visitor, on_duty = visitor_or_none(), house.people.on_duty(now_s)
    seats = {seat.mark: seat.opened_by for seat in roster.therapists}
    own = visitor.person.mark if visitor is not None and visitor.person.mark in seats else None
    mark = own or on_duty or (next(iter(seats)) if len(seats) == 1 else None)
    some = {one for opened_by in seats.values() for one in opened_by}
    marks = seats.get(mark, ()) if mark is not None else tuple(sorted(some))
    if visitor is None:
        return text("openers.count", count=len(marks) + len(roster.recovery))
    names = {person.mark: person.name for person in house.people.persons()}
    said = ", ".join((*_names(roster, marks, names), text("openers.recovery")))
    return text("openers.own" if own else "openers.room" if mark else "openers.many", names=said)


def _names(roster: Roster, marks: tuple[str, ...], names: Mapping[str, str]) -> Iterator[str]:
    keys = {one.mark: one.recipient for one in roster.people}
    for mark in marks:
        yield names.get(mark) or text("openers.unknown", id=fingerprint(parse_recipient(keys[mark])))


class _Kept:
    """The roster that capture took, which has verified it; read anew only where it is another file than before."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[tuple[int, int], Roster] | None = None

    def newest(self) -> tuple[Roster, float] | None:
        """The roster, and when it was taken (seconds since 1970); ``None`` where there is none that can be read."""
        try:
            about = self._path.stat()
            known, read = (about.st_mtime_ns, about.st_ino), self._read
            if read is None or read[0] != known:
                payload = json.loads(self._path.read_bytes())["payload"]
                read = self._read = (known, Roster.model_validate_json(json.dumps(payload)))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return read[1], about.st_mtime
