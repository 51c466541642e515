"""The file that says who a box is to an S3 server. What stands in it is never told, whatever is wrong with it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final

from device.errors import RemoteError
from device.s3_signing import Credentials

_KEYS: Final = {"access_key", "secret_key"}
_PLAIN: Final = re.compile(r"[\x21-\x7e]{1,256}")  # it goes into a header of HTTP
_OTHERS_MAY: Final = 0o007
_MOST_BYTES: Final = 1 << 14


def read_credentials(path: Path) -> Credentials:
    """The credentials in a TOML file of ``access_key`` and ``secret_key``.

    Raises:
        RemoteError: it cannot be read, everybody may read it, or it holds anything else.
    """
    try:
        with path.open("rb") as file:
            mode = path.stat().st_mode
            text = file.read(_MOST_BYTES)
    except OSError as problem:
        raise RemoteError(
            f"the credentials of the remote cannot be read: {problem.strerror}",
            "see that the file that remote.credentials names is there, and readable for sync",
        ) from None
    if mode & _OTHERS_MAY:
        raise RemoteError(
            "everybody on this box may read the credentials of the remote",
            "chmod o= the file that remote.credentials names, and have new ones made if others were at the box",
        )
    try:
        values = tomllib.loads(text.decode())
    except (ValueError, RecursionError):  # what it says of the file could hold a piece of it
        values = {}
    if set(values) != _KEYS or not all(isinstance(value, str) and _PLAIN.fullmatch(value) for value in values.values()):
        raise RemoteError(
            "the credentials of the remote are not what they should be",
            'write two lines into the file that remote.credentials names: access_key = "…" and secret_key = "…"',
        )
    return Credentials(values["access_key"], values["secret_key"])
