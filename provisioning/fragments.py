"""What a recording's plaintext is made of, read back: the tracks of its first chunk, and its fragments.

A fragment is ``moof``, ``mdat`` and the padding up to a whole number of chunks (ARCHITECTURE, section 6). Every chunk
read here was authenticated, so what does not fit is not damage but another format.

Source: ISO/IEC 14496-12: 8.4.2 (mdhd), 8.8 (movie fragments).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from struct import Struct, error, pack_into, unpack_from
from typing import Final

from device.recording import CHUNK_BYTES

_HEAD: Final = Struct(">I4s")
_LEAST_FREE_BYTES: Final = 8
_NOT_KEY: Final = 0x00010000  # sample_is_non_sync_sample
_TFHD_PLAIN: Final = 0x020000  # default-base-is-moof, and no other field
_TFDT_64_BITS: Final = 0x01000000
_TRUN_AS_WRITTEN: Final = 0x000701  # data offset; duration, size and flags of each sample
SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Box:
    """A box within some bytes: its content is ``data[start:end]``; the box itself starts 8 bytes before."""

    kind: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Track:
    """A track as ``moov`` tells of it."""

    track_id: int
    timescale: int
    picture: bool

    def us(self, ticks: int) -> int:
        """A time of this track in microseconds."""
        return ticks * SECOND_US // self.timescale

    def ticks(self, time_us: int) -> int:
        """Microseconds in this track's own units, to the nearest."""
        return (time_us * self.timescale + SECOND_US // 2) // SECOND_US


Tracks = Mapping[int, Track]


@dataclass(frozen=True, slots=True)
class Run:
    """What a fragment holds of one track; offsets count from the fragment's first byte."""

    track: Track
    start: int
    duration: int
    key: bool
    traf_at: int
    time_at: int

    @property
    def start_us(self) -> int:
        """When its first sample starts."""
        return self.track.us(self.start)

    @property
    def end_us(self) -> int:
        """When its last sample ends."""
        return self.track.us(self.start + self.duration)


@dataclass(frozen=True, slots=True)
class Fragment:
    """A fragment: its first chunk, how many it takes, the bytes of ``moof`` and ``mdat``, and its runs."""

    chunk: int
    chunks: int
    content_bytes: int
    runs: tuple[Run, ...]

    @property
    def start_us(self) -> int:
        """When it starts: to the millisecond below, as the index has it."""
        return min(run.start_us for run in self.runs) // 1000 * 1000

    @property
    def end_us(self) -> int:
        """How far it reaches."""
        return max(run.end_us for run in self.runs)

    @property
    def sound(self) -> Run | None:
        """Its sound, if it has any."""
        return next((run for run in self.runs if not run.track.picture), None)

    @property
    def key(self) -> bool:
        """Whether a picture starts it that needs no other."""
        return any(run.track.picture and run.key for run in self.runs)


def boxes(data: bytes | bytearray, start: int, end: int) -> Iterator[Box]:
    """The boxes that follow each other from ``start`` to exactly ``end``. Raises ValueError where they do not."""
    while start < end:
        if end - start < _HEAD.size:
            raise ValueError("the last box has no room for its head")
        size, kind = _HEAD.unpack_from(data, start)
        if not _HEAD.size <= size <= end - start:
            raise ValueError("a box is larger than what it is in")
        yield Box(kind, start + _HEAD.size, start + size)
        start += size


def child(data: bytes | bytearray, box: Box, kind: bytes) -> Box:
    """The first box of that kind in a box. Raises ValueError where there is none."""
    for found in boxes(data, box.start, box.end):
        if found.kind == kind:
            return found
    raise ValueError(f"no {kind!r} in {box.kind!r}")


def parse_init(chunk: bytes) -> dict[int, Track] | None:
    """The tracks that the first chunk of a recording announces, or ``None`` if it is no such chunk."""
    try:
        top = list(boxes(chunk, 0, len(chunk)))
        if [box.kind for box in top[:2]] != [b"ftyp", b"moov"] or any(box.kind != b"free" for box in top[2:]):
            return None
        child(chunk, top[1], b"mvex")
        traks = [box for box in boxes(chunk, top[1].start, top[1].end) if box.kind == b"trak"]
        tracks = [_track(chunk, trak) for trak in traks]
    except (ValueError, error):
        return None
    return {track.track_id: track for track in tracks} if tracks else None


def init_without(chunk: bytes, left_out: Set[int]) -> bytes:
    """``ftyp`` and ``moov`` of a recording's first chunk without its padding, and without the tracks left out."""
    _, moov = list(boxes(chunk, 0, len(chunk)))[:2]
    init = bytearray(chunk[: moov.end])
    mvex = child(chunk, moov, b"mvex")
    for box in (*boxes(chunk, moov.start, moov.end), *boxes(chunk, mvex.start, mvex.end)):
        if (box.kind == b"trak" and _track(chunk, box).track_id in left_out) or (
            box.kind == b"trex" and unpack_from(">I", chunk, box.start + 4)[0] in left_out
        ):
            pack_into(">4s", init, box.start - 4, b"free")
    return bytes(init)


def _track(chunk: bytes, trak: Box) -> Track:
    mdia = child(chunk, trak, b"mdia")
    # Version 0 of tkhd and mdhd: two 32-bit times stand before the field looked for.
    (track_id,) = unpack_from(">I", chunk, child(chunk, trak, b"tkhd").start + 12)
    (timescale,) = unpack_from(">I", chunk, child(chunk, mdia, b"mdhd").start + 12)
    (handler,) = unpack_from(">4s", chunk, child(chunk, mdia, b"hdlr").start + 8)
    if not timescale:
        raise ValueError("a track without a timescale")
    return Track(track_id, timescale, handler == b"vide")


def parse_fragment(chunk: bytes, number: int, tracks: Tracks) -> Fragment | None:
    """The fragment that starts with this chunk, or ``None`` if the chunk only continues one (or holds none)."""
    try:
        size, kind = _HEAD.unpack_from(chunk)
        if kind != b"moof" or not _HEAD.size < size <= len(chunk) - _HEAD.size:
            return None
        moof = Box(kind, _HEAD.size, size)
        inside = list(boxes(chunk, moof.start, moof.end))
        if [box.kind for box in inside] != [b"mfhd"] + [b"traf"] * (len(inside) - 1) or len(inside) < 2:
            return None
        runs = tuple(_run(chunk, traf, tracks) for traf in inside[1:])
        mdat_size, kind = _HEAD.unpack_from(chunk, size)
    except (ValueError, KeyError, error):
        return None
    if kind != b"mdat" or mdat_size < _HEAD.size:
        return None
    content = size + mdat_size
    padding = 0 if content % CHUNK_BYTES == 0 else _LEAST_FREE_BYTES
    return Fragment(number, -(-(content + padding) // CHUNK_BYTES), content, runs)


def _run(chunk: bytes, traf: Box, tracks: Tracks) -> Run:
    tfhd, tfdt, trun = (child(chunk, traf, kind) for kind in (b"tfhd", b"tfdt", b"trun"))
    head, track_id = unpack_from(">II", chunk, tfhd.start)
    time_head, start = unpack_from(">IQ", chunk, tfdt.start)
    run_head, count = unpack_from(">II", chunk, trun.start)
    if (head, time_head, run_head) != (_TFHD_PLAIN, _TFDT_64_BITS, _TRUN_AS_WRITTEN):
        raise ValueError("a run is written in another way")
    if not count or trun.end - trun.start != 12 + 12 * count:
        raise ValueError("a run has no samples, or another number than it says")
    duration = sum(unpack_from(">I", chunk, trun.start + 12 + 12 * line)[0] for line in range(count))
    (flags,) = unpack_from(">I", chunk, trun.start + 12 + 8)
    key = not flags & _NOT_KEY
    return Run(tracks[track_id], start, duration, key, traf_at=traf.start - 8, time_at=tfdt.start + 4)


def move(content: bytearray, fragment: Fragment, *, by_us: int) -> None:
    """Let a fragment start ``by_us`` earlier, every track by the same moment; none before 0."""
    for run in fragment.runs:
        pack_into(">Q", content, run.time_at, max(0, run.start - run.track.ticks(by_us)))


def mute(content: bytearray, run: Run) -> None:
    """Take one track out of a fragment without moving anything: its ``traf`` becomes padding."""
    pack_into(">4s", content, run.traf_at + 4, b"free")
