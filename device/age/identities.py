"""Private keys: who can open a file (c2sp.org/age, "Native recipient types").

    AGE-SECRET-KEY-1…      opens what was sealed to age1…
    AGE-SECRET-KEY-PQ-1…   opens what was sealed to age1pq1…

A machine that only seals never imports this module.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey

from device.age import bech32
from device.age.chunks import TAG_BYTES
from device.age.errors import HeaderError, IdentitySyntaxError
from device.age.header import FILE_KEY_BYTES, Stanza, decode_base64
from device.age.recipients import (
    HYBRID_ENC_BYTES,
    HYBRID_INFO,
    HYBRID_KIND,
    MLKEM_CIPHERTEXT_BYTES,
    X25519_BYTES,
    X25519_KIND,
    HybridRecipient,
    X25519Recipient,
    fingerprint,
    hybrid_suite,
    x25519_wrap_key,
)

SEED_BYTES = 32
WRAPPED_BYTES = FILE_KEY_BYTES + TAG_BYTES

_X25519_PREFIX = "AGE-SECRET-KEY-"
_HYBRID_PREFIX = "AGE-SECRET-KEY-PQ-"
_MLKEM_SEED_BYTES = 64


class Identity(Protocol):
    """Something that may open a file."""

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Take the file key out of whichever of the file's stanzas is meant for this identity; None if none is.

        Raises HeaderError for a stanza of this identity's kind that nobody could have made honestly.
        """


class X25519Identity:
    """A classic private key of 32 bytes. Neither ``str()`` nor ``repr()`` gives it away; ``secret_text()`` does."""

    def __init__(self, secret: bytes) -> None:
        self._secret = _checked_seed(secret)
        self._key = X25519PrivateKey.from_private_bytes(secret)

    def __repr__(self) -> str:
        return f"<identity of {fingerprint(self.recipient())}>"

    def recipient(self) -> X25519Recipient:
        """The public half."""
        return X25519Recipient(self._key.public_key().public_bytes_raw())

    def secret_text(self) -> str:
        """``AGE-SECRET-KEY-1…``: whoever has this text can open the files."""
        return bech32.encode(_X25519_PREFIX, self._secret)

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Try each X25519 stanza; see ``Identity``."""
        public_key = self._key.public_key().public_bytes_raw()
        for stanza in stanzas:
            if stanza.kind != X25519_KIND:
                continue
            share = _only_argument(stanza, X25519_BYTES)
            shared = _exchange(self._key, share)
            key = x25519_wrap_key(shared, share=share, public_key=public_key)
            try:
                return ChaCha20Poly1305(key).decrypt(bytes(12), stanza.body, None)
            except InvalidTag:
                continue  # Meant for somebody else: an X25519 stanza does not say for whom.
        return None


class HybridIdentity:
    """A post-quantum private key: a seed of 32 bytes. Only ``secret_text()`` gives it away."""

    def __init__(self, secret: bytes) -> None:
        self._secret = _checked_seed(secret)
        # draft-ietf-hpke-pq, "Hybrids of ML-KEM with ECDH": both private keys grow out of one seed.
        grown = hashlib.shake_256(secret).digest(_MLKEM_SEED_BYTES + X25519_BYTES)
        self._mlkem = MLKEM768PrivateKey.from_seed_bytes(grown[:_MLKEM_SEED_BYTES])
        self._x25519 = X25519PrivateKey.from_private_bytes(grown[_MLKEM_SEED_BYTES:])

    def __repr__(self) -> str:
        return f"<identity of {fingerprint(self.recipient())}>"

    def recipient(self) -> HybridRecipient:
        """The public half."""
        return HybridRecipient(
            self._mlkem.public_key().public_bytes_raw() + self._x25519.public_key().public_bytes_raw()
        )

    def secret_text(self) -> str:
        """``AGE-SECRET-KEY-PQ-1…``: whoever has this text can open the files."""
        return bech32.encode(_HYBRID_PREFIX, self._secret)

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Try each mlkem768x25519 stanza; see ``Identity``."""
        key = MLKEM768X25519PrivateKey(self._mlkem, self._x25519)
        for stanza in stanzas:
            if stanza.kind != HYBRID_KIND:
                continue
            enc = _only_argument(stanza, HYBRID_ENC_BYTES)
            # HPKE reports a low-order share and a wrong key alike; only the second is honest, so look at it first.
            _exchange(self._x25519, enc[MLKEM_CIPHERTEXT_BYTES:])
            try:
                return hybrid_suite().decrypt(enc + stanza.body, key, info=HYBRID_INFO)
            except InvalidTag:
                continue
        return None


