"""An age file as text, for where bytes cannot go: in a JSON file, in a mail (c2sp.org/age, "ASCII armor").

It is strict PEM (RFC 7468): lines of 64 letters, the last of them shorter or as long, and nothing else in between.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from typing import Final

from device.age.errors import NotAgeError

_BEGIN: Final = "-----BEGIN AGE ENCRYPTED FILE-----"
_END: Final = "-----END AGE ENCRYPTED FILE-----"
_COLUMNS: Final = 64
_ARMOR: Final = re.compile(rf"{_BEGIN}\n((?:[A-Za-z0-9+/=]{{1,{_COLUMNS}}}\n)*){_END}")
_SPACE: Final = " \t\r\n"


def armor(file: bytes) -> str:
    """An age file as text, with a line end behind it."""
    body = b64encode(file).decode("ascii")
    lines = [body[at : at + _COLUMNS] for at in range(0, len(body), _COLUMNS)]
    return "\n".join((_BEGIN, *lines, _END)) + "\n"


def dearmor(text: str) -> bytes:
    """The age file that is in such a text; space around it does not count.

    Raises:
        NotAgeError: it is none.
    """
    found = _ARMOR.fullmatch(text.strip(_SPACE).replace("\r\n", "\n"))
    if found is None:
        raise _not_armored()
    try:
        file = b64decode(found[1].replace("\n", ""), validate=True)
    except Base64Error as problem:
        raise _not_armored() from problem
    # One file has one text: bits that say nothing have to be 0, and every line has its length.
    if armor(file) != f"{found[0]}\n":
        raise _not_armored()
    return file


def _not_armored() -> NotAgeError:
    return NotAgeError("This is not an age file as text.", "Copy it again, from its first line to its last.")
