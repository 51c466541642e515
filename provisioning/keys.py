"""Keys of the clinic: made, read, and turned into the recipient that the boxes get."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from device.age.errors import IdentitySyntaxError
from device.age.identities import KeyIdentity, generate_identity, identity_file, parse_identity_file
from provisioning.errors import OutputError, UsageError

_MOST_BYTES = 1 << 20


def new_key(*, post_quantum: bool, created: datetime) -> tuple[str, str]:
    """A new identity as the file that stock age-keygen writes, and its recipient."""
    identity = generate_identity(post_quantum=post_quantum)
    return identity_file(identity, created), str(identity.recipient())


def write_identity(path: Path, text: str) -> None:
    """Write an identity file that only its owner can read; one that is there is never overwritten.

    Raises:
        OutputError: it is there already, or cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as problem:
        raise OutputError(
            f"{path} is there already, and an identity is never overwritten",
            "choose another name; what was sealed to a lost identity stays shut for ever",
        ) from problem
    except OSError as problem:
        raise OutputError(
            f"{path} cannot be created: {problem.strerror}", "choose a folder that you can write to"
        ) from problem
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as problem:
        path.unlink(missing_ok=True)
        raise OutputError(f"{path} cannot be written: {problem.strerror}", "free some room and try again") from problem


def read_identities(paths: Sequence[Path]) -> list[KeyIdentity]:
    """All the identities in these files.

    Raises:
        UsageError: a file cannot be read, or is no identity file.
    """
    return [identity for path in paths for identity in _read_file(path)]


def _read_file(path: Path) -> list[KeyIdentity]:
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES).decode("utf-8")
        return parse_identity_file(text)
    except OSError as problem:
        raise UsageError(
            f"the identity file {path} cannot be read: {problem.strerror}", "give the file that `key new` wrote"
        ) from problem
    except UnicodeDecodeError as problem:
        raise UsageError(f"{path} is not an identity file", "give the file that `key new` wrote") from problem
    except IdentitySyntaxError as problem:
        raise UsageError(f"{path} is not an identity file: {problem.what}", problem.hint) from problem
