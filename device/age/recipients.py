"""Public keys: for whom a file is sealed (c2sp.org/age, "Native recipient types").

    age1…      X25519 alone: what every age since 1.0 opens
    age1pq1…   ML-KEM-768 and X25519 together: also safe from a quantum computer that reads the file in twenty years

This is all that a machine which only seals has to know.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PublicKey, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from device.age import bech32
from device.age.errors import MixedRecipientsError, NoRecipientError, RecipientSyntaxError
from device.age.header import Stanza, encode_base64

X25519_KIND = "X25519"
HYBRID_KIND = "mlkem768x25519"
HYBRID_INFO = b"age-encryption.org/mlkem768x25519"
X25519_BYTES = 32
MLKEM_PUBLIC_BYTES = 1184
# HPKE's encapsulated key: the ML-KEM ciphertext (1088), then the ephemeral X25519 share.
MLKEM_CIPHERTEXT_BYTES = 1088
HYBRID_ENC_BYTES = MLKEM_CIPHERTEXT_BYTES + X25519_BYTES

_X25519_PREFIX = "age"
_HYBRID_PREFIX = "age1pq"
_X25519_INFO = b"age-encryption.org/v1/X25519"
_FINGERPRINT_LETTERS = 16


class Company(enum.Enum):
    """With whom a recipient may share a file."""

    CLASSIC = "classic"
    POST_QUANTUM = "post-quantum"
    NONE = "none"


class Recipient(Protocol):
    """Someone a file can be sealed to."""

    @property
    def company(self) -> Company:
        """With whom this recipient may share a file."""

    def wrap(self, file_key: bytes) -> Stanza:
        """Wrap the 16-byte file key so that only this recipient can take it out again; each call differs."""


@dataclass(frozen=True)
class X25519Recipient:
    """A classic public key (c2sp.org/age, "The X25519 recipient type"). ``str()`` gives ``age1…``.

    Raises ValueError unless ``public_key`` is 32 bytes and not of low order.
    """

    public_key: bytes

    def __post_init__(self) -> None:
        load_x25519(self.public_key)

    def __str__(self) -> str:
        return bech32.encode(_X25519_PREFIX, self.public_key)

    @property
    def company(self) -> Company:
        """With other classic ones."""
        return Company.CLASSIC

    def wrap(self, file_key: bytes) -> Stanza:
        """Wrap the file key under a secret shared between a fresh key and this one."""
        ephemeral = X25519PrivateKey.generate()
        share = ephemeral.public_key().public_bytes_raw()
        shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(self.public_key))
        key = x25519_wrap_key(shared, share=share, public_key=self.public_key)
        # The key is used once, so the nonce can be fixed.
        body = ChaCha20Poly1305(key).encrypt(bytes(12), file_key, None)
        return Stanza(X25519_KIND, (encode_base64(share),), body)


@dataclass(frozen=True)
class HybridRecipient:
    """A post-quantum public key (c2sp.org/age, "The MLKEM768-X25519 … recipient type"). ``str()`` gives ``age1pq1…``.

    ``public_key`` is the ML-KEM-768 key (1184 bytes), then the X25519 key (32). Raises ValueError if
    either is unusable.
    """

    public_key: bytes

    def __post_init__(self) -> None:
        self._load()

    def __str__(self) -> str:
        return bech32.encode(_HYBRID_PREFIX, self.public_key)

    @property
    def company(self) -> Company:
        """With other post-quantum ones."""
        return Company.POST_QUANTUM

    def wrap(self, file_key: bytes) -> Stanza:
        """Wrap the file key with HPKE in base mode."""
        sealed = hybrid_suite().encrypt(file_key, self._load(), info=HYBRID_INFO)
        return Stanza(HYBRID_KIND, (encode_base64(sealed[:HYBRID_ENC_BYTES]),), sealed[HYBRID_ENC_BYTES:])

    def _load(self) -> MLKEM768X25519PublicKey:
        x25519 = load_x25519(self.public_key[MLKEM_PUBLIC_BYTES:])
        try:
            mlkem = MLKEM768PublicKey.from_public_bytes(self.public_key[:MLKEM_PUBLIC_BYTES])
        except ValueError as error:
            raise ValueError("the ML-KEM key is not one") from error
        return MLKEM768X25519PublicKey(mlkem, x25519)


KeyRecipient = X25519Recipient | HybridRecipient
"""A recipient that is a public key, and so has a text and a fingerprint."""


def parse_recipient(text: str) -> KeyRecipient:
    """Read ``age1…`` or ``age1pq1…``. Raises RecipientSyntaxError."""
    if text[:14].upper() == "AGE-SECRET-KEY":
        raise RecipientSyntaxError(
            "This is an identity (a private key), not a recipient.", "Keep it secret and give its recipient instead."
        )
    try:
        prefix, public_key = bech32.decode(text)
        if prefix == _X25519_PREFIX:
            return X25519Recipient(public_key)
        if prefix == _HYBRID_PREFIX:
            return HybridRecipient(public_key)
    except ValueError as error:
        raise RecipientSyntaxError(f"This is not a usable recipient: {error}.", "Copy the whole key again.") from error
    raise RecipientSyntaxError(
        "This is a recipient of a kind that is not known here.", "Use a recipient that starts with age1 or age1pq1."
    )


def fingerprint(recipient: KeyRecipient) -> str:
    """A short name for a recipient, to write beside a file: the first 16 hex digits of the SHA-256 of its text."""
    digest = Hash(SHA256())
    digest.update(str(recipient).encode("ascii"))
    return digest.finalize().hex()[:_FINGERPRINT_LETTERS]


def check_company(recipients: Sequence[Recipient]) -> None:
    """Refuse recipients that must not share a file. Raises NoRecipientError or MixedRecipientsError.

    One classic stanza makes the whole file as weak as X25519 alone; one more stanza beside a passphrase lets its owner
    forge files that seem to come from whoever knows the passphrase (c2sp.org/age, "scrypt recipient stanza").
    """
    kinds = {recipient.company for recipient in recipients}
    if not kinds:
        raise NoRecipientError("There is nobody to seal to.", "Give at least one recipient.")
    if Company.NONE in kinds and len(recipients) > 1:
        raise MixedRecipientsError("A passphrase must be the only recipient of a file.", "Seal to one or the other.")
    if len(kinds) > 1:
        raise MixedRecipientsError(
            "Post-quantum and classic recipients cannot share a file: it would be no safer than its weakest recipient.",
            "Seal to recipients that all start with age1pq1, or to none that does.",
        )


def load_x25519(public_key: bytes) -> X25519PublicKey:
    """Load a point, or raise ValueError if it is not 32 bytes or of low order.

    With a low-order point the shared secret is zero, whatever the private key: everybody could open the file.
    """
    if len(public_key) != X25519_BYTES:
        raise ValueError("the key is too long or too short")
    key = X25519PublicKey.from_public_bytes(public_key)
    try:
        X25519PrivateKey.generate().exchange(key)
    except ValueError as error:
        raise ValueError("the X25519 point is of low order") from error
    return key


def x25519_wrap_key(shared: bytes, *, share: bytes, public_key: bytes) -> bytes:
    """Derive the key that wraps the file key from the shared secret and both public halves."""
    return HKDF(algorithm=SHA256(), length=32, salt=share + public_key, info=_X25519_INFO).derive(shared)


def hybrid_suite() -> Suite:
    """The HPKE suite of the post-quantum stanza (RFC 9180 with draft-ietf-hpke-pq)."""
    return Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
