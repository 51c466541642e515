"""One chunk of an age payload at a time, in any order (c2sp.org/age, "Payload").

The plaintext is cut into chunks of 64 KiB, each sealed with ChaCha20-Poly1305 under a nonce that holds its number and
whether it is the last. So chunks cannot be swapped, dropped, repeated, or cut off at the end without it being noticed.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from device.age.errors import DamagedChunkError

CHUNK_BYTES = 64 * 1024
TAG_BYTES = 16
SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES
NONCE_BYTES = 16

_COUNTER_BYTES = 11


def payload_key(file_key: bytes, nonce: bytes) -> bytes:
    """Derive the 32-byte key of a payload from the file key and the 16-byte nonce that precedes the payload."""
    return HKDF(algorithm=SHA256(), length=32, salt=nonce, info=b"payload").derive(file_key)


class ChunkCipher:
    """Seals and opens the chunks of one payload; it remembers nothing between calls and may be shared by threads.

    Whoever seals has to see to it that a ``(counter, last)`` pair is never used for two different plaintexts: the same
    nonce twice gives both of them away.
    """

    def __init__(self, payload_key: bytes) -> None:
        self._aead = ChaCha20Poly1305(payload_key)

    def seal(self, counter: int, plaintext: bytes | bytearray | memoryview, *, last: bool) -> bytes:
        """Seal chunk ``counter``: 16 bytes longer than its plaintext.

        Raises ValueError for a length that no reader would accept: a chunk that is not the last is whole (64 KiB); the
        last is at most that, and empty only if it is the only one.
        """
        if not _is_lawful(counter, len(plaintext), last=last):
            raise ValueError(f"a chunk of {len(plaintext)} bytes cannot stand at {counter} with last={last}")
        return self._aead.encrypt(_nonce(counter, last=last), plaintext, None)

    def open(self, counter: int, sealed: bytes | bytearray | memoryview, *, last: bool) -> bytes:
        """Open chunk ``counter`` and give its plaintext.

        Raises DamagedChunkError if it is not the chunk that was sealed at this place, with this flag and length.
        """
        if not _is_lawful(counter, len(sealed) - TAG_BYTES, last=last):
            raise DamagedChunkError(counter)
        try:
            return self._aead.decrypt(_nonce(counter, last=last), sealed, None)
        except InvalidTag as error:
            raise DamagedChunkError(counter) from error


def _is_lawful(counter: int, plaintext_bytes: int, *, last: bool) -> bool:
    if not last:
        return plaintext_bytes == CHUNK_BYTES
    return (0 if counter == 0 else 1) <= plaintext_bytes <= CHUNK_BYTES


def _nonce(counter: int, *, last: bool) -> bytes:
    return counter.to_bytes(_COUNTER_BYTES, "big") + (b"\x01" if last else b"\x00")
