"""The boxes of a fragmented MP4, as pure functions from facts to bytes.

Source: ISO/IEC 14496-12 (ISO-BMFF), 14496-15 (AVC in it), "Encapsulation of FLAC in ISO Base Media File Format".
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct, pack

PICTURE_TIMESCALE = 1_000_000
_MATRIX = pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_UNKNOWN_LANGUAGE = 0x55C4  # "und"
# ISO/IEC 14496-12, 8.8.3.1: depends on nobody / depends on others and is not a key frame.
KEY_FLAGS = 0x02000000
DELTA_FLAGS = 0x01010000


@dataclass(frozen=True, slots=True)
class SoundTrack:
    """A FLAC track: its timescale is the sample rate, its ``stream_info`` the 34 bytes of RFC 9639, section 8.2."""

    rate_hz: int
    channels: int
    bits: int
    stream_info: bytes
    track_id: int = 1


@dataclass(frozen=True, slots=True)
class PictureTrack:
    """An H.264 track whose parameter sets come in-band (``avc3``), in microseconds."""

    width: int
    height: int
    track_id: int = 2


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box of ``kind`` around ``parts``."""
    size = 8 + sum(map(len, parts))
    return b"".join((size.to_bytes(4, "big"), kind, *parts))


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """A box with a version and flags."""
    return box(kind, pack(">I", version << 24 | flags), *parts)


def free(size: int) -> bytes:
    """A box of exactly ``size`` bytes (8 at least) that every player skips."""
    return size.to_bytes(4, "big") + b"free" + bytes(size - 8)


def init_segment(sound: SoundTrack, picture: PictureTrack | None) -> bytes:
    """``ftyp`` and ``moov``: what a player needs before the first fragment."""
    tracks = [_sound_trak(sound)] + ([_picture_trak(picture)] if picture else [])
    ids = [sound.track_id] + ([picture.track_id] if picture else [])
    mvhd = full_box(
        b"mvhd", 0, 0, pack(">4I", 0, 0, 1000, 0), pack(">IH10x", 0x10000, 0x100), _MATRIX, bytes(24), pack(">I", 3)
    )
    mvex = box(b"mvex", *(full_box(b"trex", 0, 0, pack(">5I", track_id, 1, 0, 0, 0)) for track_id in ids))
    return box(b"ftyp", b"iso6", pack(">I", 0), b"iso6mp41") + box(b"moov", mvhd, *tracks, mvex)


def _trak(track_id: int, timescale: int, handler: bytes, media_header: bytes, entry: bytes, visual: bytes) -> bytes:
    tkhd = full_box(b"tkhd", 0, 3, pack(">5I8x", 0, 0, track_id, 0, 0), visual)
    mdhd = full_box(b"mdhd", 0, 0, pack(">4IHH", 0, 0, timescale, 0, _UNKNOWN_LANGUAGE, 0))
    hdlr = full_box(b"hdlr", 0, 0, bytes(4), handler, bytes(12), b"sotto\0")
    dinf = box(b"dinf", full_box(b"dref", 0, 0, pack(">I", 1), full_box(b"url ", 0, 1)))
    stbl = box(
        b"stbl",
        full_box(b"stsd", 0, 0, pack(">I", 1), entry),
        full_box(b"stts", 0, 0, bytes(4)),
        full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )
    return box(b"trak", tkhd, box(b"mdia", mdhd, hdlr, box(b"minf", media_header, dinf, stbl)))


def _sound_trak(track: SoundTrack) -> bytes:
    stream_info = full_box(b"dfLa", 0, 0, b"\x80", len(track.stream_info).to_bytes(3, "big"), track.stream_info)
    # The 16.16 rate cannot hold more than 65 535 Hz; STREAMINFO is what counts.
    rate = track.rate_hz << 16 if track.rate_hz < 1 << 16 else 0
    entry = box(b"fLaC", pack(">6xH8xHH4xI", 1, track.channels, track.bits, rate), stream_info)
    visual = pack(">HHHH", 0, 0, 0x100, 0) + _MATRIX + pack(">II", 0, 0)
    return _trak(track.track_id, track.rate_hz, b"soun", full_box(b"smhd", 0, 0, bytes(4)), entry, visual)


def _picture_trak(track: PictureTrack) -> bytes:
    # No parameter sets here: a hardware encoder tells them only with its first picture, and the sound does not wait
    # for it; an encoder that is restarted may have others. 4-byte lengths, baseline profile, level 3.1.
    avcc = box(b"avcC", bytes((1, 0x42, 0xC0, 0x1F, 0xFF, 0xE0, 0)))
    entry = box(
        b"avc3",
        pack(">6xH16xHHII4xH32xHh", 1, track.width, track.height, 0x480000, 0x480000, 1, 0x18, -1),
        avcc,
    )
    visual = pack(">HHHH", 0, 0, 0, 0) + _MATRIX + pack(">II", track.width << 16, track.height << 16)
    return _trak(track.track_id, PICTURE_TIMESCALE, b"vide", full_box(b"vmhd", 0, 1, bytes(8)), entry, visual)


@dataclass(frozen=True, slots=True)
class Run:
    """The samples of one track in one fragment: ``start`` in its timescale, and (size, duration, flags) of each."""

    track_id: int
    start: int
    samples: list[tuple[int, int, int]]

    @property
    def data_bytes(self) -> int:
        """Bytes of media data of this run."""
        return sum(size for size, _, _ in self.samples)


# tfhd, tfdt, trun and traf of one track, and moof, mfhd and mdat around them, without the lines of the samples.
RUN_OVERHEAD_BYTES = 8 + 16 + 20 + 20
RUN_SAMPLE_BYTES = 12
FRAGMENT_OVERHEAD_BYTES = 8 + 16 + 8
# Their heads, each in one go: one is written for every chunk, and box by box it took as long as sealing does.
_MOOF = Struct(">I4s I4sII")
_TRAF = Struct(">I4s I4sII I4sIQ I4sIIi")
_MDAT = Struct(">I4s")


def movie_fragment(sequence: int, runs: list[Run]) -> bytes:
    """``moof`` and the head of the ``mdat`` that the runs' data follows, in the order of ``runs``."""
    moof_bytes = 24 + sum(RUN_OVERHEAD_BYTES + RUN_SAMPLE_BYTES * len(run.samples) for run in runs)
    offset = moof_bytes + 8
    pieces = [_MOOF.pack(moof_bytes, b"moof", 16, b"mfhd", 0, sequence)]
    for run in runs:
        lines_bytes = RUN_SAMPLE_BYTES * len(run.samples)
        traf = (RUN_OVERHEAD_BYTES + lines_bytes, b"traf")
        tfhd = (16, b"tfhd", 0x020000, run.track_id)  # offsets count from this moof
        tfdt = (20, b"tfdt", 1 << 24, run.start)
        trun = (20 + lines_bytes, b"trun", 0x000701, len(run.samples), offset)
        pieces.append(_TRAF.pack(*traf, *tfhd, *tfdt, *trun))
        numbers = [number for size, duration, flags in run.samples for number in (duration, size, flags)]
        pieces.append(pack(f">{len(numbers)}I", *numbers))
        offset += run.data_bytes
    pieces.append(_MDAT.pack(offset - moof_bytes, b"mdat"))
    return b"".join(pieces)
