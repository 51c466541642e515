"""Passphrases: asked for where a person sits, or read from a file; never an argument, which every process can see."""

from __future__ import annotations

import getpass
import secrets
import sys
from pathlib import Path
from typing import Final

from provisioning.errors import UsageError

_MOST_BYTES: Final = 4096
LEAST_LETTERS: Final = 12
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another on paper
_GROUPS: Final = 6
_GROUP_LETTERS: Final = 4


def passphrase_of(file: Path | None, *, what: str) -> str:
    """The passphrase of ``what``, which has one already: the first line of a file, or what is typed.

    Raises:
        UsageError: the file cannot be read, there is nothing in it, or nobody is there to be asked.
    """
    return _from_file(file) if file is not None else _asked(f"Passphrase of {what}: ")


def new_passphrase(file: Path | None, *, what: str) -> str:
    """A passphrase that ``what`` is to have, of ``LEAST_LETTERS`` or more; where it is typed, twice.

    Raises:
        UsageError: as above; or it is too short, or was not typed twice alike.
    """
    chosen = _from_file(file) if file is not None else _asked(f"New passphrase of {what}: ")
    if len(chosen) < LEAST_LETTERS:
        raise UsageError(f"the passphrase has fewer than {LEAST_LETTERS} letters", "take some words that you like")
    if file is None and _asked("Again: ") != chosen:
        raise UsageError("that was not the same twice", "try again")
    return chosen


def made_up() -> str:
    """A passphrase that nobody can guess and that can be read out: 118 bits in six groups of four letters."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP_LETTERS)) for _ in range(_GROUPS))
    return "-".join(groups)


def _asked(prompt: str) -> str:
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to be asked for a passphrase", "give a file with --passphrase-file")
    chosen = getpass.getpass(prompt)
    if not chosen:
        raise UsageError("nothing was typed", "try again")
    return chosen


def _from_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            line = file.read(_MOST_BYTES).decode("utf-8").split("\n", 1)[0].removesuffix("\r")
    except OSError as problem:
        raise UsageError(f"the passphrase in {path} cannot be read: {problem.strerror}", "check the name") from problem
    except UnicodeDecodeError as problem:
        raise UsageError(f"there is no passphrase in {path}", "let it be the first line of a text file") from problem
    if not line:
        raise UsageError(f"there is no passphrase in {path}", "let it be the first line")
    return line
