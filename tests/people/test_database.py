"""The page's own database: whole or not at all, durable, for the page alone, and told in words where it fails."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from device.errors import AdminError
from device.people.database import DATABASE_NAME, Database
from device.people.schema import MIGRATIONS


def test_what_raises_has_changed_nothing(tmp_path: Path) -> None:
    with closing(Database(tmp_path)) as database:
        with pytest.raises(ZeroDivisionError), database.transaction() as rows:
            rows.run("INSERT INTO failures VALUES (x'00', 1, 1.0)")
            raise ZeroDivisionError
        with database.transaction() as rows:
            assert rows.all("SELECT * FROM failures") == []


def test_nobody_else_may_read_what_it_makes(tmp_path: Path) -> None:
    with closing(Database(tmp_path)) as database:
        with database.transaction() as rows:
            rows.run("INSERT INTO failures VALUES (x'00', 1, 1.0)")
        made = list(tmp_path.iterdir())
        assert len(made) == 3
        assert {path.stat().st_mode & 0o777 for path in made} == {0o600}


def test_it_is_durable_when_the_transaction_ends_and_keeps_to_its_rules(tmp_path: Path) -> None:
    with closing(Database(tmp_path)) as database, database.transaction() as rows:
        told = {
            name: rows.all(f"PRAGMA {name}")[0][0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert told == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


def test_every_table_is_strict(tmp_path: Path) -> None:
    with closing(Database(tmp_path)) as database, database.transaction() as rows:
        tables = [row for row in rows.all("PRAGMA table_list") if not row["name"].startswith("sqlite_")]
        assert len(tables) >= 10
        assert all(row["strict"] for row in tables)


def test_two_processes_take_turns(tmp_path: Path) -> None:
    with closing(Database(tmp_path)) as first, closing(Database(tmp_path)) as second:

        def count(database: Database) -> None:
            for _ in range(50):
                with database.transaction() as rows:
                    row = rows.one("SELECT count FROM failures")
                    so_far = 0 if row is None else row[0]
                    rows.run("INSERT OR REPLACE INTO failures VALUES (x'00', ?, 1.0)", so_far + 1)

        threads = [threading.Thread(target=count, args=(database,)) for database in (first, second, first)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with first.transaction() as rows:
            assert rows.all("SELECT count FROM failures")[0][0] == 150


def test_a_database_of_a_newer_sotto_is_left_alone(tmp_path: Path) -> None:
    Database(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / DATABASE_NAME)) as newer:
        newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(AdminError, match="a newer Sotto"):
        Database(tmp_path)


@pytest.mark.parametrize("damage", [b"this is no database, but it is long enough to be looked at" * 20])
def test_a_file_that_is_no_database_is_told_in_words(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / DATABASE_NAME).write_bytes(damage)
    with pytest.raises(AdminError, match="the page's database cannot be used") as caught:
        Database(tmp_path)
    assert "web.state" in caught.value.hint


def test_a_folder_that_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(AdminError, match="No such file or directory"):
        Database(tmp_path / "nowhere")


def test_a_migration_that_fails_half_way_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    Database(tmp_path).close()
    broken = (*MIGRATIONS, "CREATE TABLE more (a TEXT) STRICT;\nCREATE TABLE persons (a TEXT) STRICT;\n")
    with pytest.raises(AdminError, match="persons already exists"):
        Database(tmp_path, migrations=broken)
    with closing(Database(tmp_path)) as database, database.transaction() as rows:
        assert rows.one("SELECT 1 FROM sqlite_schema WHERE name = 'more'") is None


def test_what_is_there_stays_when_a_migration_is_added(tmp_path: Path) -> None:
    with closing(Database(tmp_path)) as database, database.transaction() as rows:
        rows.run("INSERT INTO failures VALUES (x'00', 7, 1.0)")
    added = (*MIGRATIONS, "ALTER TABLE failures ADD COLUMN more TEXT;\n")
    for _ in range(2):  # a second start has nothing to do
        with closing(Database(tmp_path, migrations=added)) as database, database.transaction() as rows:
            assert [tuple(row) for row in rows.all("SELECT count, more FROM failures")] == [(7, None)]
