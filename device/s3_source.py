"""A file on its way to an S3 server: cut into parts, each known by its checksums before it is sent.

A part is read twice, once for its checksums and once to be sent, and never held as a whole: what is in memory stays
small however many are in flight, and the second time it comes from the kernel's cache.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from device.s3_http import Body
from device.underway import piece_of, size_of

PIECE_BYTES: Final = 256 << 10
_MOST_PARTS: Final = 10_000  # "Amazon S3 multipart upload limits", and so everywhere
_MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Checksums:
    """Of one part."""

    sha256: bytes
    md5: bytes

    @property
    def headers(self) -> dict[str, str]:
        """For servers new and old: each checks what it knows."""
        return {"content-md5": _base64(self.md5), "x-amz-checksum-sha256": self.sha256_base64}

    @property
    def sha256_base64(self) -> str:
        return _base64(self.sha256)


class Source:
    """A file that does not change. Any thread may ask for any part of it."""

    def __init__(self, file: BinaryIO, *, part_bytes: int) -> None:
        self._file = file
        self._lock = threading.Lock()
        self.size_bytes = size_of(file)
        least = -(-self.size_bytes // _MOST_PARTS)
        self.part_bytes = max(part_bytes, -(-least // _MIB) * _MIB)

    @property
    def parts(self) -> range:
        """The numbers of the parts, from 1; an empty file is one empty part."""
        return range(1, max(1, -(-self.size_bytes // self.part_bytes)) + 1)

    def length(self, number: int) -> int:
        """Of a part, in bytes."""
        return min(self.part_bytes, self.size_bytes - (number - 1) * self.part_bytes)

    def checksums(self, number: int) -> Checksums:
        """Of a part.

        Raises:
            StoreError: it cannot be read.
        """
        sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        for piece in self._pieces(number):
            sha256.update(piece)
            md5.update(piece)
        return Checksums(sha256.digest(), md5.digest())

    def body(self, number: int, checksums: Checksums, before_each: Callable[[int], None]) -> Body:
        """A part to be sent; ``before_each`` piece is told its length.

        Raises (when its pieces are made):
            StoreError: it cannot be read.
        """

        def pieces() -> Iterator[bytes]:
            for piece in self._pieces(number):
                before_each(len(piece))
                yield piece

        return Body(self.length(number), checksums.sha256.hex(), pieces)

    def _pieces(self, number: int) -> Iterator[bytes]:
        start = (number - 1) * self.part_bytes
        end = start + self.length(number)
        for at in range(start, end, PIECE_BYTES):
            with self._lock:
                piece = piece_of(self._file, at, min(PIECE_BYTES, end - at))
            yield piece


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
