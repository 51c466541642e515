"""The first admin: a one-time code in a file of the page's own folder, from provisioning or ``sotto first-admin``.

Whoever may write there owns the box anyway. The file goes when the code is used, and the code does not work again where
the file cannot go, or comes back.

A box that was made from a card has the digest of such a code in a file of root's instead (``web.first_admin``), and the
admin has the code on paper. That file stays; the code is worth nothing once it was used.
"""

from __future__ import annotations

import hmac
import os
from pathlib import Path
from typing import Final

from device.durable import sync_folder
from device.errors import AdminError
from device.people.secret import digest_of_code, new_code

FIRST_ADMIN_NAME: Final = "first-admin.code"
_MOST_BYTES: Final = 200
_LEAST_LETTERS: Final = 16
_DIGEST_LETTERS: Final = 64


def write_first_admin_code(folder: Path) -> str:
    """Write a new code, for the page alone to read; the one before, if any, is worth nothing any more.

    Raises:
        AdminError: it cannot be written.
    """
    code = new_code()
    beside = folder / (FIRST_ADMIN_NAME + ".new")
    try:
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(code + "\n")
            file.flush()
            os.fsync(file.fileno())
        owner = folder.stat()
        os.chown(beside, owner.st_uid, owner.st_gid)  # root writes it, the page reads it
        beside.rename(folder / FIRST_ADMIN_NAME)
        sync_folder(folder)
    except OSError as problem:
        raise AdminError(
            f"the code for the first admin cannot be written: {problem.strerror}",
            "run this as root or as the page's user, and check the folder that web.state names",
        ) from problem
    return code


def is_first_admin_code(folder: Path, code: str) -> bool:
    """Whether it is the code in the file."""
    try:
        with (folder / FIRST_ADMIN_NAME).open(encoding="ascii") as file:
            written = file.read(_MOST_BYTES)
    except (OSError, UnicodeDecodeError):
        return False
    if sum(map(str.isalnum, written)) < _LEAST_LETTERS:
        return False  # an empty file is no code
    return hmac.compare_digest(digest_of_code(written), digest_of_code(code))


def is_code_of_card(path: Path | None, code: str) -> bool:
    """Whether it is the code whose digest is in that file; where there is none, or no digest in it, no code is."""
    if path is None:
        return False
    try:
        with path.open(encoding="ascii") as file:
            written = file.read(_MOST_BYTES).strip()
    except (OSError, UnicodeDecodeError):
        return False
    if len(written) != _DIGEST_LETTERS:
        return False
    return hmac.compare_digest(written, digest_of_code(code).hex())


def new_code_of_card() -> tuple[str, bytes]:
    """A new code, for paper; and what the file on a box has to hold, by which nobody knows it."""
    code = new_code()
    return code, f"{digest_of_code(code).hex()}\n".encode("ascii")


def forget_first_admin_code(folder: Path) -> None:
    """Take the file away.

    Raises:
        AdminError: it is still there, though its code does not work again.
    """
    try:
        (folder / FIRST_ADMIN_NAME).unlink(missing_ok=True)
        sync_folder(folder)
    except OSError as problem:
        raise AdminError(
            f"the used code for the first admin cannot be taken away: {problem.strerror}",
            f"delete {FIRST_ADMIN_NAME} in the folder that web.state names; it does not work again",
        ) from problem
