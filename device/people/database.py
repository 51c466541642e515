"""The page's own database, one SQLite file. The only home of ``sqlite3``; everybody else sees rows."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from device.errors import AdminError
from device.people.schema import MIGRATIONS

DATABASE_NAME: Final = "people.db"
_PATIENCE_S: Final = 5.0

Row = sqlite3.Row


class Rows:
    """The database inside one transaction; no longer."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def all(self, sql: str, *values: object) -> list[Row]:
        """Every row of an answer."""
        return self._connection.execute(sql, values).fetchall()

    def one(self, sql: str, *values: object) -> Row | None:
        """The first row of an answer, or ``None``."""
        found: Row | None = self._connection.execute(sql, values).fetchone()
        return found

    def run(self, sql: str, *values: object) -> int:
        """Change something; how many rows it was."""
        return self._connection.execute(sql, values).rowcount

    def run_many(self, sql: str, values: Sequence[tuple[object, ...]]) -> None:
        """Change something once for each of ``values``."""
        self._connection.executemany(sql, values)


class Database:
    """One connection for all threads of a process, one transaction at a time; other processes may have theirs.

    What was changed is durable when the transaction ends: a code that was used up stays so after a power cut.
    """

    def __init__(self, folder: Path, *, migrations: Sequence[str] = MIGRATIONS) -> None:
        """Open the database in ``folder``, or make it; bring its tables up to date.

        Raises:
            AdminError: it cannot be made, read or written, or a newer Sotto made it.
        """
        self.folder = folder
        path = folder / DATABASE_NAME
        self._lock = threading.Lock()
        try:
            # Nobody else of the box's group may read it. What SQLite puts beside it gets the same rights.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._connection = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as problem:
            raise _unusable(problem) from problem
        try:
            self._prepare(migrations)
        except (AdminError, sqlite3.Error) as problem:
            self._connection.close()
            raise problem if isinstance(problem, AdminError) else _unusable(problem) from problem

    def _prepare(self, migrations: Sequence[str]) -> None:
        self._connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        with self.transaction() as rows:
            found = rows.one("PRAGMA user_version")
            version = 0 if found is None else int(found[0])
            if version > len(migrations):
                raise AdminError(
                    "the page's database was made by a newer Sotto", "install that version, or restore the database"
                )
            for migration in migrations[version:]:
                for statement in _statements(migration):
                    rows.run(statement)
            rows.run(f"PRAGMA user_version = {len(migrations)}")

    @contextmanager
    def transaction(self) -> Iterator[Rows]:
        """All of what is done inside, or nothing of it where it raises.

        Raises:
            AdminError: the database does not work.
        """
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield Rows(self._connection)
                except BaseException:
                    self._connection.execute("ROLLBACK")
                    raise
                self._connection.execute("COMMIT")
            except sqlite3.Error as problem:
                raise _unusable(problem) from problem

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            self._connection.close()


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one: ``executescript`` would end the transaction that we are in."""
    so_far = ""
    for line in script.splitlines(keepends=True):
        so_far += line
        if sqlite3.complete_statement(so_far):
            yield so_far
            so_far = ""


def _unusable(problem: OSError | sqlite3.Error) -> AdminError:
    reason = problem.strerror if isinstance(problem, OSError) else problem
    return AdminError(
        f"the page's database cannot be used: {reason}", "check the folder that web.state names, and its disk"
    )
