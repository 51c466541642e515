"""Signing in to a box with a key: what a program answers when a box wants to know whose program it is.

The box seals a fresh challenge to the person's recipient, and only their identity opens it. The answer is the SHA-256
of the challenge, never what was opened. A program that opens whatever it is handed is everybody's tool: so nothing is
answered but what has the one shape of a challenge, is no longer than one can be, and names the very box that was meant.
A box that hands on what was sealed for another purpose, or another box's challenge, gets no answer at all.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from device.age.identities import Identity
from device.age.opening import decrypt
from provisioning.errors import ChallengeError

MOST_SEALED_BYTES: Final = 8 * 1024
# Half as many random letters would do; twice as many are no reason to refuse.
_CHALLENGE: Final = re.compile(rb"sotto-login:v1:([0-9a-f]{16}):[A-Za-z0-9_-]{22,128}")
_NOTHING_OPENED: Final = "find out what is behind that address before you try again; nothing was told to it"


def answer_challenge(sealed: bytes, identities: Sequence[Identity], *, device: str) -> str:
    """The answer to a sealed challenge, in hexadecimal. ``device``: the fingerprint of the box that was meant.

    Raises:
        ChallengeError: it is no challenge, or one of another box. What it says instead is not told, not even here.
        AgeError: none of the identities opens it, or it is damaged.
    """
    if len(sealed) > MOST_SEALED_BYTES:
        raise ChallengeError("what the box sent is far too long for a challenge", _NOTHING_OPENED)
    opened = io.BytesIO()
    decrypt(io.BytesIO(sealed), opened, identities)
    challenge = _CHALLENGE.fullmatch(opened.getvalue())
    if challenge is None:
        raise ChallengeError("what the box sent is no challenge, so it was not answered", _NOTHING_OPENED)
    if challenge[1].decode() != device.lower():
        raise ChallengeError(
            "the challenge is that of another box, so it was not answered",
            "check the device key that you gave; if it is right, something stands between you and the box",
        )
    return sha256(opened.getvalue()).hexdigest()
