"""The page's database: its tables, as the migrations that lead to them. Never change one: add the next."""

from __future__ import annotations

from typing import Final

_FIRST: Final = """
CREATE TABLE persons (
    mark TEXT PRIMARY KEY,
    login TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    recipient TEXT,
    active INTEGER NOT NULL DEFAULT 1,
    password TEXT,          -- argon2's own text; none before the person has chosen one
    totp_secret TEXT,       -- none before the person has shown a code made with it
    totp_step INTEGER NOT NULL DEFAULT 0  -- the newest step whose code was used: none is used twice
) STRICT;
CREATE TABLE roles (
    person TEXT NOT NULL REFERENCES persons ON DELETE CASCADE,
    role TEXT NOT NULL,
    PRIMARY KEY (person, role)
) STRICT, WITHOUT ROWID;
CREATE TABLE supervisees (
    supervisor TEXT NOT NULL REFERENCES persons ON DELETE CASCADE,
    therapist TEXT NOT NULL REFERENCES persons ON DELETE CASCADE,
    PRIMARY KEY (supervisor, therapist)
) STRICT, WITHOUT ROWID;
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    token BLOB NOT NULL UNIQUE,  -- its SHA-256
    kind TEXT NOT NULL,
    stage TEXT NOT NULL,
    person TEXT NOT NULL REFERENCES persons ON DELETE CASCADE,
    what TEXT NOT NULL,
    secret TEXT,                 -- the second factor that is being set up
    failures INTEGER NOT NULL DEFAULT 0,
    made_s REAL NOT NULL,
    seen_s REAL NOT NULL
) STRICT;
CREATE INDEX sessions_of ON sessions (person);
CREATE TABLE codes (
    code BLOB PRIMARY KEY,       -- its SHA-256
    kind TEXT NOT NULL,
    person TEXT REFERENCES persons ON DELETE CASCADE,  -- none: whoever becomes the first admin
    made_s REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX codes_of ON codes (person, kind);
CREATE TABLE challenges (
    id TEXT PRIMARY KEY,
    person TEXT REFERENCES persons ON DELETE CASCADE,  -- none: nobody has that login, which is not told
    answer BLOB NOT NULL,        -- its SHA-256
    made_s REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE failures (
    who BLOB PRIMARY KEY,        -- SHA-256 of a login or of an address
    count INTEGER NOT NULL,
    last_s REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE browsers (
    token BLOB PRIMARY KEY,      -- its SHA-256
    person TEXT NOT NULL REFERENCES persons ON DELETE CASCADE,
    made_s REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX browsers_of ON browsers (person);
CREATE TABLE passkeys (
    id BLOB PRIMARY KEY,
    person TEXT NOT NULL REFERENCES persons ON DELETE CASCADE,
    public_key BLOB NOT NULL,
    uses INTEGER NOT NULL,       -- the authenticator's own count
    name TEXT NOT NULL,
    made_s REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE ceremonies (
    challenge BLOB PRIMARY KEY,  -- its SHA-256
    person TEXT REFERENCES persons ON DELETE CASCADE,  -- who adds a passkey; none: somebody signs in
    made_s REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE duty (
    here INTEGER PRIMARY KEY CHECK (here = 1),  -- one room, one therapist
    person TEXT NOT NULL REFERENCES persons ON DELETE CASCADE,
    since_s REAL NOT NULL,
    until_s REAL NOT NULL
) STRICT;
"""

MIGRATIONS: Final = (_FIRST,)
