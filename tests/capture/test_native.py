"""The compiled way of the sound, held against the other one and against the standard."""

from __future__ import annotations

import itertools
import math
import random
import subprocess
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.capture import native
from device.capture.encoder import FlacEncoder
from device.capture.meter import LibraryGauge
from device.capture.native import NativeGauge
from device.capture.packets import SILENCE_DBFS, Frames, Level, SoundFormat, Wire, widen

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "device/capture/native.c"
STEREO = SoundFormat(48_000, 2, Wire.S24_3LE)
MONO = SoundFormat(48_000, 1, Wire.S24_3LE)
CD = SoundFormat(44_100, 2, Wire.S16_LE)
PADDED = SoundFormat(48_000, 2, Wire.S32_LE)
every_sound = pytest.mark.parametrize("sound", [STEREO, MONO, CD, PADDED], ids=str)


def compiled() -> native.Native:
    library = native.load()
    assert library is not None, "it is built by .ci/setup"
    return library


def measure(gauge: Any, sound: SoundFormat, data: bytes, *, blocks: Iterator[int]) -> list[Level]:
    """What a gauge says of blocks of so many samples each."""
    told, at = [], 0
    while at < len(data):
        part = data[at : at + next(blocks) * sound.frame_bytes]
        told.append(gauge.measure(part, len(part) // sound.frame_bytes)[0])
        at += len(part)
    gauge.close()
    return told


def by_both(sound: SoundFormat, data: bytes, *, samples: int) -> list[tuple[Level, Level]]:
    ours = measure(NativeGauge(compiled(), sound), sound, data, blocks=itertools.repeat(samples))
    theirs = measure(LibraryGauge(sound), sound, data, blocks=itertools.repeat(samples))
    return list(zip(ours, theirs, strict=True))


def like_speech(sound: SoundFormat, seconds: float, *, seed: int = 3) -> bytes:
    """Syllables of many pitches and pauses, over a floor of noise; each channel hears its own."""
    chance, values = random.Random(seed), []
    phases = [chance.random() for _ in range(24)]
    for at in range(round(seconds * sound.rate_hz)):
        now_s = at / sound.rate_hz
        loud = max(0.0, math.sin(2 * math.pi * 3.1 * now_s)) * (now_s % 1.7 < 1.2)
        voice = sum(math.sin(2 * math.pi * (130 * n * now_s + phase)) / n for n, phase in enumerate(phases, 1))
        for channel in range(sound.channels):
            value = loud * voice * (0.1, 0.07)[channel] + chance.gauss(0, 0.0003)
            values.append(round(value * (1 << sound.bits - 1)))
    shift = 8 if sound.wire is Wire.S32_LE else 0
    return b"".join((value << shift).to_bytes(sound.wire.sample_bytes, "little", signed=True) for value in values)


def _heard(level: Level) -> float:
    return max(-120.0, -math.inf if level.loudness_lufs is None else level.loudness_lufs)


@every_sound
@pytest.mark.parametrize("what", ["speech", "noise", "low", "high", "extremes"])
def test_it_measures_what_libebur128_measures(sound: SoundFormat, what: str, make: Any) -> None:
    length = sound.rate_hz * 2
    data = {
        "speech": lambda: like_speech(sound, 2),
        "noise": lambda: make.noise(sound, length),
        "low": lambda: make.sine(sound, length, hz=25, dbfs=-20),
        "high": lambda: make.sine(sound, length, hz=15_000, dbfs=-30),
        "extremes": lambda: make.extremes(sound, length),
    }[what]()
    for ours, theirs in by_both(sound, data, samples=sound.rate_hz // 10):
        assert ours.peak_dbfs == pytest.approx(theirs.peak_dbfs, abs=1e-9)
        assert ours.clipped == theirs.clipped
        # Of a voltage that stands still nothing is left but what both round differently.
        assert _heard(ours) == pytest.approx(_heard(theirs), abs=0.02)


@every_sound
def test_the_mean_square_is_that_of_every_sample(sound: SoundFormat) -> None:
    data = like_speech(sound, 0.2)
    values = array("i", bytes(widen(data, sound.wire)))
    level, mean_square = NativeGauge(compiled(), sound).measure(data, len(values) // sound.channels)
    full = 1 << sound.bits - 1
    assert mean_square == pytest.approx(sum(value * value for value in values) / len(values) / full**2, rel=1e-12)
    assert level.rms_dbfs == pytest.approx(10 * math.log10(mean_square), abs=1e-9)


def tone(sound: SoundFormat, make: Any, steps: list[tuple[float, float]]) -> bytes:
    """A tone of 1 kHz in steps of (seconds, dBFS)."""
    return b"".join(make.sine(sound, round(seconds * sound.rate_hz), hz=1000, dbfs=dbfs) for seconds, dbfs in steps)


@pytest.mark.parametrize("sound", [STEREO, CD, PADDED], ids=str)
@pytest.mark.parametrize("before_ms", [0, 20, 140, 380])
def test_a_short_tone_is_as_loud_as_the_standard_says_wherever_it_begins(
    sound: SoundFormat, before_ms: int, make: Any
) -> None:
    """EBU Tech 3341, cases 13 and 14: the greatest momentary loudness of 400 ms."""
    data = tone(sound, make, [(before_ms / 1000, -120), (0.4, -23), (1.0, -120)])
    told = measure(NativeGauge(compiled(), sound), sound, data, blocks=itertools.repeat(sound.rate_hz // 100))
    assert max(one.loudness_lufs for one in told if one.loudness_lufs) == pytest.approx(-23, abs=0.1)


@pytest.mark.parametrize("sound", [STEREO, CD], ids=str)
def test_a_tone_that_comes_and_goes_within_the_window_stays_as_loud(sound: SoundFormat, make: Any) -> None:
    """EBU Tech 3341, case 12: momentary loudness stands still from the first second on."""
    data = tone(sound, make, [(0.18, -20), (0.22, -30)] * 6)
    told = measure(NativeGauge(compiled(), sound), sound, data, blocks=itertools.repeat(sound.rate_hz // 100))
    assert [one.loudness_lufs for one in told[100:]] == [pytest.approx(-23, abs=0.1)] * (len(told) - 100)


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(1, 3000), min_size=1, max_size=6), sound=st.sampled_from([STEREO, MONO, CD, PADDED]))
def test_how_blocks_are_cut_changes_nothing_of_the_whole(cuts: list[int], sound: SoundFormat) -> None:
    data = random.Random(1).randbytes(9000 * sound.frame_bytes)
    whole = measure(NativeGauge(compiled(), sound), sound, data, blocks=itertools.repeat(9000))[0]
    parts = measure(NativeGauge(compiled(), sound), sound, data, blocks=itertools.cycle(cuts))
    assert max(part.peak_dbfs for part in parts) == whole.peak_dbfs
    assert sum(part.clipped for part in parts) == whole.clipped
    assert parts[-1].loudness_lufs == pytest.approx(whole.loudness_lufs, abs=1e-6)


def test_a_sound_that_ended_long_ago_is_silence_again_and_costs_no_more(make: Any) -> None:
    """A filter that fades out for ever is slow, and never quite silent."""
    data = make.noise(STEREO, 4800) + make.silence(STEREO, 5 * 48_000)
    told = measure(NativeGauge(compiled(), STEREO), STEREO, data, blocks=itertools.repeat(4800))
    assert told[-1] == Level(SILENCE_DBFS, None, SILENCE_DBFS, 0)


@every_sound
@pytest.mark.parametrize("kind", ["noise", "speech", "extremes", "silence"])
def test_both_ways_write_the_same_frames(
    sound: SoundFormat, kind: str, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = like_speech(sound, 0.5) if kind == "speech" else getattr(make, kind)(sound, 24_007)

    def encoded() -> list[Frames]:
        made: list[Frames] = []
        encoder = FlacEncoder(sound, sink=made.append)
        for at in range(0, len(data), 5000 * sound.frame_bytes):
            part = data[at : at + 5000 * sound.frame_bytes]
            encoder.write(part, len(part) // sound.frame_bytes)
        encoder.close()
        return made

    compiled()
    ours = encoded()
    monkeypatch.setattr(native, "LIBRARY", Path("/nowhere/libnative.so"))
    assert ours == encoded()
    assert len(ours) > 3


@pytest.fixture
def build(tmp_path: Path) -> Callable[[str], Path]:
    """Compiles a source as .ci/native does, with every warning an error."""

    def from_source(source: str) -> Path:
        (tmp_path / "native.c").write_text(source)
        checked = ("gcc", "-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fsyntax-only")
        subprocess.run([*checked, tmp_path / "native.c"], check=True)
        subprocess.run([ROOT / ".ci/native", tmp_path / "libnative.so", tmp_path / "native.c"], check=True)
        return tmp_path / "libnative.so"

    return from_source


def test_a_library_of_another_version_is_not_used(
    build: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = SOURCE.read_text()
    monkeypatch.setattr(native, "LIBRARY", build(source))
    assert native.way() == "compiled"
    (abi,) = (line for line in source.splitlines() if line.startswith("#define ABI "))
    old = build(source.replace(abi, "#define ABI 4711"))
    other = old.with_name("libold.so")
    old.rename(other)  # the one that is loaded keeps its name in this process
    monkeypatch.setattr(native, "LIBRARY", other)
    assert native.way() == "python"


@pytest.mark.parametrize("content", [None, b"", b"\x7fELF and no more"])
def test_what_is_no_library_is_none(content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if content is not None:
        (tmp_path / "libnative.so").write_bytes(content)
    monkeypatch.setattr(native, "LIBRARY", tmp_path / "libnative.so")
    assert native.way() == "python"


def test_sound_that_it_does_not_know_is_left_to_the_other_way() -> None:
    assert native.takes(STEREO)
    assert not native.takes(SoundFormat(48_000, 9, Wire.S24_3LE))
    assert not native.takes(SoundFormat(0, 2, Wire.S24_3LE))
