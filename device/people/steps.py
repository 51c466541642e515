"""What every way in has in common: counting tries, and the steps from one session to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TypeAlias

from device.people import sessions
from device.people.browsers import counted_for
from device.people.codes import use_recovery_code
from device.people.database import Database, Rows
from device.people.factors import password_of, secret_of, use_step
from device.people.failures import Counted, by_address, count_try, uncount
from device.people.passwords import Passwords
from device.people.person import Person
from device.people.refused import Reason, RefusedError
from device.people.second_factor import newest_step, step_of
from device.people.sessions import Begun
from device.people.visit import Kind, Stage


@dataclass(frozen=True, slots=True)
class Caller:
    """Who stands at the door, as far as that is known: from which address, with which browser, and when.

    ``known``: the token by which a browser is known again in which somebody has signed in before.
    """

    address: str
    browser: str
    now_s: float
    known: str = field(default="", repr=False)


Noted: TypeAlias = Callable[[], None]
"""Has a change noted, just before it counts and when all is right with it; where it raises, nothing is changed."""


def to_nobody() -> None:
    """There is no log to note it in."""


def count(rows: Rows, counted: Sequence[Counted], caller: Caller) -> None:
    """Count a try.

    Raises:
        RefusedError: it is too early for one.
    """
    if wait_s := seconds_to_wait(rows, counted, caller):
        raise RefusedError(Reason.WAIT, wait_s=wait_s)


def seconds_to_wait(rows: Rows, counted: Sequence[Counted], caller: Caller) -> int:
    """Count a try; 0, or how long to wait: then nothing may be looked at."""
    return max(count_try(rows, one, now_s=caller.now_s) for one in counted)


def uncount_all(rows: Rows, counted: Sequence[Counted]) -> None:
    """It was the right one: whoever it is may fail anew, the address one time less than before."""
    first, *others = counted
    uncount(rows, first, all_of_them=True)
    for one in others:
        uncount(rows, one, all_of_them=False)


def checked_password(database: Database, passwords: Passwords, person: Person, password: str, caller: Caller) -> None:
    """Have somebody who is in give the password once more, before something important is changed.

    Raises:
        RefusedError: it does not fit; or it is too early to try again.
    """
    with database.transaction() as rows:
        guess = counted_for(rows, person.login, person, caller.known, now_s=caller.now_s)
        counted = (guess, by_address(caller.address))
        count(rows, counted, caller)
        kept = password_of(rows, person.mark)
    if not fits(database, passwords, kept, password, counted):
        raise RefusedError(Reason.WRONG)
    with database.transaction() as rows:
        uncount_all(rows, counted)


def fits(database: Database, passwords: Passwords, kept: str | None, password: str, counted: Sequence[Counted]) -> bool:
    """Whether a password fits; one that could not be looked at was no try.

    Raises:
        RefusedError: too many are waiting.
    """
    try:
        return passwords.fits(kept, password)
    except RefusedError:
        with database.transaction() as rows:
            for one in counted:
                uncount(rows, one, all_of_them=False)
        raise


class Proof(Enum):
    """Where a code was taken from that stands for the second factor."""

    APP = auto()
    PAPER = auto()


def second_proof(rows: Rows, mark: str, code: str, caller: Caller) -> Proof | None:
    """Whether a code is of the person's app or on their paper; it is used up."""
    secret = secret_of(rows, mark)
    step = None if secret is None else step_of(secret, code, now_s=caller.now_s)
    if step is not None and use_step(rows, mark, step, newest=newest_step(caller.now_s)):
        return Proof.APP
    return Proof.PAPER if use_recovery_code(rows, mark, code) else None


def begin(rows: Rows, mark: str, stage: Stage, caller: Caller) -> Begun:
    """A fresh session of a browser."""
    sessions.forget_old(rows, now_s=caller.now_s)
    return sessions.begin(rows, mark, Kind.PAGE, stage, what=caller.browser, now_s=caller.now_s)


def half_way(rows: Rows, token: str, stage: Stage, caller: Caller) -> tuple[str, str]:
    """The session and the person who have come so far.

    Raises:
        RefusedError: nobody has; or it took too long.
    """
    row = sessions.row_of(rows, token, Kind.PAGE, now_s=caller.now_s)
    if row is None or row["stage"] != stage:
        raise RefusedError(Reason.OVER)
    return str(row["id"]), str(row["person"])
