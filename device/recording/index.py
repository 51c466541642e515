"""The end mark: the last data chunk of a whole recording, which says that it is whole and where each moment lies.

It is a ``uuid`` box, so that players skip it. Layout after the 16 bytes of the type, big-endian: version (1 byte, 1),
three zero bytes, sample rate (4), samples (8), duration in microseconds (8), number of gaps (4), of entries (4), then
per gap start and length in samples (8 + 8), per entry the chunk (4) and its start in milliseconds, shifted left by one,
with the low bit set where a slice can start (4).
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct, error, pack
from typing import Final, overload

from device.recording import CHUNK_BYTES

_TYPE: Final = bytes.fromhex("536f74746f496e646578a7c1f2e34d01")
_HEAD: Final = Struct(">B3xIQQII")
_GAP: Final = Struct(">QQ")
_ENTRY: Final = Struct(">II")
_MOST_GAPS: Final = 1000  # the manifest has them all
_BOX_HEAD_BYTES: Final = 8 + len(_TYPE)


@dataclass(frozen=True, slots=True)
class Entry:
    """A fragment: its first chunk, when it starts, and whether a slice can start there."""

    chunk: int
    start_us: int
    key: bool


class Entries(Sequence[Entry]):
    """The entries of a recording while it is written: twelve bytes each, for hours of them have to fit a small memory.

    An entry is made when it is asked for, and is not kept.
    """

    def __init__(self) -> None:
        self._chunks = array("I")
        self._starts = array("Q")  # microseconds, shifted left by one, low bit: a slice can start here

    def add(self, chunk: int, start_us: int, *, key: bool) -> None:
        """One more behind the others."""
        self._chunks.append(chunk)
        self._starts.append(start_us << 1 | key)

    def __len__(self) -> int:
        return len(self._chunks)

    @overload
    def __getitem__(self, place: int) -> Entry: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Entry, ...]: ...

    def __getitem__(self, place: int | slice) -> Entry | tuple[Entry, ...]:
        if isinstance(place, slice):
            return tuple(self[one] for one in range(len(self))[place])
        start = self._starts[place]
        return Entry(self._chunks[place], start >> 1, key=bool(start & 1))


@dataclass(frozen=True, slots=True)
class Index:
    """What the end mark says."""

    rate_hz: int
    samples: int
    duration_us: int
    gaps: tuple[tuple[int, int], ...] = ()
    entries: Sequence[Entry] = ()

    def box(self) -> bytes:
        """The end mark as a box, in which as many entries stay as fit one chunk."""
        gaps = self.gaps[:_MOST_GAPS]
        room = CHUNK_BYTES - 8 - _BOX_HEAD_BYTES - _HEAD.size - _GAP.size * len(gaps)
        places = _thinned(self.entries, most=room // _ENTRY.size)
        payload = bytearray(_HEAD.pack(1, self.rate_hz, self.samples, self.duration_us, len(gaps), len(places)))
        for start, samples in gaps:
            payload += _GAP.pack(start, samples)
        for entry in (self.entries[place] for place in places):
            payload += _ENTRY.pack(entry.chunk, entry.start_us // 1000 << 1 | entry.key)
        return pack(">I", _BOX_HEAD_BYTES + len(payload)) + b"uuid" + _TYPE + payload


def _thinned(entries: Sequence[Entry], *, most: int) -> Sequence[int]:
    """Where at most so many entries stand: those where a slice can start while there are enough, else every n-th.

    A camera that hardly ever worked leaves hardly any place to start, and still every moment has to be found.
    """
    every = range(len(entries))
    if len(entries) <= most:
        return every
    keys = array("I", (place for place in every if entries[place].key))
    chosen: Sequence[int] = keys if len(keys) * 4 >= most else every
    return chosen[:: -(-len(chosen) // most)]


def parse_index(chunk: bytes) -> Index | None:
    """The end mark at the start of a data chunk, or ``None`` where there is none: the recording was interrupted."""
    if chunk[4:8] != b"uuid" or chunk[8:_BOX_HEAD_BYTES] != _TYPE:
        return None
    try:
        version, rate_hz, samples, duration_us, gap_count, entry_count = _HEAD.unpack_from(chunk, _BOX_HEAD_BYTES)
        at = _BOX_HEAD_BYTES + _HEAD.size
        gaps = tuple(_GAP.unpack_from(chunk, at + i * _GAP.size) for i in range(gap_count))
        at += gap_count * _GAP.size
        lines = [_ENTRY.unpack_from(chunk, at + i * _ENTRY.size) for i in range(entry_count)]
    except error:
        return None
    if version != 1:
        return None
    entries = tuple(Entry(chunk=line[0], start_us=(line[1] >> 1) * 1000, key=bool(line[1] & 1)) for line in lines)
    return Index(rate_hz=rate_hz, samples=samples, duration_us=duration_us, gaps=gaps, entries=entries)
