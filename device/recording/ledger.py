"""The ledger: what lets a file that was cut anywhere be closed again without a key.

It starts with a head (magic, offset of the payload, SHA-256 of everything before the payload), then has one record of
fixed size for each sealed chunk, in order: its number, its SHA-256, where its fragment ends the closing chunk that may
follow it, the time up to which the recording then reaches, and whether it is the end mark. A record that the cut tore
fails its CRC, and the ledger ends there.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Final, overload

from device.digests import sha256
from device.errors import DamagedError

_MAGIC: Final = b"sotto ledger 1\n\0"
_HEAD: Final = Struct(">16sI32s")
_HEAD_BYTES: Final = _HEAD.size + 4
_BODY: Final = Struct(">Q32s24sQ?3x")
CLOSING_BYTES: Final = 24
RECORD_BYTES: Final = _BODY.size + 4


@dataclass(frozen=True, slots=True)
class Record:
    """One sealed chunk: ``closing`` is 24 zero bytes where its fragment goes on in the next chunk.

    ``ends`` marks the last data chunk of a whole recording.
    """

    chunk: int
    digest: bytes
    closing: bytes
    end_us: int
    ends: bool = False

    @property
    def closes(self) -> bool:
        """Whether the file may end after this chunk."""
        return any(self.closing)

    def encode(self) -> bytes:
        """The record as it stands in the ledger."""
        return _checked(_BODY.pack(self.chunk, self.digest, self.closing, self.end_us, self.ends))


class Records(Sequence[Record]):
    """The records of a ledger, made from its bytes one at a time: of a long recording there are tens of thousands."""

    def __init__(self, data: bytes | memoryview) -> None:
        """``data``: whole records that hold, and nothing else."""
        self._data = memoryview(data)

    def __len__(self) -> int:
        return len(self._data) // RECORD_BYTES

    @overload
    def __getitem__(self, place: int) -> Record: ...

    @overload
    def __getitem__(self, place: slice) -> Records: ...

    def __getitem__(self, place: int | slice) -> Record | Records:
        places = range(len(self))[place]
        if isinstance(places, int):
            return Record(*_BODY.unpack_from(self._data, places * RECORD_BYTES))
        if places.step != 1:
            raise ValueError("records stand in order, without a gap")
        return Records(self._data[places.start * RECORD_BYTES : places.stop * RECORD_BYTES])


@dataclass(frozen=True, slots=True)
class Ledger:
    """A ledger as read back: its head, and the records up to the first that does not hold."""

    payload_offset: int
    header_digest: bytes
    records: Records


def encode_head(header: bytes) -> bytes:
    """The head of a ledger for a file whose payload follows ``header`` (age header and nonce)."""
    return _checked(_HEAD.pack(_MAGIC, len(header), sha256(header).digest()))


def parse_ledger(data: bytes) -> Ledger:
    """Read a ledger back.

    Raises:
        DamagedError: not even its head holds.
    """
    head = data[:_HEAD_BYTES]
    if len(head) < _HEAD_BYTES or not _holds(head) or not head.startswith(_MAGIC):
        raise DamagedError("the ledger of a recording has no valid head", "keep the folder and ask for help")
    _, payload_offset, header_digest = _HEAD.unpack_from(head)
    return Ledger(payload_offset, header_digest, Records(memoryview(data)[_HEAD_BYTES : _end_of_what_holds(data)]))


def _end_of_what_holds(data: bytes) -> int:
    """Where the first record stands that was torn, or is not the next one."""
    at = _HEAD_BYTES
    while at + RECORD_BYTES <= len(data):
        line = data[at : at + RECORD_BYTES]
        if not _holds(line) or _BODY.unpack_from(line)[0] != (at - _HEAD_BYTES) // RECORD_BYTES:
            break
        at += RECORD_BYTES
    return at


def digest_of(digests: Iterator[bytes]) -> str:
    """The digest of every chunk's digest, in order, as the manifest states it (hex)."""
    whole = sha256()
    for digest in digests:
        whole.update(digest)
    return whole.hexdigest()


def _checked(body: bytes) -> bytes:
    return body + zlib.crc32(body).to_bytes(4, "big")


def _holds(line: bytes) -> bool:
    return zlib.crc32(line[:-4]) == int.from_bytes(line[-4:], "big")
