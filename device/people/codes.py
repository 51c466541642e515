"""Codes on paper, each good for one use: invitations, recovery codes, and the one that makes the first admin."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from device.people.database import Rows
from device.people.secret import digest_of_code, new_code

RECOVERY_CODES: Final = 10
INVITATION_LIVES_S: Final = 7 * 86_400.0


class CodeKind(StrEnum):
    """What a code is good for."""

    INVITATION = "invitation"  # choose a password and a second factor
    RECOVERY = "recovery"  # stands for the second factor
    SPENT = "spent"  # made the first admin: kept, so that it never does again


def new_recovery_codes(rows: Rows, mark: str, *, now_s: float) -> list[str]:
    """Codes that stand for the second factor; those from before are worth nothing any more."""
    rows.run("DELETE FROM codes WHERE person = ? AND kind = ?", mark, str(CodeKind.RECOVERY))
    codes = [new_code() for _ in range(RECOVERY_CODES)]
    kept = [(digest_of_code(code), str(CodeKind.RECOVERY), mark, now_s) for code in codes]
    rows.run_many("INSERT INTO codes VALUES (?, ?, ?, ?)", kept)
    return codes


def recovery_codes_left(rows: Rows, mark: str) -> int:
    """How many of them are still good."""
    return len(rows.all("SELECT 1 FROM codes WHERE person = ? AND kind = ?", mark, str(CodeKind.RECOVERY)))


def use_recovery_code(rows: Rows, mark: str, code: str) -> bool:
    """Use one up; ``False``: it is none of that person's."""
    kind = str(CodeKind.RECOVERY)
    return (
        rows.run("DELETE FROM codes WHERE code = ? AND person = ? AND kind = ?", digest_of_code(code), mark, kind) > 0
    )


def new_invitation(rows: Rows, mark: str, *, now_s: float) -> str:
    """A code with which a person chooses a password; one from before is worth nothing any more."""
    rows.run("DELETE FROM codes WHERE person = ? AND kind = ?", mark, str(CodeKind.INVITATION))
    code = new_code()
    rows.run("INSERT INTO codes VALUES (?, ?, ?, ?)", digest_of_code(code), str(CodeKind.INVITATION), mark, now_s)
    return code


def invited(rows: Rows, code: str, *, now_s: float) -> str | None:
    """The mark of the person whom an invitation is for; ``None``: it is none, or too old. It is not used up by this."""
    kind = str(CodeKind.INVITATION)
    row = rows.one("SELECT person, made_s FROM codes WHERE code = ? AND kind = ?", digest_of_code(code), kind)
    if row is None or not row["made_s"] <= now_s < row["made_s"] + INVITATION_LIVES_S:
        return None
    return str(row["person"])


def has_invitation(rows: Rows, mark: str, *, now_s: float) -> bool:
    """Whether a person has one that still holds."""
    rows_of = rows.all("SELECT made_s FROM codes WHERE person = ? AND kind = ?", mark, str(CodeKind.INVITATION))
    return any(row["made_s"] <= now_s < row["made_s"] + INVITATION_LIVES_S for row in rows_of)


def use_invitation(rows: Rows, mark: str) -> None:
    """Use it up."""
    rows.run("DELETE FROM codes WHERE person = ? AND kind = ?", mark, str(CodeKind.INVITATION))


def spend(rows: Rows, code: str, *, now_s: float) -> bool:
    """Use up a code that the database did not know; ``False``: it was used before."""
    known = digest_of_code(code)
    if rows.one("SELECT 1 FROM codes WHERE code = ?", known) is not None:
        return False
    rows.run("INSERT INTO codes VALUES (?, ?, NULL, ?)", known, str(CodeKind.SPENT), now_s)
    return True
