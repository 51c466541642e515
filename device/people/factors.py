"""What each person signs in with, as the database keeps it: a password, and an app's secret."""

from __future__ import annotations

from device.people.database import Rows


def password_of(rows: Rows, mark: str) -> str | None:
    """What is kept of the person's password; ``None``: none was chosen yet."""
    row = rows.one("SELECT password FROM persons WHERE mark = ?", mark)
    return None if row is None or row["password"] is None else str(row["password"])


def keep_password(rows: Rows, mark: str, kept: str) -> None:
    """Keep a new password."""
    rows.run("UPDATE persons SET password = ? WHERE mark = ?", kept, mark)


def secret_of(rows: Rows, mark: str) -> str | None:
    """The secret of the person's app; ``None``: none was set up yet."""
    row = rows.one("SELECT totp_secret FROM persons WHERE mark = ?", mark)
    return None if row is None or row["totp_secret"] is None else str(row["totp_secret"])


def keep_secret(rows: Rows, mark: str, secret: str, *, step: int) -> None:
    """Keep the secret of a new app; ``step``: of the code that was just used."""
    rows.run("UPDATE persons SET totp_secret = ?, totp_step = ? WHERE mark = ?", secret, step, mark)


def use_step(rows: Rows, mark: str, step: int, *, newest: int) -> bool:
    """Use a code of that step up; ``False``: it, or a later one, was used before.

    ``newest``: no code can be newer now. A step beyond it was used before the clock was set back, and says nothing.
    """
    used = rows.run(
        "UPDATE persons SET totp_step = ? WHERE mark = ? AND (totp_step < ? OR totp_step > ?)", step, mark, step, newest
    )
    return used > 0


def forget_factors(rows: Rows, mark: str) -> None:
    """Nothing that the person signed in with works any more."""
    rows.run("UPDATE persons SET password = NULL, totp_secret = NULL, totp_step = 0 WHERE mark = ?", mark)
    rows.run("DELETE FROM codes WHERE person = ?", mark)
    rows.run("DELETE FROM passkeys WHERE person = ?", mark)
    rows.run("DELETE FROM browsers WHERE person = ?", mark)
