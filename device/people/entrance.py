"""The entrance: how a stranger becomes a visitor, one proof after the other.

Each step gives the browser a fresh token, so that no token from before ever has more rights than it had. Whatever is
wrong is told in the same words, whether the login, the password or the person is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from device.people import sessions
from device.people.browsers import counted_for, is_known, remember
from device.people.codes import invited, new_recovery_codes, spend, use_invitation
from device.people.database import Database, Rows
from device.people.factors import forget_factors, keep_password, keep_secret, password_of, secret_of
from device.people.failures import by_address, by_second_factor
from device.people.first_admin import forget_first_admin_code, is_code_of_card, is_first_admin_code
from device.people.passwords import Passwords, check_new_password
from device.people.person import Person, Role, new_mark
from device.people.refused import Reason, RefusedError
from device.people.register import person_by_login, person_of, plain_login, write_person
from device.people.second_factor import new_secret, step_of
from device.people.sessions import Begun
from device.people.steps import Caller, Proof, begin, count, fits, half_way, second_proof, seconds_to_wait, uncount_all
from device.people.visit import Kind, Stage


class Entrance:
    """Lets people in, and out. Whatever raises ``RefusedError`` has changed nothing but the count of tries."""

    def __init__(
        self, database: Database, passwords: Passwords, *, made_here: bool, from_card: Path | None = None
    ) -> None:
        """``made_here``: whoever has the first admin's code is new; else they are an admin on the clinic's list.

        ``from_card``: the file with the digest of a code for the first admin, where the card brought one.
        """
        self._database = database
        self._passwords = passwords
        self._made_here = made_here
        self._from_card = from_card

    def password(self, login: str, password: str, caller: Caller) -> Begun:
        """The first proof. Who has no second factor yet sets one up next.

        Raises:
            RefusedError: they do not fit; or it is too early to try again.
        """
        with self._database.transaction() as rows:
            person = person_by_login(rows, login)
            guess = counted_for(rows, plain_login(login), person, caller.known, now_s=caller.now_s)
            counted = (guess, by_address(caller.address))
            count(rows, counted, caller)
            kept = None if person is None or not person.active else password_of(rows, person.mark)
        fitting = fits(self._database, self._passwords, kept, password, counted)
        if person is None or kept is None or not fitting:
            raise RefusedError(Reason.WRONG)
        renewed = self._passwords.kept(password) if self._passwords.is_outdated(kept) else None
        with self._database.transaction() as rows:
            if password_of(rows, person.mark) != kept:
                raise RefusedError(Reason.WRONG)  # it was changed while we looked
            uncount_all(rows, counted)
            if renewed is not None:
                keep_password(rows, person.mark, renewed)
            stage = Stage.ENROLLING if secret_of(rows, person.mark) is None else Stage.PASSWORD_GIVEN
            return begin(rows, person.mark, stage, caller)

    def second_factor(self, token: str, code: str, caller: Caller) -> tuple[Begun, Proof]:
        """The second proof: a code of the person's app, or one of the recovery codes, which is then used up.

        Raises:
            RefusedError: the code is wrong or was used before, or it is too early to try again; or the first proof is
                too old.
        """
        with self._database.transaction() as rows:
            session, mark = half_way(rows, token, Stage.PASSWORD_GIVEN, caller)
            counted = (by_second_factor(mark), by_address(caller.address))
            wait_s = seconds_to_wait(rows, counted, caller)
            proof = None if wait_s else second_proof(rows, mark, code, caller)
            if proof is not None:
                uncount_all(rows, counted)
                sessions.end(rows, session)
                return begin(rows, mark, Stage.IN, caller), proof
        raise RefusedError(Reason.WAIT if wait_s else Reason.WRONG, wait_s=wait_s)

    def known(self, mark: str, caller: Caller) -> str | None:
        """The token by which this browser, in which that person has just signed in, is known from now on.

        ``None``: it is known already.
        """
        with self._database.transaction() as rows:
            if is_known(rows, caller.known, mark, now_s=caller.now_s):
                return None
            return remember(rows, mark, now_s=caller.now_s)

    def enrolment(self, token: str, caller: Caller) -> str:
        """The secret for the app of somebody who sets up a second factor; the same as long as they are at it.

        Raises:
            RefusedError: nobody does; or it took too long.
        """
        with self._database.transaction() as rows:
            session, _ = half_way(rows, token, Stage.ENROLLING, caller)
            return sessions.secret_of(rows, session, otherwise=new_secret())

    def enrol(self, token: str, code: str, caller: Caller) -> tuple[Begun, list[str]]:
        """The second factor is set up: the app shows the right code. Their session, and their recovery codes.

        Raises:
            RefusedError: the code is wrong; or it took too long.
        """
        with self._database.transaction() as rows:
            session, mark = half_way(rows, token, Stage.ENROLLING, caller)
            secret = sessions.secret_of(rows, session, otherwise="")
            step = step_of(secret, code, now_s=caller.now_s) if secret else None
            if step is None or secret_of(rows, mark) is not None:
                raise RefusedError(Reason.CODE)
            keep_secret(rows, mark, secret, step=step)
            codes = new_recovery_codes(rows, mark, now_s=caller.now_s)
            sessions.end_all(rows, mark)
            return begin(rows, mark, Stage.IN, caller), codes

    def accept(self, code: str, password: str, caller: Caller, *, about: Sequence[str]) -> Begun:
        """Somebody who was invited chooses a password; the second factor comes next. The invitation is used up.

        Raises:
            RefusedError: the code is no invitation that still holds, or the password is too easy.
        """
        counted = (by_address(caller.address),)
        with self._database.transaction() as rows:
            count(rows, counted, caller)
            mark = invited(rows, code, now_s=caller.now_s)
            person = None if mark is None else person_of(rows, mark)
        if person is None or not person.active:
            raise RefusedError(Reason.CODE)
        check_new_password(password, about=(person.login, person.name, *about))
        kept = self._passwords.kept(password)
        with self._database.transaction() as rows:
            if invited(rows, code, now_s=caller.now_s) != person.mark:
                raise RefusedError(Reason.CODE)  # somebody else was faster
            uncount_all(rows, counted)
            use_invitation(rows, person.mark)
            keep_password(rows, person.mark, kept)
            return begin(rows, person.mark, Stage.ENROLLING, caller)

    def first_admin(
        self,
        code: str,
        person: tuple[str, str],
        password: str,
        caller: Caller,
        *,
        about: Sequence[str],
        noted: Callable[[str], None] = lambda _mark: None,
    ) -> Begun:
        """Whoever has the one-time code of this box becomes an admin; ``person``: login and name. The code is used up.

        Where people come from the clinic, it is the admin of that login on its list, who then signs in anew.
        ``noted``: has it noted just before it counts, by the mark of whoever it is.

        Raises:
            RefusedError: it is not that code, or it was used; or login, name or password cannot be.
        """
        login, name = plain_login(person[0]), person[1].strip()
        counted = (by_address(caller.address),)
        with self._database.transaction() as rows:
            count(rows, counted, caller)
        if not (is_first_admin_code(self._database.folder, code) or is_code_of_card(self._from_card, code)):
            raise RefusedError(Reason.CODE)
        check_new_password(password, about=(login, name, *about))
        kept = self._passwords.kept(password)
        with self._database.transaction() as rows:
            admin = _new_admin(rows, login, name) if self._made_here else _listed_admin(rows, login)
            if not spend(rows, code, now_s=caller.now_s):
                raise RefusedError(Reason.CODE)
            uncount_all(rows, counted)
            keep_password(rows, admin.mark, kept)
            noted(admin.mark)
            begun = begin(rows, admin.mark, Stage.ENROLLING, caller)
        forget_first_admin_code(self._database.folder)
        return begun

    def leave(self, token: str, caller: Caller) -> None:
        """Sign out, also from half-way: the token is worth nothing any more. One that is worth nothing is no error."""
        with self._database.transaction() as rows:
            row = sessions.row_of(rows, token, Kind.PAGE, now_s=caller.now_s)
            if row is not None:
                sessions.end(rows, row["id"])


def _new_admin(rows: Rows, login: str, name: str) -> Person:
    admin = Person(new_mark(), login, name, frozenset({Role.ADMIN}))
    write_person(rows, admin)
    return admin


def _listed_admin(rows: Rows, login: str) -> Person:
    """The admin of that login, whose ways in so far are worth nothing any more."""
    admin = person_by_login(rows, login)
    if admin is None or not admin.is_a(Role.ADMIN):
        raise RefusedError(Reason.NOT_LISTED)
    forget_factors(rows, admin.mark)
    sessions.end_all(rows, admin.mark)
    return admin
