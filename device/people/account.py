"""What people change about themselves. The password is asked for once more before anything of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from device.people import sessions
from device.people.codes import new_recovery_codes, recovery_codes_left
from device.people.database import Database
from device.people.factors import keep_password, keep_secret
from device.people.passwords import Passwords, check_new_password
from device.people.person import Person
from device.people.refused import Reason, RefusedError
from device.people.second_factor import new_secret, step_of
from device.people.sessions import Begun
from device.people.steps import Caller, Noted, begin, checked_password, to_nobody
from device.people.visit import Stage


@dataclass(frozen=True, slots=True)
class Setting:
    """Somebody who is in, and the session that it is changed from."""

    person: Person
    session: str


class Account:
    """One's own password, second factor and recovery codes. Whatever raises ``RefusedError`` has changed nothing."""

    def __init__(self, database: Database, passwords: Passwords) -> None:
        self._database = database
        self._passwords = passwords

    def codes_left(self, mark: str) -> int:
        """How many recovery codes somebody has left."""
        with self._database.transaction() as rows:
            return recovery_codes_left(rows, mark)

    def change_password(
        self, who: Setting, old: str, new: str, caller: Caller, *, about: Sequence[str], noted: Noted = to_nobody
    ) -> Begun:
        """Choose another password. Every session and every token ends; this browser goes on with a fresh one.

        Raises:
            RefusedError: the old one does not fit, or the new one is too easy.
        """
        person = who.person
        check_new_password(new, about=(person.login, person.name, *about))
        checked_password(self._database, self._passwords, person, old, caller)
        kept = self._passwords.kept(new)
        with self._database.transaction() as rows:
            noted()
            keep_password(rows, person.mark, kept)
            sessions.end_all(rows, person.mark)
            return begin(rows, person.mark, Stage.IN, caller)

    def new_codes(self, who: Setting, password: str, caller: Caller, noted: Noted = to_nobody) -> list[str]:
        """Ten new recovery codes; those from before are worth nothing any more.

        Raises:
            RefusedError: the password does not fit.
        """
        checked_password(self._database, self._passwords, who.person, password, caller)
        with self._database.transaction() as rows:
            noted()
            return new_recovery_codes(rows, who.person.mark, now_s=caller.now_s)

    def begin_new_app(self, who: Setting, password: str, caller: Caller) -> None:
        """Begin to set up another app as the second factor; the one there is works until it is done.

        Raises:
            RefusedError: the password does not fit.
        """
        checked_password(self._database, self._passwords, who.person, password, caller)
        with self._database.transaction() as rows:
            sessions.secret_of(rows, who.session, otherwise=new_secret())

    def new_app(self, who: Setting) -> str | None:
        """The secret of the app that is being set up; ``None``: none is."""
        with self._database.transaction() as rows:
            return sessions.secret_of(rows, who.session, otherwise="") or None

    def use_new_app(self, who: Setting, code: str, caller: Caller, noted: Noted = to_nobody) -> tuple[Begun, list[str]]:
        """The new app shows the right code: from now on it counts, with new recovery codes. Other sessions end.

        Raises:
            RefusedError: the code is wrong, or no app is being set up.
        """
        mark = who.person.mark
        with self._database.transaction() as rows:
            secret = sessions.secret_of(rows, who.session, otherwise="")
            step = step_of(secret, code, now_s=caller.now_s) if secret else None
            if step is None:
                raise RefusedError(Reason.CODE)
            noted()
            keep_secret(rows, mark, secret, step=step)
            codes = new_recovery_codes(rows, mark, now_s=caller.now_s)
            sessions.end_all(rows, mark)
            return begin(rows, mark, Stage.IN, caller), codes
