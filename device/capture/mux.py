"""One fragment per chunk: FLAC frames and H.264 pictures in, whole 64 KiB chunks out.

Each fragment is filled up with a ``free`` box to a multiple of the chunk, so that every chunk starts with a box and the
file can be cut, sliced and closed at any of them without a key and without an index (ARCHITECTURE, section 6).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import repeat
from typing import Final, Protocol

from device.capture.boxes import (
    DELTA_FLAGS,
    FRAGMENT_OVERHEAD_BYTES,
    KEY_FLAGS,
    RUN_OVERHEAD_BYTES,
    RUN_SAMPLE_BYTES,
    PictureTrack,
    Run,
    SoundTrack,
    free,
    init_segment,
    movie_fragment,
)
from device.capture.packets import Frames, Picture
from device.recording import CHUNK_BYTES
from device.recording.index import Entries, Index

# What a power cut can cost is one unfinished fragment, with the period before it. 0.75 s for both keeps that well under
# the second of promise P5; a quiet mono room then pays for it in padding (64 KiB in 0.75 s is 0.3 GB an hour, its
# ceiling).
MAX_FRAGMENT_US: Final = 750_000
# A picture stands until the next one comes. When none does for so long the camera is gone: to wait on would put an old
# picture into a fragment of much later sound, and after 71 minutes its length in 32 bits would not do.
_MOST_HELD_US: Final = 2_000_000
# A fragment that is shorter says nothing of how many bytes a second take.
_TELLING_US: Final = 100_000
_MIN_FREE_BYTES: Final = 8
_START_CODE: Final = re.compile(rb"\x00*\x00\x00\x01")


class FragmentSink(Protocol):
    """Takes whole chunks."""

    def write(self, chunks: bytes, end_us: int) -> None:
        """Take a multiple of 64 KiB that starts with a box and ends at one; the sound then reaches ``end_us``."""


def annexb_to_lengths(data: bytes) -> bytes:
    """An Annex-B access unit as MP4 keeps it: every unit behind its length in four bytes (ISO/IEC 14496-15, 5.3.4)."""
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in _START_CODE.split(data) if unit)


def padded_bytes(content_bytes: int) -> int:
    """The multiple of a chunk that a content is filled up to; a remainder too small for a box takes one chunk more."""
    chunks = -(-content_bytes // CHUNK_BYTES)
    room = chunks * CHUNK_BYTES - content_bytes
    return (chunks + (0 < room < _MIN_FREE_BYTES)) * CHUNK_BYTES


def _fills_one(content_bytes: int) -> bool:
    return content_bytes <= CHUNK_BYTES - _MIN_FREE_BYTES or content_bytes == CHUNK_BYTES


@dataclass(slots=True)
class _Pending:
    """What the next fragment holds so far; the lines are (size, duration, flags) as in a ``trun``."""

    content_bytes: int = FRAGMENT_OVERHEAD_BYTES
    runs: dict[int, Run] = field(default_factory=dict)
    data: dict[int, list[bytes]] = field(default_factory=dict)
    start_us: int = 0
    end_us: int = 0
    key: bool = False

    def bytes_with(self, track_id: int, size: int, *, samples: int = 1) -> int:
        """What the content would be with more samples, of so many bytes."""
        run = 0 if track_id in self.runs else RUN_OVERHEAD_BYTES
        return self.content_bytes + run + RUN_SAMPLE_BYTES * samples + size

    def fits(self, track_id: int, size: int) -> bool:
        """Whether one more sample stays in one chunk; the first one has to, whatever its size."""
        return not self.runs or _fills_one(self.bytes_with(track_id, size))

    def add(self, track_id: int, data: bytes, start: int, lines: list[tuple[int, int, int]]) -> None:
        """Take samples that lie one behind the other in ``data``; their lines are (size, duration, flags)."""
        self.content_bytes = self.bytes_with(track_id, len(data), samples=len(lines))
        self.runs.setdefault(track_id, Run(track_id, start, [])).samples.extend(lines)
        self.data.setdefault(track_id, []).append(data)

    @property
    def span_us(self) -> int:
        """The time from its first sample's start to its last one's end."""
        return self.end_us - self.start_us

    def cover(self, start_us: int, end_us: int) -> None:
        """Note the time that a sample just added covers."""
        if start_us < self.start_us or not self.end_us:
            self.start_us = start_us
        self.end_us = max(self.end_us, end_us)


class Muxer:
    """Places samples into fragments, fragments into chunks, and notes which moment starts where.

    Sound and picture may come in any order; each track's own times must not go back.
    """

    def __init__(self, sound: SoundTrack, picture: PictureTrack | None, *, sink: FragmentSink) -> None:
        self._sound = sound
        self._picture = picture
        self._sink = sink
        self._pending = _Pending()
        self._held: tuple[bytes, Picture] | None = None
        self._fragments = 0
        self._chunks = 0
        self._entries = Entries()
        self._sound_end = 0
        # Before any is known: as many as could not be compressed.
        self._bytes_per_s = sound.rate_hz * sound.channels * sound.bits // 8

    def open(self) -> None:
        """Write the init segment, alone in the first chunk."""
        self._emit(init_segment(self._sound, self._picture))

    def write_frames(self, frames: Frames) -> None:
        """Take FLAC frames; as many at a time as the fragment has room for."""
        track_id, first, at = self._sound.track_id, 0, 0
        while first < len(frames.sizes):
            if not self._pending.fits(track_id, frames.sizes[first]):
                self.flush()
            last = self._fitting(frames, first)
            sizes, samples = frames.sizes[first:last], frames.samples[first:last]
            size, start = sum(sizes), self._sound_end
            self._sound_end += sum(samples)
            lines = list(zip(sizes, samples, repeat(KEY_FLAGS), strict=False))
            self._pending.add(track_id, frames.data[at : at + size], start, lines)
            self._pending.cover(self._us(start), self._us(self._sound_end))
            self._flush_if_full()
            self._let_go(self._us(self._sound_end))
            first, at = last, at + size

    def _fitting(self, frames: Frames, first: int) -> int:
        """Up to which frame they go into the fragment: until it is full, long enough, or a held picture is let go."""
        pending, end = self._pending, self._sound_end
        until_us = MAX_FRAGMENT_US + (pending.start_us if pending.runs else self._us(end))
        if self._held is not None:
            until_us = min(until_us, self._held[1].at_us + _MOST_HELD_US)
        until = -(-until_us * self._sound.rate_hz // 1_000_000)
        content = pending.bytes_with(self._sound.track_id, 0, samples=0)
        for place in range(first, len(frames.sizes)):
            content += RUN_SAMPLE_BYTES + frames.sizes[place]
            if place > first and not _fills_one(content):
                return place
            end += frames.samples[place]
            if end >= until:
                return place + 1
        return len(frames.sizes)

    def write_sound(self, frame: bytes, samples: int) -> None:
        """Take one FLAC frame of ``samples``."""
        self.write_frames(Frames(frame, (len(frame),), (samples,)))

    def due_us(self, block_us: int) -> int:
        """How much more sound may come, ``block_us`` at a time, until there is a fragment to be written."""
        pending = self._pending
        in_time_us = MAX_FRAGMENT_US - block_us - pending.span_us
        room_us = (CHUNK_BYTES - pending.content_bytes) * 1_000_000 // self._bytes_per_s
        return max(0, min(in_time_us, room_us))

    def flush_if_due(self, block_us: int) -> None:
        """Write what is pending, if with ``block_us`` more it would be too long."""
        if self._pending.span_us + block_us > MAX_FRAGMENT_US:
            self.flush()

    def write_picture(self, picture: Picture) -> None:
        """Take one picture. It is held until the next one comes, which tells how long it stands."""
        if self._picture is None:
            return
        held, self._held = self._held, (annexb_to_lengths(picture.data), picture)
        if held is not None:
            self._place(*held, end_us=picture.at_us)

    def flush(self) -> None:
        """Write what is pending as a fragment of its own; nothing where nothing is."""
        pending, self._pending = self._pending, _Pending()
        if not pending.runs:
            return
        self._fragments += 1
        if pending.span_us >= _TELLING_US:
            self._bytes_per_s = pending.content_bytes * 1_000_000 // pending.span_us
        key = self._picture is None or pending.key
        self._entries.add(self._chunks, pending.start_us, key=key)
        data = [piece for track_id in pending.runs for piece in pending.data[track_id]]
        self._emit(movie_fragment(self._fragments, list(pending.runs.values())), *data)

    def close(self, *, gaps: tuple[tuple[int, int], ...]) -> None:
        """Write the last fragment, then the end mark with the index and the sound's ``gaps`` (start, samples)."""
        duration_us = self._us(self._sound_end)
        held, self._held = self._held, None
        if held is not None:
            self._place(*held, end_us=duration_us)
        self.flush()
        index = Index(
            rate_hz=self._sound.rate_hz,
            samples=self._sound_end,
            duration_us=duration_us,
            gaps=gaps,
            entries=self._entries,
        )
        self._emit(index.box())

    def _let_go(self, now_us: int) -> None:
        """Place a held picture that nothing has followed for too long."""
        if self._held is not None and now_us - self._held[1].at_us >= _MOST_HELD_US:
            held, self._held = self._held, None
            self._place(*held, end_us=now_us)

    def _place(self, data: bytes, picture: Picture, *, end_us: int) -> None:
        track_id = 2 if self._picture is None else self._picture.track_id
        # A fragment that starts with a key frame is a place where a slice can start.
        if picture.key or not self._pending.fits(track_id, len(data)):
            self.flush()
        if not self._pending.runs:
            self._pending.key = picture.key
        end_us = max(end_us, picture.at_us + 1)
        flags = KEY_FLAGS if picture.key else DELTA_FLAGS
        self._pending.add(track_id, data, picture.at_us, [(len(data), end_us - picture.at_us, flags)])
        self._pending.cover(picture.at_us, end_us)
        self._flush_if_full()

    def _flush_if_full(self) -> None:
        if self._pending.span_us >= MAX_FRAGMENT_US:
            self.flush()

    def _us(self, samples: int) -> int:
        return samples * 1_000_000 // self._sound.rate_hz

    def _emit(self, *content: bytes) -> None:
        size = sum(map(len, content))
        room = padded_bytes(size) - size
        self._chunks += (size + room) // CHUNK_BYTES
        self._sink.write(b"".join((*content, free(room) if room else b"")), self._us(self._sound_end))
