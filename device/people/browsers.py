"""Browsers in which somebody has signed in before. Whoever guesses elsewhere does not keep that person waiting there.

Such a browser is no proof of anything: it is counted apart, and that is all.
"""

from __future__ import annotations

from typing import Final

from device.people.database import Rows
from device.people.failures import Counted, by_browser, by_login
from device.people.person import Person
from device.people.secret import digest, new_token

KNOWN_FOR_S: Final = 180 * 86_400.0
_MOST_EACH: Final = 20


def is_known(rows: Rows, token: str, mark: str, *, now_s: float) -> bool:
    """Whether that person has signed in there, in the last half a year."""
    row = rows.one("SELECT made_s FROM browsers WHERE token = ? AND person = ?", digest(token), mark)
    return row is not None and now_s < row["made_s"] + KNOWN_FOR_S


def remember(rows: Rows, mark: str, *, now_s: float) -> str:
    """Know a browser again by this token; of too many the oldest are forgotten."""
    token = new_token()
    rows.run("INSERT INTO browsers VALUES (?, ?, ?)", digest(token), mark, now_s)
    oldest = "SELECT token FROM browsers WHERE person = ? ORDER BY made_s DESC LIMIT -1 OFFSET ?"
    rows.run(f"DELETE FROM browsers WHERE token IN ({oldest})", mark, _MOST_EACH)  # noqa: S608  # our own words alone
    return token


def counted_for(rows: Rows, login: str, person: Person | None, token: str, *, now_s: float) -> Counted:
    """Who is counted when that login is tried: the browser if it is known for it, else the login."""
    if person is not None and is_known(rows, token, person.mark, now_s=now_s):
        return by_browser(token)
    return by_login(login)
