"""The encoder's frames, as the stock decoders read them: bit for bit what went in."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.capture.encoder import BLOCK_SAMPLES, FlacEncoder, check_library, stream_info
from device.capture.packets import Frames, SoundFormat, Wire
from device.errors import AdminError, StoreError

FORMATS = [
    SoundFormat(rate_hz, channels, wire)
    for rate_hz in (44_100, 48_000)
    for channels in (1, 2)
    for wire in (Wire.S16_LE, Wire.S24_3LE, Wire.S32_LE)
]
every_format = pytest.mark.parametrize("sound", FORMATS, ids=lambda f: f"{f.rate_hz}-{f.channels}-{f.wire}")
pytestmark = pytest.mark.usefixtures("way")
STEREO_24 = SoundFormat(48_000, 2, Wire.S24_3LE)
MONO_16 = SoundFormat(48_000, 1, Wire.S16_LE)


def split(made: Frames) -> Iterator[tuple[bytes, int]]:
    """Each frame, and how many samples it holds."""
    ends = list(itertools.accumulate(made.sizes))
    assert ends[-1] == len(made.data)
    for size, end, samples in zip(made.sizes, ends, made.samples, strict=True):
        yield made.data[end - size : end], samples


def encode(sound: SoundFormat, data: bytes, *, period: int = 4800) -> list[tuple[bytes, int]]:
    frames: list[tuple[bytes, int]] = []
    encoder = FlacEncoder(sound, sink=lambda made: frames.extend(split(made)))
    for at in range(0, len(data), period * sound.frame_bytes):
        part = data[at : at + period * sound.frame_bytes]
        encoder.write(part, len(part) // sound.frame_bytes)
    encoder.close()
    return frames


def plain(sound: SoundFormat, data: bytes) -> bytes:
    """Samples without the padding byte that some wires have: what ``flac`` gives back."""
    if sound.wire is not Wire.S32_LE:
        return data
    packed = bytearray(len(data) // 4 * 3)
    for byte in range(3):
        packed[byte::3] = data[byte + 1 :: 4]
    return bytes(packed)


def decoded(player: Any, sound: SoundFormat, file: bytes) -> bytes:
    raw = ("--force-raw-format", "--endian=little", "--sign=signed")
    by_flac = player.run("flac", "-d", "-c", "-s", *raw, "-", stdin=file)
    form = "s16le" if sound.bits == 16 else "s24le"
    command = ("ffmpeg", "-v", "warning", "-f", "flac", "-i", "-", "-f", form, "-c:a", f"pcm_{form}", "-")
    assert player.run(*command, stdin=file) == by_flac
    return bytes(by_flac)


@every_format
@pytest.mark.parametrize("kind", ["noise", "silence", "extremes"])
def test_what_goes_in_comes_out_bit_for_bit(
    sound: SoundFormat, kind: str, make: Any, player: Any, flac_file: Callable[..., bytes]
) -> None:
    data = getattr(make, kind)(sound, 10_007)
    frames = encode(sound, data)
    assert sum(samples for _, samples in frames) == 10_007
    expected = plain(sound, data)
    assert decoded(player, sound, flac_file(sound, [frame for frame, _ in frames], expected)) == expected


def by_libavcodec(sound: SoundFormat, frames: list[tuple[bytes, int]]) -> bytes:
    """The samples by FFmpeg's own FLAC decoder, in this process: thousands of short streams in seconds."""
    decoder = av.CodecContext.create("flac", "r")
    decoder.extradata = stream_info(sound)
    frames_out = [frame for data, _ in frames for frame in decoder.decode(av.Packet(data))]  # type: ignore[attr-defined]
    return b"".join(bytes(frame.planes[0])[: frame.samples * sound.frame_bytes] for frame in frames_out)


@pytest.mark.parametrize("batch", range(8))
def test_every_length_modulo_a_block_comes_out_bit_for_bit(batch: int, make: Any) -> None:
    source = make.noise(MONO_16, 2 * BLOCK_SAMPLES)
    for length in range(batch + 1, BLOCK_SAMPLES + 1, 8):
        whole_block_more = BLOCK_SAMPLES * (length % 2)
        data = source[: (length + whole_block_more) * 2]
        frames = encode(MONO_16, data, period=700)
        assert [samples for _, samples in frames] == [BLOCK_SAMPLES] * (whole_block_more > 0) + [length]
        assert by_libavcodec(MONO_16, frames) == data


