"""Server-side sessions: who is signed in, by which browser, program or tablet. A token proves it; its SHA-256 stays."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from device.people.database import Row, Rows
from device.people.person import Person
from device.people.secret import digest, new_token
from device.people.visit import Kind, Stage, Visit, is_over, lives_of

# How often "last seen" is written: each request would wear out an SD card.
_SEEN_AGAIN_S: Final = 60.0
_MOST_LETTERS: Final = 120


@dataclass(frozen=True, slots=True)
class Begun:
    """A session that was just begun: its token, which is told once and kept nowhere, its name, and whose it is."""

    token: str
    session: str
    mark: str


def begin(rows: Rows, mark: str, kind: Kind, stage: Stage, *, what: str, now_s: float) -> Begun:
    """Begin a session."""
    begun = Begun(new_token(), secrets.token_hex(6), mark)
    rows.run(
        "INSERT INTO sessions (id, token, kind, stage, person, what, made_s, seen_s) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        begun.session,
        digest(begun.token),
        str(kind),
        str(stage),
        mark,
        _shown(what),
        now_s,
        now_s,
    )
    return begun


def row_of(rows: Rows, token: str, kind: Kind, *, now_s: float) -> Row | None:
    """The session that a token proves, as it stands in the database; one that is over goes."""
    row = rows.one("SELECT * FROM sessions WHERE token = ? AND kind = ?", digest(token), str(kind))
    if row is None:
        return None
    if _is_over(row, now_s=now_s):
        end(rows, str(row["id"]))
        return None
    if abs(now_s - row["seen_s"]) >= _SEEN_AGAIN_S:
        rows.run("UPDATE sessions SET seen_s = ? WHERE id = ?", now_s, row["id"])
    return row


def rows_of_person(rows: Rows, mark: str, *, now_s: float) -> list[Row]:
    """The sessions of one person that are not over, the newest first."""
    found = rows.all("SELECT * FROM sessions WHERE person = ? ORDER BY made_s DESC, id", mark)
    return [row for row in found if not _is_over(row, now_s=now_s)]


def visit_of(row: Row, person: Person) -> Visit:
    """A session as the rest of the box sees it."""
    kind, stage = Kind(row["kind"]), Stage(row["stage"])
    return Visit(
        person=person,
        kind=kind,
        stage=stage,
        session=row["id"],
        what=row["what"],
        made_s=row["made_s"],
        seen_s=row["seen_s"],
        ends_s=row["made_s"] + lives_of(kind, stage).most_s,
    )


def secret_of(rows: Rows, session: str, *, otherwise: str) -> str:
    """The second factor that is being set up in a session; ``otherwise`` where none is, which then is."""
    rows.run("UPDATE sessions SET secret = ? WHERE id = ? AND secret IS NULL", otherwise or None, session)
    row = rows.one("SELECT secret FROM sessions WHERE id = ?", session)
    return "" if row is None or row["secret"] is None else str(row["secret"])


def end(rows: Rows, session: str) -> bool:
    """End one session; whether there was one."""
    return rows.run("DELETE FROM sessions WHERE id = ?", session) > 0


def end_all(rows: Rows, mark: str, *, but: str = "") -> None:
    """End every session of a person, ``but`` for one."""
    rows.run("DELETE FROM sessions WHERE person = ? AND id != ?", mark, but)


def forget_old(rows: Rows, *, now_s: float) -> None:
    """Take away what is over."""
    over = [(row["id"],) for row in rows.all("SELECT * FROM sessions") if _is_over(row, now_s=now_s)]
    rows.run_many("DELETE FROM sessions WHERE id = ?", over)


def _is_over(row: Row, *, now_s: float) -> bool:
    lives = lives_of(Kind(row["kind"]), Stage(row["stage"]))
    return is_over(lives, made_s=row["made_s"], seen_s=row["seen_s"], now_s=now_s)


def _shown(what: str) -> str:
    """What a browser or program calls itself, as far as it can be shown."""
    return "".join(letter for letter in what if letter.isprintable())[:_MOST_LETTERS]
