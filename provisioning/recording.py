"""A sealed recording that is read in places: its tracks, its index if it is whole, and any of its fragments.

Opening it reads two parts of the file: the header with the first chunk, and the end, which authenticates the size and
holds the end mark. Nothing that was not authenticated at its place is ever given out.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from device.age.errors import DamagedChunkError
from device.age.identities import Identity
from device.age.opening import open_header_at
from device.age.stream import SEALED_CHUNK_BYTES, TAG_BYTES, RandomReader
from device.errors import DamagedError
from device.recording import CLOSING
from device.recording.index import Index, parse_index
from provisioning.errors import NotARecordingError
from provisioning.fragments import Fragment, Tracks, parse_fragment, parse_init
from provisioning.source import Ahead, Source
from provisioning.times import format_time

# The first chunk and a header with some eight post-quantum recipients, in one request.
_HEAD_BYTES: Final = SEALED_CHUNK_BYTES + 16 * 1024
_SEALED_CLOSING_BYTES: Final = len(CLOSING) + TAG_BYTES
_RECENT_CHUNKS: Final = 32  # 2 MiB: what looking for a place has read is not read again when it is written


def not_a_recording() -> NotARecordingError:
    """What is said about an age file of another kind."""
    return NotARecordingError("this is an age file, but not a recording", "open it with `age -d`")


def damaged(problem: DamagedChunkError, *, reached_us: int | None = None) -> DamagedError:
    """The error for a chunk that is not what was sealed, with the moment up to which all was well."""
    what = str(problem).rstrip(".")
    at = "" if reached_us is None else f", at {format_time(reached_us)} of the recording"
    return DamagedError(
        f"the recording is damaged: {what[0].lower()}{what[1:]}{at}",
        "fetch it again, or take another copy: it is not what the box sealed",
    )


def cut(problem: DamagedChunkError, *, reached_us: int | None = None) -> DamagedError:
    """The error for a file whose last chunk is not one that ends a sealed file."""
    at = "" if reached_us is None else f" (chunk {problem.index}, at {format_time(reached_us)} of the recording)"
    return DamagedError(
        f"the recording is damaged: it does not end as a sealed file ends; it was cut, or changed there{at}",
        "fetch it again, or take another copy",
    )


class SealedRecording:
    """An opened recording; chunks are numbered from 0, fragments lie in ``1 … fragments_end - 1``."""

    def __init__(self, source: Source, identities: Sequence[Identity]) -> None:
        """Read its header, first chunk and end.

        Raises:
            AgeError: it is no age file, its header was altered, or no identity fits.
            DamagedError: a chunk is not what was sealed, or the file was cut.
            NotARecordingError: it is an age file of another kind.
        """
        self._ahead = Ahead(source)
        self._recent: dict[int, bytes] = {}
        self._ahead.fetch(0, _HEAD_BYTES)
        cipher, self._payload_offset = open_header_at(self._ahead.read_at, identities)
        self.header_digest = sha256(self._ahead.read_at(0, self._payload_offset)).hexdigest()
        size_bytes = source.size_bytes() or 0
        tail_bytes = min(SEALED_CHUNK_BYTES + _SEALED_CLOSING_BYTES, size_bytes)
        self._ahead.fetch(size_bytes - tail_bytes, tail_bytes)
        try:
            self._reader = RandomReader(
                self._ahead.read_at, size_bytes=size_bytes, payload_offset=self._payload_offset, cipher=cipher
            )
        except DamagedChunkError as problem:
            raise cut(problem) from problem
        self.size_bytes = size_bytes
        self.chunks = self._reader.chunk_count - 1
        tracks = parse_init(self.chunk(0))
        if tracks is None or self.chunks < 1 or self.chunk(self.chunks) != CLOSING:
            raise not_a_recording()
        self.tracks: Tracks = tracks
        self.index: Index | None = parse_index(self.chunk(self.chunks - 1))
        self.fragments_end = self.chunks - (self.index is not None)

    @property
    def has_picture(self) -> bool:
        """Whether there is a picture track."""
        return any(track.picture for track in self.tracks.values())

    def chunk(self, number: int, *, reached_us: int | None = None) -> bytes:
        """The plaintext of a chunk. Raises ``DamagedError``, which names the moment reached before, if it is known."""
        if number not in self._recent:
            try:
                self._recent[number] = self._reader.chunk(number)
            except DamagedChunkError as problem:
                raise damaged(problem, reached_us=reached_us) from problem
            if len(self._recent) > _RECENT_CHUNKS:
                del self._recent[next(iter(self._recent))]
        return self._recent[number]

    def fetch(self, first: int, end: int) -> None:
        """Bring the chunks ``first … end - 1`` into memory, in one read."""
        while first in self._recent:
            first += 1
        if first < end:
            offset, size = first * SEALED_CHUNK_BYTES, (end - first) * SEALED_CHUNK_BYTES
            self._ahead.fetch(self._payload_offset + offset, size)

    def fragment_at(self, chunk: int, *, reached_us: int | None = None) -> Fragment:
        """The fragment that starts with a chunk.

        Raises:
            DamagedError: none does, although it has to.
        """
        found = parse_fragment(self.chunk(chunk, reached_us=reached_us), chunk, self.tracks)
        if found is None or found.chunk + found.chunks > self.fragments_end:
            raise DamagedError(
                f"the recording is written in a way that is not known here (chunk {chunk})",
                "use the version of sotto-clinic that belongs to the box; `age -d` opens it whole",
            )
        return found

    def fragment_over(self, chunk: int, *, first: int) -> Fragment:
        """The fragment that a chunk belongs to, where one is known to start at ``first`` or later."""
        for number in range(chunk, first, -1):
            found = parse_fragment(self.chunk(number), number, self.tracks)
            if found is not None:
                return found
        return self.fragment_at(first)

    def duration_us(self) -> int:
        """How long the recording is: what the end mark says, or else how far its last fragment reaches."""
        if self.index is not None:
            return self.index.duration_us
        if self.fragments_end == 1:
            return 0
        return self.fragment_over(self.fragments_end - 1, first=1).end_us
