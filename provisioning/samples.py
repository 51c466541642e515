"""Fragments taken apart into the samples of each track, and put together again with some of them; pure.

A track that is left out is really gone: neither its ``traf`` nor its bytes stay behind in a fragment that was put
together here. So nobody who gets a clip or a copy gets more of the picture than was meant.

Source: ISO/IEC 14496-12, 8.8 (movie fragments); written as the box writes them (ARCHITECTURE, section 6).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from struct import Struct, pack, unpack_from
from typing import Final

from device.recording import CHUNK_BYTES
from provisioning.fragments import Box, boxes, child

_LINE: Final = Struct(">III")
_LEAST_FREE_BYTES: Final = 8
_MOOF_BYTES: Final = 8 + 16
_TRAF_BYTES: Final = 8 + 16 + 20 + 20
_MDAT_HEAD_BYTES: Final = 8


@dataclass(slots=True)
class Samples:
    """Samples of one track that follow each other: ``start`` in its own units; (duration, size, flags) of each."""

    track_id: int
    start: int
    lines: list[tuple[int, int, int]]
    data: list[bytes] = field(repr=False)

    @property
    def end(self) -> int:
        """When the last of them ends."""
        return self.start + sum(duration for duration, _, _ in self.lines)

    @property
    def data_bytes(self) -> int:
        """How much their data is."""
        return sum(size for _, size, _ in self.lines)

    def each(self) -> Iterator[Samples]:
        """One by one."""
        start, at, data = self.start, 0, b"".join(self.data)
        for line in self.lines:
            duration, size, _ = line
            yield Samples(self.track_id, start, [line], [data[at : at + size]])
            start, at = start + duration, at + size

    def go_on_with(self, other: Samples) -> None:
        """Take those that follow at once."""
        self.lines += other.lines
        self.data += other.data


def samples_of(content: bytes) -> list[Samples]:
    """The samples of a fragment that was authenticated; what was muted in it is left out.

    Raises:
        ValueError: it is no fragment as the box writes them.
    """
    moof = next(boxes(content, 0, int.from_bytes(content[:4], "big")))
    trafs = [box for box in boxes(content, moof.start, moof.end) if box.kind == b"traf"]
    return [_samples(content, traf) for traf in trafs]


def _samples(content: bytes, traf: Box) -> Samples:
    tfhd, tfdt, trun = (child(content, traf, kind) for kind in (b"tfhd", b"tfdt", b"trun"))
    (track_id,) = unpack_from(">I", content, tfhd.start + 4)
    (start,) = unpack_from(">Q", content, tfdt.start + 4)
    count, offset = unpack_from(">Ii", content, trun.start + 4)
    lines = [_LINE.unpack_from(content, trun.start + 12 + 12 * line) for line in range(count)]
    size = sum(line[1] for line in lines)
    data = bytes(content[offset : offset + size])
    if len(data) != size:
        raise ValueError("a run reaches beyond its fragment")
    return Samples(track_id, start, [(line[0], line[1], line[2]) for line in lines], [data])


def fragment_bytes(runs: Sequence[Samples]) -> int:
    """How long the fragment with these runs is, without padding."""
    return _MOOF_BYTES + _MDAT_HEAD_BYTES + sum(_run_bytes(run) + run.data_bytes for run in runs)


def _run_bytes(run: Samples) -> int:
    return _TRAF_BYTES + _LINE.size * len(run.lines)


def fragment(sequence: int, runs: Sequence[Samples]) -> bytes:
    """``moof`` and ``mdat`` of these runs, with the padding up to whole chunks."""
    moof_bytes = _MOOF_BYTES + sum(map(_run_bytes, runs))
    offset = moof_bytes + _MDAT_HEAD_BYTES
    trafs = []
    for run in runs:
        lines = b"".join(_LINE.pack(*line) for line in run.lines)
        tfhd = _full(b"tfhd", 0x00020000, pack(">I", run.track_id))  # offsets count from this moof
        tfdt = _full(b"tfdt", 0x01000000, pack(">Q", run.start))
        trun = _full(b"trun", 0x00000701, pack(">Ii", len(run.lines), offset), lines)
        trafs.append(_box(b"traf", tfhd, tfdt, trun))
        offset += run.data_bytes
    moof = _box(b"moof", _full(b"mfhd", 0, pack(">I", sequence)), *trafs)
    mdat = _box(b"mdat", *(part for run in runs for part in run.data))
    return padded(moof + mdat)


def padded(content: bytes) -> bytes:
    """Some boxes with a ``free`` box behind them, up to whole chunks; where none fits, with a chunk more."""
    chunks = -(-len(content) // CHUNK_BYTES)
    room = chunks * CHUNK_BYTES - len(content)
    if 0 < room < _LEAST_FREE_BYTES:
        room += CHUNK_BYTES
    return content + pack(">I4s", room, b"free") + bytes(room - _LEAST_FREE_BYTES) if room else content


def _box(kind: bytes, *parts: bytes) -> bytes:
    return pack(">I4s", 8 + sum(map(len, parts)), kind) + b"".join(parts)


def _full(kind: bytes, version_and_flags: int, *parts: bytes) -> bytes:
    return _box(kind, pack(">I", version_and_flags), *parts)
