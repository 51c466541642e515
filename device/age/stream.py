"""A whole age payload: written from front to end, read from front to end, or read anywhere (c2sp.org/age, "Payload").

No reader here ever gives out a byte that was not authenticated at its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from device.age.chunks import CHUNK_BYTES, NONCE_BYTES, SEALED_CHUNK_BYTES, TAG_BYTES, ChunkCipher, payload_key
from device.age.errors import DamagedChunkError

__all__ = [
    "CHUNK_BYTES",
    "NONCE_BYTES",
    "SEALED_CHUNK_BYTES",
    "TAG_BYTES",
    "ChunkCipher",
    "RandomReader",
    "ReadAt",
    "Reader",
    "Sink",
    "Source",
    "Writer",
    "payload_key",
]

ReadAt = Callable[[int, int], bytes]
"""``(offset, size)`` in bytes to the bytes there; fewer than ``size`` only at the end of the file."""


class Sink(Protocol):
    """Where sealed bytes go: any buffered binary file."""

    def write(self, data: bytes, /) -> object:
        """Take all of ``data``, or raise."""


class Source(Protocol):
    """Where sealed bytes come from: any binary file."""

    def read(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes; none only at the end."""


class Writer:
    """Seals a payload as it is written. Not a context manager on purpose.

    A ``with`` would close the payload on the way out of an error too, and a broken-off file would look complete.
    """

    def __init__(self, sink: Sink, cipher: ChunkCipher) -> None:
        self._sink = sink
        self._cipher = cipher
        self._counter = 0
        self._held = bytearray()
        self._closed = False
        self._error: BaseException | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Seal ``data`` behind what came before.

        Whatever the sink raises comes out here, and again at every later call: after a failed write nobody knows what
        the sink holds. Raises ValueError once closed.
        """
        self._check()
        rest = memoryview(data).cast("B")
        while rest:
            # A full chunk is held until more comes, for the last one is sealed differently.
            if len(self._held) == CHUNK_BYTES:
                self._flush(last=False)
            taken = rest[: CHUNK_BYTES - len(self._held)]
            self._held += taken
            rest = rest[len(taken) :]

    def close(self) -> None:
        """Seal the last chunk; the payload is complete. The sink stays open. A second call does nothing."""
        if self._closed:
            return
        self._check()
        self._flush(last=True)
        self._closed = True

    def _check(self) -> None:
        if self._error is not None:
            raise self._error
        if self._closed:
            raise ValueError("the payload is closed")

    def _flush(self, *, last: bool) -> None:
        try:
            self._sink.write(self._cipher.seal(self._counter, self._held, last=last))
        except BaseException as error:
            self._error = error
            raise
        self._counter += 1
        self._held.clear()


class Reader:
    """Opens a payload from its first byte to its last. ``source`` stands behind the nonce."""

    def __init__(self, source: Source, cipher: ChunkCipher) -> None:
        self._source = source
        self._cipher = cipher

    def __iter__(self) -> Iterator[bytes]:
        """Give the plaintext chunk by chunk; an empty payload has none. May be called once.

        Raises DamagedChunkError, after all chunks before the damaged one, also if the file ends too early or goes on
        behind its last chunk. Only when this has ended without one is the plaintext known to be all there.
        """
        counter, last = 0, False
        while not last:
            sealed = _read_fully(self._source, SEALED_CHUNK_BYTES)
            if not sealed:
                raise DamagedChunkError(counter, f"The file ends before chunk {counter}.")
            plaintext, last = self._open(counter, sealed)
            if plaintext:
                yield plaintext
            counter += 1
        if self._source.read(1):
            raise DamagedChunkError(counter, "The file goes on behind its last chunk.")

    def _open(self, counter: int, sealed: bytes) -> tuple[bytes, bool]:
        if len(sealed) == SEALED_CHUNK_BYTES:
            try:
                return self._cipher.open(counter, sealed, last=False), False
            except DamagedChunkError:
                # A whole chunk may still be the last; a pipe cannot be asked whether anything follows.
                pass
        return self._cipher.open(counter, sealed, last=True), True


class RandomReader:
    """Opens any chunk of a payload without the others.

    ``read_at`` reads the whole age file, which is ``size_bytes`` long; the payload starts at ``payload_offset`` (behind
    the nonce). Raises DamagedChunkError unless the last chunk is where the size says and marked as the last: before
    that is known, the size is only what the storage claims (c2sp.org/age, "Payload", on seeking).
    """

    def __init__(self, read_at: ReadAt, *, size_bytes: int, payload_offset: int, cipher: ChunkCipher) -> None:
        self._read_at = read_at
        self._payload_offset = payload_offset
        self._payload_bytes = size_bytes - payload_offset
        self._cipher = cipher
        self.chunk_count = max(1, -(-self._payload_bytes // SEALED_CHUNK_BYTES))
        self.plaintext_size = self._payload_bytes - self.chunk_count * TAG_BYTES
        if self._payload_bytes < TAG_BYTES:
            raise DamagedChunkError(0, "The file ends before chunk 0.")
        self.chunk(self.chunk_count - 1)

    def chunk(self, index: int) -> bytes:
        """Read and open chunk ``index``. Raises DamagedChunkError; IndexError outside of the file."""
        if not 0 <= index < self.chunk_count:
            raise IndexError(index)
        start = index * SEALED_CHUNK_BYTES
        size = min(SEALED_CHUNK_BYTES, self._payload_bytes - start)
        sealed = self._read_at(self._payload_offset + start, size)
        if len(sealed) != size:
            raise DamagedChunkError(index, f"The file ends inside chunk {index}.")
        return self._cipher.open(index, sealed, last=index == self.chunk_count - 1)


def _read_fully(source: Source, size: int) -> bytes:
    parts: list[bytes] = []
    while size and (part := source.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
