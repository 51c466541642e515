"""Key login: a challenge that only the owner of an identity can answer, and that is of no use for anything else.

The plaintext is ``sotto-login:v1:<fingerprint of the box>:<random>``; the answer is its SHA-256 in hex, never the
plaintext. A client that opens nothing of another shape can therefore not be used to open what was sealed to its person
(``provisioning/key_login.py`` is that client's side).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import Final

from device.age.recipients import HybridRecipient, KeyRecipient, X25519Recipient, parse_recipient
from device.age.sealing import encrypt

LIVES_S: Final = 120.0
_Q: Final = 3329
_COEFFICIENTS: Final = 768


@dataclass(frozen=True, slots=True)
class Challenge:
    """``sealed`` is an age file for the person's program; ``id`` says which challenge it answers."""

    id: str
    sealed: bytes
    answer: str

    def __repr__(self) -> str:
        return f"Challenge({self.id})"


def new_challenge(recipient: str | None, *, fingerprint: str, classic: bool) -> Challenge:
    """A challenge sealed to a recipient.

    Without one it is sealed to a key that nobody has, of the clinic's kind (``classic`` or post-quantum): whoever asks
    with a login that nobody has learns nothing from the answer.
    """
    plain = f"sotto-login:v1:{fingerprint}:{secrets.token_hex(32)}".encode()
    sink = BytesIO()
    encrypt(BytesIO(plain), sink, [_nobody(classic=classic) if recipient is None else parse_recipient(recipient)])
    return Challenge(secrets.token_hex(16), sink.getvalue(), sha256(plain).hexdigest())


def _nobody(*, classic: bool) -> KeyRecipient:
    """A public key whose private half never was: random bytes of the right shape (FIPS 203, ByteEncode12)."""
    x25519 = secrets.token_bytes(32)
    if classic:
        return X25519Recipient(x25519)
    bits = 0
    for place in range(_COEFFICIENTS):
        bits |= secrets.randbelow(_Q) << (12 * place)
    return HybridRecipient(bits.to_bytes(_COEFFICIENTS * 12 // 8, "little") + secrets.token_bytes(32) + x25519)
