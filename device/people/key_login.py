"""Key login: a program proves that it has the identity of a person's recipient, and gets a bearer token."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from device.errors import AdminError
from device.people import sessions
from device.people.challenge import LIVES_S, new_challenge
from device.people.database import Database, Rows
from device.people.person import Person
from device.people.refused import Reason, RefusedError
from device.people.register import person_by_login, person_of
from device.people.secret import digest
from device.people.sessions import Begun
from device.people.visit import Kind, Stage

# Each is sealed, which costs something, and is kept for two minutes: more programs than that do not come at once.
_MOST_OPEN = 1_000


class KeyLogin:
    """Challenges and their answers. Safe for many threads."""

    def __init__(self, database: Database, *, fingerprint: Callable[[], str | None]) -> None:
        self._database = database
        self._fingerprint = fingerprint

    def challenge(self, login: str, now_s: float) -> tuple[str, bytes]:
        """The id of a new challenge, and the challenge, an age file. Of a login that nobody has nothing is told.

        Raises:
            AdminError: this box does not know its own key yet.
        """
        fingerprint = self._fingerprint()
        if fingerprint is None:
            raise AdminError("the page does not know the key of its box yet", "start the capture service")
        with self._database.transaction() as rows:
            person = person_by_login(rows, login)
            classic = _is_classic(rows)
        known = person if person is not None and person.active and person.recipient is not None else None
        made = new_challenge(known.recipient if known else None, fingerprint=fingerprint, classic=classic)
        with self._database.transaction() as rows:
            rows.run("DELETE FROM challenges WHERE made_s > ? OR made_s <= ?", now_s, now_s - LIVES_S)
            rows.run(
                "DELETE FROM challenges WHERE id IN (SELECT id FROM challenges ORDER BY made_s DESC LIMIT -1 OFFSET ?)",
                _MOST_OPEN - 1,
            )
            of = known.mark if known else None
            rows.run("INSERT INTO challenges VALUES (?, ?, ?, ?)", made.id, of, digest(made.answer), now_s)
        return made.id, made.sealed

    def answer(self, challenge_id: str, answer: str, now_s: float, *, what: str) -> Begun:
        """A bearer token for the right answer. A challenge is answered once, rightly or wrongly.

        Raises:
            RefusedError: the answer is wrong, too late, or to no challenge.
        """
        with self._database.transaction() as rows:
            person = _answered(rows, challenge_id, answer, now_s=now_s)
            rows.run("DELETE FROM challenges WHERE id = ?", challenge_id)
            if person is not None:
                sessions.forget_old(rows, now_s=now_s)
                return sessions.begin(rows, person.mark, Kind.PROGRAM, Stage.IN, what=what, now_s=now_s)
        raise RefusedError(Reason.WRONG)


def _answered(rows: Rows, challenge_id: str, answer: str, *, now_s: float) -> Person | None:
    """Whose challenge was answered rightly and in time."""
    row = rows.one("SELECT * FROM challenges WHERE id = ?", challenge_id)
    if row is None or row["person"] is None or not 0 <= now_s - row["made_s"] < LIVES_S:
        return None
    if not hmac.compare_digest(row["answer"], digest(answer)):
        return None
    person = person_of(rows, row["person"])
    return person if person is not None and person.active else None


def _is_classic(rows: Rows) -> bool:
    """Whether the clinic's keys are classic ones."""
    row = rows.one("SELECT recipient FROM persons WHERE recipient IS NOT NULL ORDER BY mark")
    return row is not None and not str(row["recipient"]).startswith("age1pq")