KeyIdentity = X25519Identity | HybridIdentity
"""An identity that is a private key, and so has a text and a recipient."""


def generate_identity(*, post_quantum: bool) -> KeyIdentity:
    """Make a new private key from the system's randomness."""
    secret = secrets.token_bytes(SEED_BYTES)
    return HybridIdentity(secret) if post_quantum else X25519Identity(secret)


def parse_identity(text: str) -> KeyIdentity:
    """Read ``AGE-SECRET-KEY-1…`` or ``AGE-SECRET-KEY-PQ-1…``. Raises IdentitySyntaxError, which never quotes it."""
    if text[:4].lower() == "age1":
        raise IdentitySyntaxError("This is a recipient (a public key), not an identity.", "Give the private key.")
    try:
        prefix, secret = bech32.decode(text)
        if prefix == _X25519_PREFIX:
            return X25519Identity(secret)
        if prefix == _HYBRID_PREFIX:
            return HybridIdentity(secret)
    except ValueError as error:
        raise IdentitySyntaxError(f"This is not a usable identity: {error}.", "Copy the whole key again.") from error
    raise IdentitySyntaxError(
        "This is an identity of a kind that is not known here.", "Use one that starts with AGE-SECRET-KEY-."
    )


def parse_identity_file(text: str) -> list[KeyIdentity]:
    """Read what ``identity_file`` or age-keygen wrote: a key a line; empty lines and lines with ``#`` do not count.

    Raises IdentitySyntaxError, with the number of the line, or if there is no key at all.
    """
    identities: list[KeyIdentity] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.strip()
        if not words or words.startswith("#"):
            continue
        try:
            identities.append(parse_identity(words))
        except IdentitySyntaxError as error:
            raise IdentitySyntaxError(f"Line {number}: {error.what}", error.hint) from error
    if not identities:
        raise IdentitySyntaxError("There is no identity in this file.", "Give the file that holds the private key.")
    return identities


def identity_file(identity: KeyIdentity, created: datetime) -> str:
    """Spell an identity file as age-keygen does: when it was made, its recipient, the key.

    ``created`` must have a time zone (ValueError): the line is RFC 3339.
    """
    if created.utcoffset() is None:
        raise ValueError("the moment has no time zone")
    moment = created.isoformat(timespec="seconds")
    moment = moment.removesuffix("+00:00") + "Z" if moment.endswith("+00:00") else moment
    return f"# created: {moment}\n# public key: {identity.recipient()}\n{identity.secret_text()}\n"


def _checked_seed(secret: bytes) -> bytes:
    if len(secret) != SEED_BYTES:
        raise ValueError("the key is too long or too short")
    return secret


def _only_argument(stanza: Stanza, size: int) -> bytes:
    """Give the one argument a key's stanza has, once argument and body have the only length they can have.

    The body's length is checked before it is opened: a longer one could be made to open under many keys, and each
    answer would then tell which of them is in use (c2sp.org/age, on partitioning oracles).
    """
    if len(stanza.args) == 1 and len(stanza.body) == WRAPPED_BYTES:
        argument = decode_base64(stanza.args[0])
        if len(argument) == size:
            return argument
    raise HeaderError("The file's header holds a malformed key.", "Do not trust this file; fetch another copy.")


def _exchange(key: X25519PrivateKey, share: bytes) -> bytes:
    try:
        return key.exchange(X25519PublicKey.from_public_bytes(share))
    except ValueError as error:
        raise HeaderError(
            "The file's header holds a key of low order, which nobody makes by accident.", "Do not trust this file."
        ) from error
