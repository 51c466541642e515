"""A passphrase in place of keys (c2sp.org/age, "The scrypt recipient type"): for a copy handed to a client, say.

A passphrase is always the only recipient of its file, and each try costs time and memory: 2**log_n KiB of it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from device.age.chunks import TAG_BYTES
from device.age.errors import HeaderError
from device.age.header import FILE_KEY_BYTES, Stanza, decode_base64, encode_base64
from device.age.recipients import Company

# What age itself writes: 256 MiB, about a second.
WRITE_LOG_N = 18
# 1 GiB. age goes on to 22, which is 4 GiB of memory for whoever opens a stranger's file.
READ_LOG_N_LIMIT = 20

_KIND = "scrypt"
_INFO = b"age-encryption.org/v1/scrypt"
_SALT_BYTES = 16
_LOG_N_TEXT = re.compile(r"[1-9][0-9]?")


class PassphraseRecipient:
    """Seals to a passphrase. Raises ValueError if it is empty, or ``log_n`` is not in 1 to 30."""

    def __init__(self, passphrase: str, *, log_n: int = WRITE_LOG_N) -> None:
        self._passphrase = _checked(passphrase)
        self._log_n = _checked_log_n(log_n)

    @property
    def company(self) -> Company:
        """None at all."""
        return Company.NONE

    def wrap(self, file_key: bytes) -> Stanza:
        """Wrap the file key under the stretched passphrase and a fresh salt."""
        salt = secrets.token_bytes(_SALT_BYTES)
        key = _stretch(self._passphrase, salt, self._log_n)
        body = ChaCha20Poly1305(key).encrypt(bytes(12), file_key, None)
        return Stanza(_KIND, (encode_base64(salt), str(self._log_n)), body)


class PassphraseIdentity:
    """Opens with a passphrase, if the file asks for no more than ``log_n_limit``. Raises ValueError as above."""

    def __init__(self, passphrase: str, *, log_n_limit: int = READ_LOG_N_LIMIT) -> None:
        self._passphrase = _checked(passphrase)
        self._log_n_limit = _checked_log_n(log_n_limit)

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Take the file key out; None if the file has no passphrase, or another one.

        Raises HeaderError if the passphrase is not the file's only recipient, its stanza is malformed, or it asks for
        more work than allowed.
        """
        stanza = next((stanza for stanza in stanzas if stanza.kind == _KIND), None)
        if stanza is None:
            return None
        if len(stanzas) > 1:
            raise HeaderError("A passphrase stands beside other recipients in this file.", "Do not trust this file.")
        salt, log_n = self._arguments(stanza)
        try:
            return ChaCha20Poly1305(_stretch(self._passphrase, salt, log_n)).decrypt(bytes(12), stanza.body, None)
        except InvalidTag:
            return None

    def _arguments(self, stanza: Stanza) -> tuple[bytes, int]:
        # The body's length comes first: see identities.py on partitioning oracles.
        if len(stanza.args) != 2 or len(stanza.body) != FILE_KEY_BYTES + TAG_BYTES:
            raise _malformed()
        salt = decode_base64(stanza.args[0])
        if len(salt) != _SALT_BYTES or not _LOG_N_TEXT.fullmatch(stanza.args[1]):
            raise _malformed()
        log_n = int(stanza.args[1])
        if log_n > self._log_n_limit:
            raise HeaderError(
                f"Opening this file would take 2**{log_n} KiB of memory.", "Do not open it unless you know its sender."
            )
        return salt, log_n


def _stretch(passphrase: bytes, salt: bytes, log_n: int) -> bytes:
    return Scrypt(salt=_INFO + salt, length=32, n=1 << log_n, r=8, p=1).derive(passphrase)


def _checked(passphrase: str) -> bytes:
    if not passphrase:
        raise ValueError("the passphrase is empty")
    return passphrase.encode("utf-8")


def _checked_log_n(log_n: int) -> int:
    if not 1 <= log_n <= 30:
        raise ValueError("the work factor is not in 1 to 30")
    return log_n


def _malformed() -> HeaderError:
    return HeaderError("The file's header holds a malformed passphrase entry.", "Do not trust this file.")
