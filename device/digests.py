"""SHA-256 by the one OpenSSL that seals and signs as well: ``hashlib`` would load another beside it (3.4 MB)."""

from __future__ import annotations

import os
from typing import BinaryIO, Final

from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.hmac import HMAC

_SHA256: Final = SHA256()
_PIECE_BYTES: Final = 1 << 18


class Sha256:
    """A digest under way, as ``hashlib`` has it: it can be asked for at any time, and goes on."""

    __slots__ = ("_hash",)

    def __init__(self, data: bytes | memoryview = b"") -> None:
        self._hash = Hash(_SHA256)
        if data:
            self._hash.update(data)

    def update(self, data: bytes | memoryview) -> None:
        """Take the next bytes."""
        self._hash.update(data)

    def digest(self) -> bytes:
        """The digest of all so far (32 bytes)."""
        return self._hash.copy().finalize()

    def hexdigest(self) -> str:
        """The same in hexadecimal."""
        return self.digest().hex()


sha256 = Sha256


def sha256_of_file(file: BinaryIO) -> Sha256:
    """The digest of the rest of a file. Raises ``OSError``."""
    digest = Sha256()
    while piece := file.read(_PIECE_BYTES):
        digest.update(piece)
    return digest


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA-256 (RFC 2104)."""
    mac = HMAC(key, _SHA256)
    mac.update(data)
    return mac.finalize()


def random_hex(count: int) -> str:
    """So many random bytes of the kernel's, in hexadecimal."""
    return os.urandom(count).hex()
