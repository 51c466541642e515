"""Seals whole chunks, each with the closing that may follow it, and keeps the ledger's record of both.

A chunk and a closing never share a (counter, flag) pair, and the plaintext of every closing is the same eight bytes: so
however often the file is closed and written on, each pair encrypts one plaintext only (ARCHITECTURE, section 6).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from device.age.recipients import Recipient
from device.age.sealing import new_header
from device.digests import sha256
from device.errors import StoreError
from device.recording import CHUNK_BYTES, CLOSING
from device.recording.digests import Digests
from device.recording.index import parse_index
from device.recording.ledger import CLOSING_BYTES, Record, encode_head


class ChunkFile(Protocol):
    """Where sealed chunks become durable."""

    def append(self, sealed: bytes, closing: bytes, records: bytes) -> None:
        """Add sealed chunks and what closes them for now; they are durable on return.

        Raises:
            StoreError: nothing more can be written.
        """

    def close(self) -> None:
        """Let it go; a second call does nothing."""


class Sealer:
    """Takes plaintext chunks from the muxer; what leaves it can be opened by the recipients only.

    The key of the file exists in this object alone, and goes with it.
    """

    def __init__(
        self, recipients: Sequence[Recipient], file: ChunkFile, *, on_durable: Callable[[int, int], None]
    ) -> None:
        """``on_durable`` is told up to which microsecond, and at how many bytes, the file has become durable."""
        self._file = file
        self._on_durable = on_durable
        self._head, self._cipher = new_header(recipients)
        self._digests = Digests()
        self._closing = b""
        self._size_bytes = len(self._head)
        self._failed = False

    @property
    def chunks(self) -> int:
        """Chunks sealed so far, the closing not counted."""
        return self._digests.chunks

    @property
    def size_bytes(self) -> int:
        """The size of the whole file as it stands, closing included."""
        return self._size_bytes + CLOSING_BYTES

    @property
    def header_digest(self) -> str:
        """The SHA-256 of all that stands before the first chunk (hex)."""
        return sha256(self._head).hexdigest()

    @property
    def digests(self) -> Digests:
        """What the manifest says of the chunks."""
        return self._digests

    @property
    def closing_digest(self) -> str:
        """The SHA-256 of what closes the file as it stands (hex)."""
        return sha256(self._closing).hexdigest()

    def write(self, chunks: bytes, end_us: int) -> None:
        """Seal one fragment of whole chunks and make it durable; the recording then reaches ``end_us``.

        Raises:
            StoreError: it could not be made durable; nothing more can be written.
        """
        if self._failed:
            # What failed may be on the disk in part: its counters must not seal anything else.
            raise StoreError("this recording cannot be written any more", "the box has closed it; start a new one")
        self._failed = True
        first = self.chunks
        pieces = [chunks[at : at + CHUNK_BYTES] for at in range(0, len(chunks), CHUNK_BYTES)]
        sealed = [self._cipher.seal(first + i, piece, last=False) for i, piece in enumerate(pieces)]
        closing = self._cipher.seal(first + len(sealed), CLOSING, last=True)
        ends = parse_index(pieces[0]) is not None
        records = [
            Record(
                chunk=first + i,
                digest=sha256(piece).digest(),
                closing=closing if i == len(sealed) - 1 else bytes(CLOSING_BYTES),
                end_us=end_us,
                ends=ends,
            )
            for i, piece in enumerate(sealed)
        ]
        lines = b"".join(record.encode() for record in records)
        if first == 0:
            self._file.append(self._head + b"".join(sealed), closing, encode_head(self._head) + lines)
        else:
            self._file.append(b"".join(sealed), closing, lines)
        for record in records:
            self._digests.add(record.digest)
        self._closing = closing
        self._size_bytes += sum(map(len, sealed))
        self._failed = False
        self._on_durable(end_us, self.size_bytes)

    def close(self) -> None:
        """Let the file go."""
        self._file.close()
