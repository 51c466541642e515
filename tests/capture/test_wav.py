"""WAV files as sox and ffmpeg write them, and every way in which one can be wrong."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device.capture.packets import SoundFormat, Wire
from device.capture.wav import read_wav
from device.errors import MicrophoneError

WIRES = {16: Wire.S16_LE, 24: Wire.S24_3LE}


def chunk(kind: bytes, data: bytes, *, length: int | None = None) -> bytes:
    size = len(data) if length is None else length
    return kind + size.to_bytes(4, "little") + data + bytes(len(data) % 2)


def format_chunk(*, channels: int = 1, rate_hz: int = 48_000, bits: int = 16, kind: int = 1) -> bytes:
    frame = channels * bits // 8
    return chunk(b"fmt ", struct.pack("<HHIIHH", kind, channels, rate_hz, rate_hz * frame, frame, bits))


def riff(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "room.wav"


def refused(path: Path) -> MicrophoneError:
    with pytest.raises(MicrophoneError) as caught:
        read_wav(path)
    assert path.name in caught.value.what
    assert str(path.parent) not in caught.value.what
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("program", ["sox", "ffmpeg"])
@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_what_sox_and_ffmpeg_write_is_found_to_the_byte(
    program: str, bits: int, channels: int, rate_hz: int, path: Path, make: Any
) -> None:
    sound = SoundFormat(rate_hz, channels, WIRES[bits])
    data = make.noise(sound, 1001)
    if program == "sox":
        raw = ("-t", "raw", "-e", "signed", "-b", str(bits), "-c", str(channels), "-r", str(rate_hz), "-L", "-")
        command = ("sox", "-D", *raw, str(path))
    else:
        form = f"s{bits}le"
        raw = ("-f", form, "-ar", str(rate_hz), "-ch_layout", ("mono", "stereo")[channels - 1], "-i", "-")
        command = ("ffmpeg", "-v", "warning", *raw, "-c:a", f"pcm_{form}", str(path))
    subprocess.run(command, input=data, check=True)
    wav = read_wav(path)
    assert (wav.sound, wav.samples) == (sound, 1001)
    assert path.read_bytes()[wav.offset : wav.offset + len(data)] == data


def test_the_extensible_header_is_read_too(path: Path) -> None:
    """What sox writes for 24 bits; ``wave`` of the standard library refuses it before Python 3.12."""
    subprocess.run(
        ["sox", "-n", "-b", "24", "-c", "2", "-r", "48000", str(path), "synth", "0.1", "sine", "440"], check=True
    )
    assert path.read_bytes()[20:22] == b"\xfe\xff"
    assert read_wav(path).sound == SoundFormat(48_000, 2, Wire.S24_3LE)


@pytest.mark.parametrize(
    ("form", "layout"),
    [("pcm_u8", "mono"), ("pcm_f32le", "mono"), ("pcm_s32le", "mono"), ("pcm_s16le", "3.0"), ("pcm_alaw", "mono")],
)
def test_what_no_microphone_here_delivers_is_refused_with_a_way_out(form: str, layout: str, path: Path) -> None:
    tone = ("-f", "lavfi", "-i", "sine=duration=0.1:sample_rate=48000")
    subprocess.run(["ffmpeg", "-v", "error", *tone, "-c:a", form, "-ch_layout", layout, str(path)], check=True)
    assert "sox" in refused(path).hint


@pytest.mark.parametrize("rate_hz", [0, 4000, 400_000])
def test_a_rate_that_is_no_rate_is_refused(rate_hz: int, path: Path) -> None:
    path.write_bytes(riff(format_chunk(rate_hz=rate_hz), chunk(b"data", bytes(100))))
    assert str(rate_hz) in refused(path).what


def test_a_wav_without_sound_is_refused(path: Path) -> None:
    path.write_bytes(riff(format_chunk(), chunk(b"data", b"")))
    assert "no sound" in refused(path).what
    subprocess.run(
        ["sox", "-n", "-b", "24", "-r", "48000", str(path), "trim", "0", "0"], check=True, capture_output=True
    )
    assert "no sound" in refused(path).what


def test_less_than_one_sample_is_no_sound(path: Path) -> None:
    path.write_bytes(riff(format_chunk(channels=2, bits=24), chunk(b"data", bytes(5))))
    assert "no sound" in refused(path).what


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF, 10_000])
def test_a_length_that_was_never_filled_in_is_what_is_there(length: int, path: Path) -> None:
    """What a program leaves that was killed while it wrote, or that wrote into a pipe."""
    path.write_bytes(riff(format_chunk(), chunk(b"data", bytes(2000), length=length)))
    assert read_wav(path).samples == 1000


def test_what_ffmpeg_writes_into_a_pipe_is_read(path: Path) -> None:
    tone = ("-f", "lavfi", "-i", "sine=duration=0.5:sample_rate=48000")
    piped = subprocess.run(["ffmpeg", "-v", "error", *tone, "-f", "wav", "-"], check=True, capture_output=True).stdout
    path.write_bytes(piped)
    assert read_wav(path).samples == 24_000


def test_other_chunks_before_and_behind_the_sound_are_passed_over(path: Path) -> None:
    odd = chunk(b"LIST", b"INFOxyz" * 3)
    assert len(odd) == 8 + 21 + 1
    for before in ((), (odd,), (odd, chunk(b"junk", b""), odd)):
        path.write_bytes(riff(*before, format_chunk(), *before, chunk(b"data", b"\1\2\3\4"), odd))
        wav = read_wav(path)
        assert wav.samples == 2
        assert path.read_bytes()[wav.offset :][:4] == b"\1\2\3\4"


def test_a_sound_of_unknown_form_is_refused(path: Path) -> None:
    path.write_bytes(riff(chunk(b"data", bytes(100)), format_chunk()))
    assert "what its sound is" in refused(path).what


@pytest.mark.parametrize("extensible", [False, True])
def test_a_file_cut_anywhere_is_refused_or_shorter(*, extensible: bool, path: Path) -> None:
    if extensible:
        subprocess.run(["sox", "-n", "-b", "24", "-r", "48000", str(path), "synth", "0.001", "sine", "440"], check=True)
        whole = path.read_bytes()
        offset, frame_bytes = read_wav(path).offset, 3
    else:
        whole, offset, frame_bytes = riff(format_chunk(channels=2), chunk(b"data", bytes(40))), 44, 4
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        if cut < offset + frame_bytes:
            refused(path)
        else:
            assert read_wav(path).samples == (cut - offset) // frame_bytes


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
def test_bytes_of_no_meaning_are_no_wav(data: bytes, path: Path) -> None:
    path.write_bytes(data)
    refused(path)
    path.write_bytes(b"RIFF\0\0\0\0WAVE" + data)
    refused(path)
    path.write_bytes(b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + data)
    try:
        assert read_wav(path).samples > 0
    except MicrophoneError:
        return


def test_a_file_that_is_not_there_or_not_a_file_is_refused(path: Path) -> None:
    assert "No such file" in refused(path).what
    path.mkdir()
    assert "directory" in refused(path).what
