"""The meter, held against ffmpeg's own."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from device.capture.meter import Meter, check_library
from device.capture.packets import SILENCE_DBFS, Level, SoundFormat, Wire
from device.recording.manifest import SoundVerdict

pytestmark = pytest.mark.usefixtures("way")
STEREO = SoundFormat(48_000, 2, Wire.S24_3LE)
MONO = SoundFormat(48_000, 1, Wire.S24_3LE)
CD = SoundFormat(44_100, 2, Wire.S16_LE)
PADDED = SoundFormat(48_000, 1, Wire.S32_LE)


def measure(sound: SoundFormat, data: bytes, *, floor_dbfs: float = -60.0) -> tuple[Meter, list[Level]]:
    meter = Meter(sound, floor_dbfs=floor_dbfs)
    period = sound.samples(100_000) * sound.frame_bytes
    levels = []
    for at in range(0, len(data), period):
        part = data[at : at + period]
        levels.append(meter.write(part, len(part) // sound.frame_bytes))
    meter.close()
    return meter, levels


def by_ffmpeg(player: Any, sound: SoundFormat, data: bytes) -> tuple[float, list[float]]:
    """The peak, and the momentary loudness after each 100 ms."""
    form = "s16le" if sound.wire is Wire.S16_LE else "s24le" if sound.wire is Wire.S24_3LE else "s32le"
    source = ("-f", form, "-ar", sound.rate_hz, "-ch_layout", ("mono", "stereo")[sound.channels - 1])
    filters = "astats=metadata=1:measure_perchannel=none,ebur128=framelog=verbose:metadata=1"
    command = ("ffmpeg", "-v", "warning", *source, "-i", "-", "-af", f"{filters},ametadata=mode=print:file=-")
    told = player.run(*command, "-f", "null", "/dev/null", stdin=data).decode()
    peaks = [float(found) for found in re.findall(r"Overall\.Peak_level=(\S+)", told)]
    momentary = [float(found) for found in re.findall(r"r128\.M=(\S+)", told)]
    return peaks[-1], momentary


@pytest.mark.parametrize("what", ["sine", "quiet sine", "noise", "speech", "16 bit", "32-bit wire"])
def test_peak_and_loudness_are_what_ffmpeg_says(what: str, make: Any, speech: bytes, player: Any) -> None:
    sound, data = {
        "sine": (STEREO, make.sine(STEREO, 72_000, hz=997, dbfs=-6)),
        "quiet sine": (MONO, make.sine(MONO, 72_000, hz=440, dbfs=-55)),
        "noise": (STEREO, make.noise(STEREO, 72_000)),
        "speech": (MONO, speech),
        "16 bit": (CD, make.sine(CD, 66_150, hz=997, dbfs=-20)),
        "32-bit wire": (PADDED, make.noise(PADDED, 72_000)),
    }[what]
    peak_dbfs, momentary = by_ffmpeg(player, sound, data)
    _, levels = measure(sound, data)
    assert max(level.peak_dbfs for level in levels) == pytest.approx(peak_dbfs, abs=0.1)
    assert len(momentary) in {len(levels), len(levels) - 1}
    compared = 0
    for level, expected in list(zip(levels, momentary, strict=False))[4:]:
        if level.loudness_lufs is not None and expected > -70:
            assert level.loudness_lufs == pytest.approx(expected, abs=0.5)
            compared += 1
    assert compared >= 8


def test_a_full_scale_tone_is_where_the_standard_puts_it(make: Any) -> None:
    """EBU Tech 3341, case 1, in one step: a stereo tone of 1 kHz at -23 dBFS has -23 LUFS."""
    _, levels = measure(STEREO, make.sine(STEREO, 96_000, hz=1000, dbfs=-23))
    assert levels[-1].loudness_lufs == pytest.approx(-23, abs=0.1)
    assert levels[-1].peak_dbfs == pytest.approx(-23, abs=0.01)


@pytest.mark.parametrize("sound", [STEREO, CD, PADDED], ids=str)
def test_silence_is_the_least_and_not_an_error(sound: SoundFormat, make: Any) -> None:
    meter, levels = measure(sound, make.silence(sound, sound.rate_hz))
    assert set(levels) == {Level(SILENCE_DBFS, None, SILENCE_DBFS, 0)}
    report = meter.report(gaps=False)
    assert (report.verdict, report.loudness_lufs, report.below_floor_s) == (SoundVerdict.SILENT, None, 1.0)


@pytest.mark.parametrize(("sound", "bits"), [(STEREO, 24), (CD, 16)], ids=str)
def test_the_least_sample_is_measured_exactly(sound: SoundFormat, bits: int, make: Any) -> None:
    data = bytearray(make.silence(sound, 4800))
    data[0] = 1
    _, levels = measure(sound, bytes(data[: sound.samples(100_000) * sound.frame_bytes]))
    assert levels[0].peak_dbfs == pytest.approx(-20 * math.log10(2) * (bits - 1), abs=0.01)


def test_one_channel_is_enough_to_be_heard(make: Any) -> None:
    tone = make.sine(MONO, 4800, hz=997, dbfs=-12)
    right = b"".join(bytes(3) + tone[at : at + 3] for at in range(0, len(tone), 3))
    _, levels = measure(STEREO, right)
    assert levels[0].peak_dbfs == pytest.approx(-12, abs=0.1)


def test_a_period_is_measured_for_itself_and_not_for_those_before(make: Any) -> None:
    loud = make.sine(MONO, 4800, hz=997, dbfs=-3)
    quiet = make.sine(MONO, 4800, hz=997, dbfs=-50)
    _, levels = measure(MONO, loud + quiet)
    assert [round(level.peak_dbfs) for level in levels] == [-3, -50]


@pytest.mark.parametrize("sound", [MONO, STEREO, CD, PADDED], ids=str)
def test_the_mean_level_of_a_tone_is_three_decibels_under_its_peak(sound: SoundFormat, make: Any) -> None:
    meter, levels = measure(sound, make.sine(sound, sound.rate_hz, hz=440, dbfs=-20))
    assert [level.rms_dbfs for level in levels] == [pytest.approx(-23.01, abs=0.1)] * len(levels)
    assert meter.report(gaps=False).rms_dbfs == pytest.approx(-23.0, abs=0.1)


def test_the_mean_level_of_speech_is_what_ffmpeg_says(speech: bytes, player: Any) -> None:
    command = ("ffmpeg", "-v", "info", "-f", "s24le", "-ar", 48_000, "-ch_layout", "mono", "-i", "-")
    shell = (
        "sh",
        "-c",
        '"$@" 2>&1',
        "sh",
        *command,
        "-af",
        "astats=measure_perchannel=none",
        "-f",
        "null",
        "/dev/null",
    )
    told = player.run(*shell, stdin=speech).decode()
    (expected,) = re.findall(r"RMS level dB: (\S+)", told)
    meter, _ = measure(MONO, speech)
    assert meter.report(gaps=False).rms_dbfs == pytest.approx(float(expected), abs=0.2)


def test_the_noise_floor_is_what_is_left_when_nobody_speaks(make: Any) -> None:
    hiss = make.sine(MONO, 48_000 * 2, hz=3000, dbfs=-60)
    words = make.sine(MONO, 48_000 * 6, hz=300, dbfs=-20)
    meter, _ = measure(MONO, words + hiss)
    assert meter.report(gaps=False).noise_floor_dbfs == pytest.approx(-63, abs=1)


def test_every_sample_at_the_end_of_the_scale_is_counted(make: Any) -> None:
    calm = make.sine(STEREO, 4800, hz=500, dbfs=-20)
    slam = bytearray(calm)
    for sample, value in ((3, 0x7FFFFF), (4, -0x800000), (900, 0x7FFFFF)):
        slam[sample * 3 : sample * 3 + 3] = value.to_bytes(3, "little", signed=True)
    meter, levels = measure(STEREO, bytes(slam) + calm)
    assert [level.clipped for level in levels] == [3, 0]
    assert meter.report(gaps=False).clipped_samples == 3


def verdict(sound: SoundFormat, data: bytes, *, gaps: bool = False) -> SoundVerdict:
    return measure(sound, data)[0].report(gaps=gaps).verdict


def test_the_verdict_says_what_a_person_should_know(make: Any, speech: bytes) -> None:
    assert verdict(MONO, speech) is SoundVerdict.GOOD
    assert verdict(MONO, speech, gaps=True) is SoundVerdict.GAPS
    assert verdict(STEREO, make.extremes(STEREO, 48_000)) is SoundVerdict.DISTORTED
    assert verdict(MONO, make.sine(MONO, 48_000, hz=500, dbfs=-45)) is SoundVerdict.QUIET
    assert verdict(MONO, make.sine(MONO, 48_000, hz=500, dbfs=-70)) is SoundVerdict.SILENT
    assert verdict(MONO, make.silence(MONO, 48_000), gaps=True) is SoundVerdict.SILENT
    assert verdict(MONO, b"") is SoundVerdict.UNKNOWN


@pytest.mark.parametrize("sound", [MONO, CD], ids=str)
def test_one_period_at_full_scale_is_a_slammed_door_and_two_are_distortion(sound: SoundFormat, make: Any) -> None:
    calm = make.sine(sound, sound.rate_hz, hz=500, dbfs=-20)
    slam = make.extremes(sound, sound.samples(100_000))
    assert verdict(sound, slam + calm) is SoundVerdict.GOOD
    assert verdict(sound, slam + calm + slam) is SoundVerdict.DISTORTED


def test_the_floor_decides_what_counts_as_sound(make: Any) -> None:
    data = make.sine(MONO, 48_000, hz=500, dbfs=-50) + make.sine(MONO, 48_000, hz=500, dbfs=-10)
    meter, levels = measure(MONO, data, floor_dbfs=-40)
    assert [meter.above_floor(level) for level in levels] == [False] * 10 + [True] * 10
    report = meter.report(gaps=False)
    assert (report.below_floor_s, report.peak_dbfs) == (1.0, -10.0)


def test_it_never_reads_past_the_samples_it_was_given() -> None:
    meter = Meter(STEREO, floor_dbfs=-60)
    with pytest.raises(ValueError, match="samples"):
        meter.write(bytes(6 * 10), 11)
    meter.close()


def test_it_may_be_closed_twice_and_still_reports(make: Any) -> None:
    meter, _ = measure(MONO, make.sine(MONO, 48_000, hz=500, dbfs=-10))
    meter.close()
    assert meter.report(gaps=False).peak_dbfs == -10.0


def test_the_library_is_there() -> None:
    check_library()
