"""One pass over a sealed file, from front to end in constant memory: its digests, and with an identity what is inside.

Unlike opening, it does not stop at the first chunk that is not what was sealed: where the alteration ends is told, too.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from device.age.errors import AgeError, DamagedChunkError, WrongKeyError
from device.age.header import LineSource, read_header
from device.age.identities import KeyIdentity
from device.age.opening import open_header
from device.age.recipients import fingerprint
from device.age.stream import NONCE_BYTES, SEALED_CHUNK_BYTES, ChunkCipher
from device.recording import CLOSING
from device.recording.digests import Digests
from device.recording.index import Index, parse_index
from provisioning.findings import Bad, Found, Inside, Layout
from provisioning.fragments import Tracks, parse_fragment, parse_init
from provisioning.recording import not_a_recording
from provisioning.source import Source

Progress = Callable[[int, int | None], None]
"""Told how many bytes were read, of how many, if that is known."""


def pass_over(source: Source, layout: Layout | None, identities: Sequence[KeyIdentity], *, progress: Progress) -> Found:
    """Read all of a file once. ``layout``: where everything should be; without one the header says where it starts.

    Raises:
        UnreachableError: it cannot be read.
        NotAgeError, HeaderError, NotARecordingError: it has no layout, and is no recording.
    """
    stream = source.stream()
    head = _read_head(stream) if layout is None else stream.read(layout.payload_offset)
    head_digest = sha256(head).hexdigest()
    is_said = layout is None or layout.header_digest in {None, head_digest}
    opened = _open(head, identities if is_said else ())
    digests, size_bytes, chunks = Digests(), len(head), 0
    while len(sealed := stream.read(SEALED_CHUNK_BYTES)) == SEALED_CHUNK_BYTES:
        if layout is None or chunks < layout.chunks:
            digests.add(sha256(sealed).digest())
        if opened.look is not None:
            opened.look.take(chunks, sealed)
        chunks, size_bytes = chunks + 1, size_bytes + len(sealed)
        progress(source.bytes_read, source.size_bytes())
    inside = None if opened.look is None else opened.look.end(chunks, sealed)
    if layout is None and inside is not None and not inside.bad and inside.has_picture is None:
        raise not_a_recording()
    return Found(
        size_bytes=size_bytes + len(sealed),
        payload_offset=len(head),
        header_digest=head_digest,
        recipients=opened.recipients,
        chunks=chunks,
        tail_bytes=len(sealed),
        closing_digest=sha256(sealed).hexdigest(),
        digest=digests.whole,
        groups=digests.groups,
        inside=inside,
        refused=opened.refused,
    )


class _Tee:
    """A stream of which all that is read is kept: a header's digest is over its bytes, not over what they say."""

    def __init__(self, stream: LineSource) -> None:
        self._stream = stream
        self.taken = bytearray()

    def readline(self, limit: int, /) -> bytes:
        line = self._stream.readline(limit)
        self.taken += line
        return line

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self.taken += data
        return data


def _read_head(stream: io.BufferedReader) -> bytes:
    tee = _Tee(stream)
    read_header(tee)
    tee.read(NONCE_BYTES)
    return bytes(tee.taken)


@dataclass(frozen=True, slots=True)
class _Header:
    recipients: int | None
    look: _Look | None = None
    refused: bool = False


def _open(head: bytes, identities: Sequence[KeyIdentity]) -> _Header:
    """How many recipients a header has, and a look inside with the first identity that fits."""
    try:
        stanzas = read_header(io.BytesIO(head)).stanzas
    except AgeError:
        return _Header(None)
    for identity in identities:
        try:
            cipher, _ = open_header(io.BytesIO(head), [identity])
        except WrongKeyError:
            continue
        except AgeError:  # its MAC does not hold
            return _Header(None)
        return _Header(len(stanzas), _Look(cipher, fingerprint(identity.recipient())))
    return _Header(len(stanzas), refused=bool(identities))


class _Look:
    """Opens every chunk at its place, and knows at each how far the recording has come."""

    def __init__(self, cipher: ChunkCipher, key: str) -> None:
        self._cipher = cipher
        self._key = key
        self._tracks: Tracks | None = None
        self._bad: list[Bad] = []
        self._index: Index | None = None
        self._last_opens = False
        self._fragment_us = (0, 0)
        self._fragment_end: int | None = 1  # the chunk behind the current fragment; None after one that is not known

    def take(self, number: int, sealed: bytes) -> None:
        """Look at the next chunk."""
        try:
            plaintext = self._cipher.open(number, sealed, last=False)
        except DamagedChunkError:
            self._note_bad(number)
            return
        self._last_opens = True
        self._index = parse_index(plaintext)
        if number == 0:
            self._tracks = parse_init(plaintext)
        elif self._tracks is not None and (self._fragment_end is None or number >= self._fragment_end):
            self._note_fragment(number, plaintext, self._tracks)

    def _note_bad(self, number: int) -> None:
        self._last_opens, self._index = False, None
        start_us, reached_us = self._fragment_us
        if self._fragment_end is None or number >= self._fragment_end:
            start_us, self._fragment_end = reached_us, None
        if self._bad and self._bad[-1].last == number - 1:
            before = self._bad[-1]
            self._bad[-1] = Bad(before.first, number, before.time_us)
            self._let_last_bad_reach(reached_us)
        else:
            self._bad.append(Bad(number, number, (start_us, reached_us) if self._tracks else None))

    def _note_fragment(self, number: int, plaintext: bytes, tracks: Tracks) -> None:
        fragment = parse_fragment(plaintext, number, tracks)
        if fragment is None:
            return
        if self._fragment_end is None:  # what was lost reaches up to here
            self._let_last_bad_reach(fragment.start_us)
        self._fragment_us = fragment.start_us, fragment.end_us
        self._fragment_end = number + fragment.chunks

    def _let_last_bad_reach(self, time_us: int) -> None:
        last = self._bad[-1]
        if last.time_us is not None:
            self._bad[-1] = Bad(last.first, last.last, (last.time_us[0], max(last.time_us[1], time_us)))

    def end(self, chunks: int, closing: bytes) -> Inside:
        """What was seen in all; ``closing``: what stands behind the last whole chunk."""
        try:
            closing_holds = self._cipher.open(chunks, closing, last=True) == CLOSING
        except DamagedChunkError:
            closing_holds = False
        reached_us = self._fragment_us[1] if self._index is None else self._index.duration_us
        if self._fragment_end is None and self._index is not None:
            self._let_last_bad_reach(reached_us)
        tracks = self._tracks
        return Inside(
            key=self._key,
            bad=tuple(self._bad),
            closing_holds=closing_holds,
            last_opens=self._last_opens,
            index=self._index,
            has_picture=None if tracks is None else any(track.picture for track in tracks.values()),
            reached_us=reached_us,
        )
