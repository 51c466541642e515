"""Secrets that the box makes and others keep: it remembers only their SHA-256, so that its database opens nothing.

All of them are random and long, so that no slow hash is needed; passwords are another matter (``passwords``).
"""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import Final

# Crockford's letters: none is taken for another when somebody reads one aloud or types it from paper.
_LETTERS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_GROUPS: Final = 4
_GROUP_LETTERS: Final = 4
_READ_AS: Final = str.maketrans({"i": "1", "l": "1", "o": "0", "u": "v"})


def new_token() -> str:
    """What a browser or a program proves itself with: 256 bits."""
    return secrets.token_urlsafe(32)


def new_code() -> str:
    """A code that a person can type: 80 bits, as ``7k2m-…``."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP_LETTERS)) for _ in range(_GROUPS))
    return "-".join(groups)


def digest(token: str) -> bytes:
    """What the box remembers of a token."""
    return sha256(token.encode()).digest()


def digest_of_bytes(challenge: bytes) -> bytes:
    """What the box remembers of a challenge."""
    return sha256(challenge).digest()


def digest_of_code(code: str) -> bytes:
    """What the box remembers of a code, however it was typed: capitals, blanks and look-alikes do not matter."""
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    return digest(plain.translate(_READ_AS))
