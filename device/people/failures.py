"""Who failed to sign in has to wait, longer each time; also after a restart of the box.

Everybody is counted by the login that was tried and by the address that it came from. The first counts fast: it guards
one password. The second counts slowly: a whole clinic may come from one address. What is kept of both is a SHA-256.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from math import ceil
from typing import Final

from device.people.database import Rows

_FORGOTTEN_AFTER_S: Final = 86_400.0
_MOST_ROWS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Patience:
    """How many failures cost nothing; then each doubles the wait, from a second to ``most_s``."""

    free: int
    most_s: float


@dataclass(frozen=True, slots=True)
class Counted:
    """Somebody who may fail: what is counted, and with how much patience."""

    who: bytes
    patience: Patience


def by_login(login: str) -> Counted:
    """Whoever tries that login."""
    return Counted(sha256(f"login {login}".encode()).digest(), Patience(free=4, most_s=300.0))


def by_browser(token: str) -> Counted:
    """Whoever sits at a browser in which that person has signed in before."""
    return Counted(sha256(f"browser {token}".encode()).digest(), Patience(free=4, most_s=300.0))


def by_second_factor(mark: str) -> Counted:
    """Whoever tries the second factor of that person."""
    return Counted(sha256(f"second {mark}".encode()).digest(), Patience(free=4, most_s=300.0))


def by_address(address: str) -> Counted:
    """Whoever comes from there."""
    return Counted(sha256(f"address {address}".encode()).digest(), Patience(free=30, most_s=60.0))


def wait_s(count: int, patience: Patience) -> float:
    """How long to wait after so many failures."""
    over = count - patience.free
    return 0.0 if over <= 0 else min(2.0 ** min(over - 1, 30), patience.most_s)


def count_try(rows: Rows, counted: Counted, *, now_s: float) -> int:
    """Count a try before it is known how it ends, so that many at once are no way around; 0, or the seconds to wait.

    A try that has to wait is not looked at and not counted. A clock that was set meanwhile makes nobody wait longer
    than the last failure asks for.
    """
    row = rows.one("SELECT count, last_s FROM failures WHERE who = ?", counted.who)
    count = 0 if row is None or abs(now_s - row["last_s"]) > _FORGOTTEN_AFTER_S else int(row["count"])
    if row is not None and count:
        wait = wait_s(count, counted.patience)
        left_s = min(float(row["last_s"]) + wait - now_s, wait)
        if left_s > 0:
            return ceil(left_s)
    rows.run("INSERT OR REPLACE INTO failures VALUES (?, ?, ?)", counted.who, count + 1, now_s)
    rows.run(
        "DELETE FROM failures WHERE who IN (SELECT who FROM failures ORDER BY last_s DESC LIMIT -1 OFFSET ?)",
        _MOST_ROWS,
    )
    return 0


def uncount(rows: Rows, counted: Counted, *, all_of_them: bool) -> None:
    """The try was none: forget it, or everything (``all_of_them``)."""
    if all_of_them:
        rows.run("DELETE FROM failures WHERE who = ?", counted.who)
    else:
        rows.run("UPDATE failures SET count = max(count - 1, 0) WHERE who = ?", counted.who)