@settings(max_examples=25)
@given(data=st.data())
def test_how_the_periods_are_cut_does_not_matter(data: st.DataObject) -> None:
    sound = STEREO_24
    source = bytes(range(256)) * (3 * 6 * 5)
    whole = encode(sound, source, period=len(source))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(source) // 6), max_size=8)))
    frames: list[tuple[bytes, int]] = []
    encoder = FlacEncoder(sound, sink=lambda made: frames.extend(split(made)))
    for start, end in zip([0, *cuts], [*cuts, len(source) // 6], strict=True):
        encoder.write(source[start * 6 : end * 6], end - start)
    encoder.close()
    assert frames == whole


def test_a_sink_that_fails_is_heard_by_whoever_writes(make: Any) -> None:
    failure = StoreError("the disk is gone", "buy another")

    def fail(_frames: Frames) -> None:
        raise failure

    encoder = FlacEncoder(STEREO_24, sink=fail)
    data = make.noise(STEREO_24, 4800)
    with pytest.raises(StoreError) as caught:
        encoder.write(data, 4800)
    assert caught.value is failure


def test_after_its_sink_failed_once_nothing_more_is_encoded(make: Any) -> None:
    taken = []

    def fail_at_the_second(frames: Frames) -> None:
        taken.append(frames.samples)
        if len(taken) == 2:
            raise StoreError("the disk is gone", "buy another")

    encoder = FlacEncoder(STEREO_24, sink=fail_at_the_second)
    data = make.noise(STEREO_24, 4800)
    encoder.write(data, 4800)
    with pytest.raises(StoreError):
        encoder.write(data, 4800)
    with pytest.raises(AdminError):
        encoder.write(data, 4800)
    encoder.close()
    encoder.close()
    assert len(taken) == 2


def test_a_sink_that_fails_at_the_last_frame_is_heard_by_whoever_closes(make: Any) -> None:
    def fail(_frames: Frames) -> None:
        raise StoreError("the disk is full", "free some")

    encoder = FlacEncoder(MONO_16, sink=fail)
    encoder.write(make.noise(MONO_16, 100), 100)
    with pytest.raises(StoreError):
        encoder.close()
    encoder.close()


def test_it_may_be_closed_twice_and_takes_nothing_after_that(make: Any) -> None:
    frames = []
    encoder = FlacEncoder(MONO_16, sink=lambda made: frames.extend(made.samples))
    encoder.write(make.noise(MONO_16, 1500), 1500)
    encoder.close()
    encoder.close()
    encoder.write(make.noise(MONO_16, 1500), 1500)
    assert frames == [1152, 348]


def test_a_recording_of_nothing_has_no_frames() -> None:
    assert encode(STEREO_24, b"") == []


def test_it_never_reads_past_the_samples_it_was_given() -> None:
    """A source that promised more than it gave would have put whatever lay behind it in memory into the recording."""
    encoder = FlacEncoder(STEREO_24, sink=lambda _frames: None)
    with pytest.raises(ValueError, match="samples"):
        encoder.write(bytes(6 * 10), 11)
    encoder.close()


@pytest.mark.parametrize(
    "sound",
    [
        SoundFormat(48_000, 0, Wire.S24_3LE),
        SoundFormat(48_000, 9, Wire.S24_3LE),
        SoundFormat(0, 2, Wire.S24_3LE),
        SoundFormat(2_000_000, 2, Wire.S24_3LE),
    ],
)
def test_a_format_that_flac_cannot_hold_is_refused_in_words(sound: SoundFormat) -> None:
    with pytest.raises(AdminError) as caught:
        FlacEncoder(sound, sink=lambda _frames: None)
    assert f"{sound.channels} channels" in caught.value.what
    assert "48 kHz" in caught.value.hint


@every_format
def test_the_stream_info_says_what_the_sound_is(sound: SoundFormat) -> None:
    info = stream_info(sound)
    assert len(info) == 34
    packed = int.from_bytes(info[10:18], "big")
    assert packed >> 44 == sound.rate_hz
    assert (packed >> 41 & 7) + 1 == sound.channels
    assert (packed >> 36 & 31) + 1 == sound.bits
    assert info[:4] == BLOCK_SAMPLES.to_bytes(2, "big") * 2


def test_the_library_is_there() -> None:
    check_library()
