"""Opening an age file, with private keys. A machine that only seals never imports this module."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from device.age.chunks import NONCE_BYTES, ChunkCipher, payload_key
from device.age.errors import HeaderError, WrongKeyError
from device.age.header import Header, LineSource, read_header
from device.age.identities import Identity
from device.age.stream import RandomReader, ReadAt, Reader, Sink

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# One request over a network brings a header with forty post-quantum recipients.
_LOOK_AHEAD_BYTES = 64 * 1024


def open_header(source: LineSource, identities: Sequence[Identity]) -> tuple[ChunkCipher, int]:
    """Read and check a file's header: what opens its chunks, and the offset in bytes of its first chunk.

    ``source`` then stands at that chunk. Raises NotAgeError, HeaderError or WrongKeyError.
    """
    header = read_header(source)
    file_key = _unwrap(header, identities)
    header.verify(file_key)
    nonce = source.read(NONCE_BYTES)
    if len(nonce) != NONCE_BYTES:
        raise HeaderError("The file ends right behind its header.", "Fetch another copy of the file.")
    return ChunkCipher(payload_key(file_key, nonce)), header.size_bytes + NONCE_BYTES


def open_header_at(read_at: ReadAt, identities: Sequence[Identity]) -> tuple[ChunkCipher, int]:
    """Do as ``open_header`` with a file that is read by offset; it may look ahead 64 KiB at a time."""
    return open_header(io.BufferedReader(_FromStart(read_at), _LOOK_AHEAD_BYTES), identities)


def open_at(read_at: ReadAt, size_bytes: int, identities: Sequence[Identity]) -> RandomReader:
    """Open a file of ``size_bytes`` for reading anywhere. Raises as ``open_header``, and DamagedChunkError."""
    cipher, payload_offset = open_header_at(read_at, identities)
    return RandomReader(read_at, size_bytes=size_bytes, payload_offset=payload_offset, cipher=cipher)


def decrypt(source: LineSource, sink: Sink, identities: Sequence[Identity]) -> None:
    """Open all of ``source`` into ``sink``. Neither is closed.

    Raises as ``open_header``, and DamagedChunkError: what is in the sink by then is authentic, but not all there was.
    """
    cipher, _ = open_header(source, identities)
    for plaintext in Reader(source, cipher):
        sink.write(plaintext)


def _unwrap(header: Header, identities: Sequence[Identity]) -> bytes:
    for identity in identities:
        file_key = identity.unwrap(header.stanzas)
        if file_key is not None:
            return file_key
    raise WrongKeyError("None of the keys given opens this file.", "Use a key that the file was sealed to.")


class _FromStart(io.RawIOBase):
    """A file that is read by offset, as one that is read from front to end."""

    def __init__(self, read_at: ReadAt) -> None:
        super().__init__()
        self._read_at = read_at
        self._offset = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        data = self._read_at(self._offset, len(view))
        view[: len(data)] = data
        self._offset += len(data)
        return len(data)
