"""Why people are refused: one word for each reason, which the page has its two sentences for."""

from __future__ import annotations

from enum import StrEnum

from device.errors import SottoError


class Reason(StrEnum):
    """What was wrong with what somebody asked for."""

    WRONG = "wrong"  # login, password, code or answer do not fit; which of them is never said
    WAIT = "wait"  # too many failures: not before some seconds have passed
    BUSY = "busy"  # too many passwords are being looked at already
    OVER = "over"  # what was begun is too old: from the beginning
    CODE = "code"  # this code cannot be used, or not any more
    PASSWORD = "password"  # noqa: S105  # the name of a reason: too easy a password
    AGAIN = "again"  # what was typed twice is not the same
    LOGIN = "login"  # no login, or somebody else's
    NAME = "name"  # no name
    ROLES = "roles"  # nobody is nothing
    RECIPIENT = "recipient"  # no age recipient
    LAST_ADMIN = "last_admin"  # nobody would be left who could put it right
    FROM_CLINIC = "from_clinic"  # people come from the clinic: nobody is made or changed here
    NOT_LISTED = "not_listed"  # the clinic's list has no admin of that login
    NOBODY = "nobody"  # there is no such person (any more)
    PASSKEY = "passkey"  # the passkey does not fit


class RefusedError(SottoError):
    """What somebody asked for is refused, and nothing was changed. ``wait_s``: how long from now, where that helps."""

    def __init__(self, reason: Reason, *, wait_s: int = 0) -> None:
        super().__init__(f"that was refused: {reason}", "the page says what to do")
        self.reason = reason
        self.wait_s = wait_s
