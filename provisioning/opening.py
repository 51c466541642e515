"""A recording opened whole, from front to end: byte for byte what ``age -d`` gives.

It reads one stream, so it works with a server that knows no ranges, too. Every chunk is authenticated before it is
written, and the digests of the sealed chunks are kept for the manifest.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from device.age.errors import DamagedChunkError
from device.age.identities import Identity
from device.age.opening import open_header
from device.age.stream import SEALED_CHUNK_BYTES, Reader
from device.recording import CLOSING
from device.recording.index import Index, parse_index
from device.recording.ledger import digest_of
from provisioning.fragments import Tracks, parse_fragment, parse_init
from provisioning.recording import cut, damaged, not_a_recording
from provisioning.slices import Sink
from provisioning.source import Source

Progress = Callable[[int, int | None], None]
"""Told how many bytes were read, of how many, if that is known."""


@dataclass(slots=True)
class Whole:
    """What a recording turned out to be once all of it was read; ``digest`` as the manifest states it."""

    tracks: Tracks = field(default_factory=dict)
    chunks: int = 0
    index: Index | None = None
    reached_us: int = 0
    digest: str = ""

    @property
    def duration_us(self) -> int:
        """What the end mark says, or else how far the last fragment reaches."""
        return self.reached_us if self.index is None else self.index.duration_us


class _Digesting:
    """A stream that keeps the digest of each whole sealed chunk that is read from it."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream
        self.digests: list[bytes] = []
        self.at_end = False

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self.at_end = len(data) < size
        if len(data) == SEALED_CHUNK_BYTES:
            self.digests.append(sha256(data).digest())
        return data


def open_whole(source: Source, identities: Sequence[Identity], sink: Sink, *, progress: Progress) -> Whole:
    """Write all of a recording into ``sink``; what it is.

    Raises:
        AgeError: it is no age file, its header was altered, or no identity fits.
        DamagedError: a chunk is not what was sealed, or is missing; what was written so far is not all there was.
        NotARecordingError: it is an age file of another kind.
    """
    stream = source.stream()
    cipher, _ = open_header(stream, identities)
    payload = _Digesting(stream)
    whole = Whole()
    last, next_fragment = b"", 1
    try:
        for number, plaintext in enumerate(Reader(payload, cipher)):
            if number == 0:
                whole.tracks = _tracks(plaintext)
            elif number == next_fragment:
                next_fragment = _note(whole, number, plaintext)
            if plaintext != CLOSING:
                whole.index = parse_index(plaintext)
            sink.write(plaintext)
            last, whole.chunks = plaintext, number
            progress(source.bytes_read, source.size_bytes())
    except DamagedChunkError as problem:
        error = cut if payload.at_end else damaged
        raise error(problem, reached_us=whole.reached_us) from problem
    if last != CLOSING:
        raise not_a_recording()
    whole.digest = digest_of(iter(payload.digests))
    return whole


def _tracks(plaintext: bytes) -> Tracks:
    tracks = parse_init(plaintext)
    if tracks is None:
        raise not_a_recording()
    return tracks


def _note(whole: Whole, number: int, plaintext: bytes) -> int:
    """Note how far the fragment that starts here reaches; the chunk that the next one starts with."""
    fragment = parse_fragment(plaintext, number, whole.tracks)
    if fragment is None:
        return number + 1
    whole.reached_us = fragment.end_us
    return number + fragment.chunks
