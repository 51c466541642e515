"""The passkeys of people, as the database keeps them, and the two ceremonies: adding one, and signing in with one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from device.people.database import Database, Rows
from device.people.failures import by_address, uncount
from device.people.passkeys import Made, Said, Site, added, adding_options, answered, asking_options, proven
from device.people.passwords import Passwords
from device.people.person import Person
from device.people.refused import Reason, RefusedError
from device.people.register import person_of
from device.people.secret import digest_of_bytes
from device.people.sessions import Begun
from device.people.steps import Caller, Noted, begin, checked_password, count, to_nobody
from device.people.visit import Stage

_LIVES_S = 300.0
_MOST_OPEN = 1_000
_MOST_EACH = 20
_MOST_LETTERS = 40


@dataclass(frozen=True, slots=True)
class Passkey:
    """One of somebody's passkeys, to show and to take away."""

    id: str
    name: str
    made_s: float


class Keyring:
    """Passkeys, of a box that has a name. What raises ``RefusedError`` has changed nothing but the count of tries."""

    def __init__(self, database: Database, passwords: Passwords, *, site: Site) -> None:
        self._database = database
        self._passwords = passwords
        self._site = site

    def of(self, mark: str) -> list[Passkey]:
        """Somebody's passkeys, the oldest first."""
        with self._database.transaction() as rows:
            found = rows.all("SELECT id, name, made_s FROM passkeys WHERE person = ? ORDER BY made_s, id", mark)
        return [Passkey(row["id"].hex(), row["name"], row["made_s"]) for row in found]

    def begin_adding(self, person: Person, password: str, caller: Caller) -> Said:
        """What the browser of somebody who is in is told, so that it makes a passkey.

        Raises:
            RefusedError: the password does not fit.
        """
        checked_password(self._database, self._passwords, person, password, caller)
        with self._database.transaction() as rows:
            challenge = _new_challenge(rows, person.mark, caller)
            there = rows.all("SELECT id FROM passkeys WHERE person = ?", person.mark)
        return adding_options(self._site, person, challenge, there=[row["id"] for row in there])

    def add(self, person: Person, said: Said, name: str, caller: Caller, noted: Noted = to_nobody) -> None:
        """Remember the passkey that was made.

        Raises:
            RefusedError: it does not fit, or took too long; or there are too many.
        """
        with self._database.transaction() as rows:
            challenge = _challenge_of(rows, said, person.mark, caller)
        if challenge is None:
            raise RefusedError(Reason.PASSKEY)
        made = added(self._site, challenge, said)
        called = "".join(letter for letter in name if letter.isprintable()).strip()[:_MOST_LETTERS]
        with self._database.transaction() as rows:
            there = rows.all("SELECT 1 FROM passkeys WHERE person = ? OR id = ?", person.mark, made.id)
            known = rows.one("SELECT 1 FROM passkeys WHERE id = ?", made.id) is not None
            if known or len(there) >= _MOST_EACH:
                raise RefusedError(Reason.PASSKEY)
            noted()
            rows.run(
                "INSERT INTO passkeys VALUES (?, ?, ?, ?, ?, ?)",
                made.id,
                person.mark,
                made.public_key,
                made.uses,
                called,
                caller.now_s,
            )

    def take_away(self, mark: str, passkey: str, noted: Noted = to_nobody) -> bool:
        """Forget one of somebody's passkeys; ``False``: that person has no such one."""
        try:
            known = bytes.fromhex(passkey)
        except ValueError:
            return False
        with self._database.transaction() as rows:
            if rows.run("DELETE FROM passkeys WHERE id = ? AND person = ?", known, mark) == 0:
                return False
            noted()
            return True

    def begin_asking(self, caller: Caller) -> Said:
        """What the browser of a stranger is told, so that it proves a passkey."""
        with self._database.transaction() as rows:
            challenge = _new_challenge(rows, None, caller)
        return asking_options(self._site, challenge)

    def let_in(self, said: Said, caller: Caller) -> Begun:
        """The session of whoever has proven a passkey.

        Raises:
            RefusedError: it is not proven, or nobody's; or it is too early to try again.
        """
        counted = by_address(caller.address)
        with self._database.transaction() as rows:
            count(rows, (counted,), caller)
            challenge = _challenge_of(rows, said, None, caller)
            found = rows.one("SELECT * FROM passkeys WHERE id = ?", answered(said)[1]) if challenge else None
        if challenge is None or found is None:
            raise RefusedError(Reason.PASSKEY)
        uses = proven(self._site, challenge, said, Made(found["id"], found["public_key"], found["uses"]))
        with self._database.transaction() as rows:
            person = person_of(rows, found["person"])
            used = rows.run("UPDATE passkeys SET uses = ? WHERE id = ?", uses, found["id"])
            if person is None or not person.active or not used:
                raise RefusedError(Reason.PASSKEY)
            uncount(rows, counted, all_of_them=False)
            return begin(rows, person.mark, Stage.IN, caller)


def _new_challenge(rows: Rows, mark: str | None, caller: Caller) -> bytes:
    """A challenge that is good once, and for a few minutes."""
    rows.run("DELETE FROM ceremonies WHERE made_s > ? OR made_s <= ?", caller.now_s, caller.now_s - _LIVES_S)
    oldest = "SELECT challenge FROM ceremonies ORDER BY made_s DESC LIMIT -1 OFFSET ?"
    rows.run(f"DELETE FROM ceremonies WHERE challenge IN ({oldest})", _MOST_OPEN - 1)  # noqa: S608  # our own words
    challenge = secrets.token_bytes(32)
    rows.run("INSERT INTO ceremonies VALUES (?, ?, ?)", digest_of_bytes(challenge), mark, caller.now_s)
    return challenge


def _challenge_of(rows: Rows, said: Said, mark: str | None, caller: Caller) -> bytes | None:
    """The challenge of ours that a browser answers, which is then used up; ``None``: it is none of ours, or too old."""
    challenge, _ = answered(said)
    known = digest_of_bytes(challenge)
    row = rows.one("SELECT made_s FROM ceremonies WHERE challenge = ? AND person IS ?", known, mark)
    rows.run("DELETE FROM ceremonies WHERE challenge = ?", known)
    return challenge if row is not None and 0 <= caller.now_s - row["made_s"] < _LIVES_S else None
