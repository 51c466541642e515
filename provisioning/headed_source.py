"""A recording at a remote whose header the clinic made anew: the new one lies apart, and stands in for the sealed one.

What a box sent stays there byte for byte, because the box reads it again and would take another header for damage. So
the new header is a small file of its own, and whoever reads the recording is given it, and then the chunks behind the
old one. An attachment made anew lies apart in the same way, under the digest of the file that it stands for.
"""

from __future__ import annotations

from collections.abc import Generator
from hashlib import sha256
from typing import Final

from device.age.header import HEADER_LIMIT_BYTES
from device.age.stream import NONCE_BYTES, SEALED_CHUNK_BYTES
from device.remote import Remote
from provisioning.findings import CLOSING_BYTES
from provisioning.remote_source import RemoteSource

HEAD_NAME: Final = "rewrapped.head"
ANEW_FOLDER: Final = "rewrapped"
MOST_HEAD_BYTES: Final = HEADER_LIMIT_BYTES + NONCE_BYTES


class HeadedSource(RemoteSource):
    """The file ``name`` of ``size_bytes`` with ``head`` in place of all that stands before its first chunk."""

    def __init__(self, remote: Remote, name: str, size_bytes: int, head: bytes) -> None:
        self._head = head
        self._grown = len(head) - sealed_head_bytes(size_bytes)
        super().__init__(remote, name, size_bytes + self._grown)

    def _counted(self, start: int, end: int | None) -> Generator[bytes, None, None]:
        piece = self._head[start:end]
        if piece:
            self.bytes_read += len(piece)
            yield piece
        behind = max(start, len(self._head))
        if end is None or behind < end:
            yield from super()._counted(behind - self._grown, None if end is None else end - self._grown)


def sealed_head_bytes(size_bytes: int) -> int:
    """How long the header of a closed recording of that size is: all else is whole chunks and the closing.

    A header of a chunk's length or more (some forty post-quantum recipients) would be taken for a shorter one; nothing
    of it then opens, so ``sharing_there`` refuses it.
    """
    return (size_bytes - CLOSING_BYTES) % SEALED_CHUNK_BYTES


def anew_name(original: bytes) -> str:
    """Where the attachment lies that stands for this one."""
    return f"{ANEW_FOLDER}/{sha256(original).hexdigest()}.age"
