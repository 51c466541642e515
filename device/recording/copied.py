"""What a copy of a recording is, made of its bytes alone, as they come: to be compared with its manifest; pure.

A stream of any length is taken in constant memory. Nothing in it is parsed: where the header ends is known from the
manifest, which says how many chunks there are and how large all of it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from device.age.stream import SEALED_CHUNK_BYTES, TAG_BYTES
from device.digests import Sha256, sha256
from device.recording import CLOSING
from device.recording.digests import Digests
from device.recording.manifest import Manifest

_CLOSING_BYTES: Final = len(CLOSING) + TAG_BYTES


@dataclass(frozen=True, slots=True)
class Copied:
    """The digests of a copy, made as the manifest's are made of the recording."""

    size_bytes: int
    digest: str
    header_digest: str
    closing_digest: str

    def is_of(self, manifest: Manifest) -> bool:
        """Whether it is that recording, byte by byte. One without a digest can be compared with nothing."""
        return (
            manifest.digest == self.digest
            and manifest.size_bytes == self.size_bytes
            and manifest.header_digest in {None, self.header_digest}
            and manifest.closing_digest in {None, self.closing_digest}
        )


class Copying:
    """Takes a copy's bytes, in pieces of any size."""

    def __init__(self, manifest: Manifest) -> None:
        self._header_bytes = max(0, manifest.size_bytes - _CLOSING_BYTES - manifest.chunks * SEALED_CHUNK_BYTES)
        self._chunks = manifest.chunks
        self._header = sha256()
        self._chunk = sha256()
        self._closing = sha256()
        self._digests = Digests()
        self._size_bytes = 0

    def take(self, data: bytes) -> None:
        """Take the next bytes."""
        view = memoryview(data)
        while view:
            part, room = self._where()
            piece = view if room is None else view[:room]
            part.update(piece)
            self._size_bytes += len(piece)
            if part is self._chunk and len(piece) == room:
                self._digests.add(self._chunk.digest())
                self._chunk = sha256()
            view = view[len(piece) :]

    def _where(self) -> tuple[Sha256, int | None]:
        """What the next byte belongs to, and how many more do; ``None``: all that follow."""
        into = self._size_bytes - self._header_bytes
        if into < 0:
            return self._header, -into
        if into // SEALED_CHUNK_BYTES < self._chunks:
            return self._chunk, SEALED_CHUNK_BYTES - into % SEALED_CHUNK_BYTES
        return self._closing, None

    def end(self) -> Copied:
        """What was taken."""
        return Copied(
            size_bytes=self._size_bytes,
            digest=self._digests.whole,
            header_digest=self._header.hexdigest(),
            closing_digest=self._closing.hexdigest(),
        )
