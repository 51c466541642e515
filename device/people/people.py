"""The people of one box: the one object that the page is handed for all that has to do with them.

Every moment is handed in as seconds since 1970 by the wall clock. Safe for many threads.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from device.people import sessions
from device.people.account import Account
from device.people.database import Database
from device.people.duty import Duty, begin_duty, duty_now, end_duty
from device.people.entrance import Entrance
from device.people.key_login import KeyLogin
from device.people.office import Office
from device.people.passwords import Passwords
from device.people.person import Person, Role
from device.people.refused import Reason, RefusedError
from device.people.register import everybody, person_of
from device.people.sessions import Begun
from device.people.steps import Noted, to_nobody
from device.people.visit import Kind, Stage, Visit

if TYPE_CHECKING:
    from device.people.from_clinic import FromClinic
    from device.people.keyring import Keyring  # what it stands on is large, and most boxes have no passkeys


class People:
    """Who there is, who is signed in, and who works in the room.

    ``entrance``: how strangers become visitors; ``account``: what people change about themselves; ``office``: what an
    admin changes about them; ``keyring``: passkeys, where the box has a name that they can be bound to;
    ``from_clinic``: what keeps them as the clinic's list says, where they are not made here.
    """

    def __init__(
        self,
        database: Database,
        *,
        fingerprint: Callable[[], str | None],
        passwords: Passwords | None = None,
        keyring: Keyring | None = None,
        from_clinic: FromClinic | None = None,
        first_admin: Path | None = None,
    ) -> None:
        """``fingerprint``: of the device's key (``recording.signing.fingerprint``), as far as it is known already.

        ``first_admin``: the digest of a code that came with the box's card.
        """
        passwords = passwords or Passwords()
        self._database = database
        self._key_login = KeyLogin(database, fingerprint=fingerprint)
        self.entrance = Entrance(database, passwords, made_here=from_clinic is None, from_card=first_admin)
        self.account = Account(database, passwords)
        self.office = Office(database, made_here=from_clinic is None)
        self.keyring = keyring
        self.from_clinic = from_clinic

    # Who asks. A token that proves nothing (any more) is no error: whoever has it is a stranger.

    def visitor_of_cookie(self, token: str, now_s: float) -> Visit | None:
        """Who is signed in with that cookie; ``None``: a stranger, also one who is only half-way in."""
        visit = self._visit(token, Kind.PAGE, now_s)
        return visit if visit is not None and visit.stage is Stage.IN else None

    def visitor_of_bearer(self, token: str, now_s: float) -> Visit | None:
        """Whose program it is that has this bearer token."""
        return self._visit(token, Kind.PROGRAM, now_s)

    def visitor_of_kiosk(self, token: str, now_s: float) -> Visit | None:
        """Which therapist handed over the tablet that has this cookie; ``what`` says for which measure."""
        return self._visit(token, Kind.KIOSK, now_s)

    def half_way(self, token: str, now_s: float) -> Visit | None:
        """Who is about to sign in with that cookie: a stranger to all pages but those of signing in."""
        visit = self._visit(token, Kind.PAGE, now_s)
        return visit if visit is not None and visit.stage is not Stage.IN else None

    def _visit(self, token: str, kind: Kind, now_s: float) -> Visit | None:
        with self._database.transaction() as rows:
            row = sessions.row_of(rows, token, kind, now_s=now_s)
            person = None if row is None else person_of(rows, row["person"])
            if row is None or person is None or not person.active:
                return None
            return sessions.visit_of(row, person)

    # Persons.

    def persons(self) -> list[Person]:
        """Everybody by name; those who are not here any more (``active``) last."""
        with self._database.transaction() as rows:
            return everybody(rows)

    def person(self, mark: str) -> Person | None:
        """The person of that mark, also one who is not here any more."""
        with self._database.transaction() as rows:
            return person_of(rows, mark)

    def put(self, person: Person) -> None:
        """Add a person, or change one (``office.put``)."""
        self.office.put(person)

    # Sessions of browsers, programs and tablets.

    def sessions(self, mark: str, now_s: float) -> list[Visit]:
        """The browsers and tablets in which somebody is signed in, the newest first."""
        return [visit for visit in self._visits(mark, now_s) if visit.kind is not Kind.PROGRAM]

    def tokens(self, mark: str, now_s: float) -> list[Visit]:
        """The bearer tokens that somebody's programs have, the newest first; ``what`` is the program's name."""
        return [visit for visit in self._visits(mark, now_s) if visit.kind is Kind.PROGRAM]

    def revoke(self, mark: str, session: str, noted: Noted = to_nobody) -> bool:
        """End one session or token of a person; ``False``: that person has no such one."""
        with self._database.transaction() as rows:
            row = rows.one("SELECT 1 FROM sessions WHERE id = ? AND person = ?", session, mark)
            if row is None or not sessions.end(rows, session):
                return False
            noted()
            return True

    def hand_over(self, mark: str, what: str, now_s: float) -> Begun:
        """Begin a session of the kiosk for a tablet of that therapist. ``what``: the measure, never the client."""
        with self._database.transaction() as rows:
            return sessions.begin(rows, mark, Kind.KIOSK, Stage.IN, what=what, now_s=now_s)

    def _visits(self, mark: str, now_s: float) -> list[Visit]:
        with self._database.transaction() as rows:
            person = person_of(rows, mark)
            if person is None:
                return []
            return [sessions.visit_of(row, person) for row in sessions.rows_of_person(rows, mark, now_s=now_s)]

    # The room.

    def on_duty(self, now_s: float) -> str | None:
        """The mark of the therapist who is checked in."""
        duty = self.duty(now_s)
        return None if duty is None else duty.mark

    def duty(self, now_s: float) -> Duty | None:
        """Who is checked in, since when and until when."""
        with self._database.transaction() as rows:
            return duty_now(rows, now_s=now_s)

    def check_in(self, mark: str, now_s: float) -> Duty:
        """Check a therapist in to the room, until the night; whoever was checked in is no more.

        Raises:
            RefusedError: nobody of that mark is a therapist here.
        """
        with self._database.transaction() as rows:
            person = person_of(rows, mark)
            if person is None or not person.is_a(Role.THERAPIST):
                raise RefusedError(Reason.NOBODY)
            return begin_duty(rows, mark, now_s=now_s)

    def check_out(self, mark: str, now_s: float) -> bool:
        """Check a therapist out; ``False``: somebody else, or nobody, is checked in."""
        with self._database.transaction() as rows:
            duty = duty_now(rows, now_s=now_s)
            if duty is None or duty.mark != mark:
                return False
            end_duty(rows)
            return True

    # Key login.

    def key_challenge(self, login: str, now_s: float) -> tuple[str, bytes]:
        """The id of a new challenge, and the challenge, an age file. Of a login that nobody has nothing is told.

        Raises:
            AdminError: this box does not know its own key yet.
        """
        return self._key_login.challenge(login, now_s)

    def key_answer(self, challenge_id: str, answer: str, now_s: float, *, what: str) -> Begun:
        """A bearer token for the right answer. A challenge is answered once, rightly or wrongly.

        Raises:
            RefusedError: the answer is wrong, too late, or to no challenge.
        """
        return self._key_login.answer(challenge_id, answer, now_s, what=what)
