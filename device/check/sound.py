"""Judges what was heard in the room: noise floor, hum, clipping, both channels, a voice.

The bounds are for speech into 24 or 16 bits at a gain that leaves room above it. They are a direction for whoever sets
a box up, not a measurement of hearing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from device.check.decibels import decibels, percentile
from device.check.ear import Ear, Trace
from device.check.finding import Findings, bad, good, look
from device.check.hum import Hum, find_hum
from device.check.voice import Voice, find_voice

LEAST_S: Final = 3.0  # less is not judged

_ZEROS_DBFS: Final = -140.0  # a converter that is awake has more noise than this
_NOISY_DBFS: Final = -50.0
_TOO_NOISY_DBFS: Final = -40.0
_HUM_UNDER_NOISE_DB: Final = 10.0
_LOUD_HUM_DBFS: Final = -45.0
_NEAR_FULL_DBFS: Final = -3.0
_MOST_CLIPPED: Final = 10
_FLAT_SAMPLES: Final = 50
_FLAT_DBFS: Final = -20.0
_UNEVEN_DB: Final = 6.0
_DEAD_DB: Final = 40.0
_OPPOSITE: Final = -0.8
_UNHEARD_DBFS: Final = -55.0
_QUIET_DBFS: Final = -42.0
_LOUD_DBFS: Final = -16.0
_NEAR_NOISE_DB: Final = 12.0


@dataclass(frozen=True, slots=True)
class SoundFigures:
    """What was measured. ``channels_dbfs`` is the mean level of each channel; ``correlation`` is from -1 to 1."""

    seconds: float
    channels_dbfs: tuple[float, ...]
    floor_dbfs: float
    peak_dbfs: float
    clipped_samples: int
    flat_samples: int
    identical: bool
    correlation: float | None
    hum: Hum
    voice: Voice


def figures_of(ear: Ear) -> SoundFigures:
    """What an ear that has heard at least one frame has to say; the louder channel speaks for both."""
    means = [sum(trace.powers) / len(trace.powers) for trace in ear.traces]
    lead = ear.traces[means.index(max(means))]
    both = (means[0] * means[1]) ** 0.5 if len(means) == 2 else 0.0
    return SoundFigures(
        seconds=round(ear.seconds, 2),
        channels_dbfs=tuple(round(decibels(mean), 1) for mean in means),
        floor_dbfs=round(decibels(percentile(lead.powers, 0.1)), 1),
        peak_dbfs=round(decibels((max(_height(trace) for trace in ear.traces) / ear.full) ** 2), 1),
        clipped_samples=sum(_clipped(trace, ear.full) for trace in ear.traces),
        flat_samples=max(max(trace.at_highest, trace.at_lowest) for trace in ear.traces),
        identical=ear.identical,
        correlation=round(ear.cross / len(lead.powers) / both, 2) if both > 0 else None,
        hum=find_hum(lead.narrow, ear.narrow_hz),
        voice=find_voice(lead.narrow, ear.narrow_hz),
    )


def _height(trace: Trace) -> int:
    return max(trace.highest, -trace.lowest)


def _clipped(trace: Trace, full: int) -> int:
    """Samples at full scale: the highest and the lowest value that there is."""
    above = trace.at_highest if trace.highest >= full - 1 else 0
    return above + (trace.at_lowest if trace.lowest <= -full else 0)


def judge_sound(heard: SoundFigures) -> Findings:
    """What to say of it, and what to do."""
    if max(heard.channels_dbfs) <= _ZEROS_DBFS:
        what = "the microphone delivers nothing but zeros"
        return [bad("sound", what, "it is muted or not connected: look at its switch, its cable and its mixer")]
    return [*_floor(heard), *_hum(heard), *_clipping(heard), *_stereo(heard), *_voice(heard)]


def _floor(heard: SoundFigures) -> Findings:
    what, figure = f"{heard.floor_dbfs:.0f} dBFS", {"floor_dbfs": heard.floor_dbfs}
    if heard.floor_dbfs <= _NOISY_DBFS:
        return [good("noise floor", what, **figure)]
    hint = "turn off fans, close the window, move the box away from them; else lower the gain and move nearer"
    judged = bad if heard.floor_dbfs > _TOO_NOISY_DBFS else look
    return [judged("noise floor", f"{what}: the room or the microphone is noisy", hint, **figure)]


def _hum(heard: SoundFigures) -> Findings:
    hum = heard.hum
    figures = {"mains_hz": hum.mains_hz or None, "hum_dbfs": round(hum.level_dbfs, 1) if hum.mains_hz else None}
    if not hum.mains_hz:
        return [good("hum", "none at 50 or 60 Hz", **figures)]
    what = f"{hum.mains_hz} Hz mains hum at {hum.level_dbfs:.0f} dBFS"
    if hum.level_dbfs < heard.floor_dbfs - _HUM_UNDER_NOISE_DB:
        return [good("hum", f"{what}, which the noise floor hides", **figures)]
    hint = "keep the microphone's cable away from mains cables and chargers; try another power supply or socket"
    judged = bad if hum.level_dbfs > _LOUD_HUM_DBFS else look
    return [judged("hum", what, hint, **figures)]


def _clipping(heard: SoundFigures) -> Findings:
    figures = {
        "peak_dbfs": heard.peak_dbfs,
        "clipped_samples": heard.clipped_samples,
        "flat_samples": heard.flat_samples,
    }
    hint = "lower the gain, or move the microphone away; what is clipped cannot be mended later"
    if heard.clipped_samples:
        judged = bad if heard.clipped_samples > _MOST_CLIPPED else look
        return [judged("clipping", f"{heard.clipped_samples} samples are at full scale", hint, **figures)]
    if heard.flat_samples >= _FLAT_SAMPLES and heard.peak_dbfs > _FLAT_DBFS:
        what = (
            f"{heard.flat_samples} samples are cut off at {heard.peak_dbfs:.0f} dBFS, before the converter's full scale"
        )
        return [bad("clipping", what, hint, **figures)]
    if heard.peak_dbfs > _NEAR_FULL_DBFS:
        return [look("clipping", f"the peak of {heard.peak_dbfs:.0f} dBFS is near it", hint, **figures)]
    return [good("clipping", f"none; the peak is {heard.peak_dbfs:.0f} dBFS", **figures)]


def _stereo(heard: SoundFigures) -> Findings:
    if len(heard.channels_dbfs) == 1:
        return [good("channels", "one")]
    left, right = heard.channels_dbfs
    difference = round(left - right, 1)
    figures = {"left_dbfs": left, "right_dbfs": right, "correlation": heard.correlation, "identical": heard.identical}
    if abs(difference) >= _DEAD_DB:
        dead = "right" if difference > 0 else "left"
        hint = "look at that microphone and its cable; a single microphone belongs on a device with one channel"
        return [bad("channels", f"the {dead} one is dead", hint, **figures)]
    if heard.identical:
        hint = "nothing is lost, but half of the room in the store; use the device with one channel if there is one"
        return [look("channels", "two, and both are the same to the bit: one microphone", hint, **figures)]
    if heard.correlation is not None and heard.correlation <= _OPPOSITE:
        hint = "one of them is wired the wrong way round: played as one they cancel each other; change its cable"
        return [bad("channels", "two of opposite polarity", hint, **figures)]
    if abs(difference) >= _UNEVEN_DB:
        louder = "left" if difference > 0 else "right"
        hint = "set both gains alike, and place the microphone in the middle between the chairs"
        return [look("channels", f"two, the {louder} one {abs(difference):.0f} dB louder", hint, **figures)]
    return [good("channels", f"two, {abs(difference):.0f} dB apart", **figures)]


def _voice(heard: SoundFigures) -> Findings:
    voice = heard.voice
    over_db = round(voice.level_dbfs - voice.floor_dbfs, 1)
    figures = {"heard": voice.heard, "active_s": voice.active_s, "swings": voice.swings}
    if not voice.heard:
        hint = (
            "speak from the clients' chair as in a session while the room light is on; else move nearer, raise the gain"
        )
        return [bad("voice", "none was heard", hint, **figures)]
    figures |= {"voice_dbfs": round(voice.level_dbfs, 1), "over_noise_db": over_db}
    what = f"heard at {voice.level_dbfs:.0f} dBFS, {over_db:.0f} dB over the noise"
    if voice.level_dbfs < _QUIET_DBFS:
        judged = bad if voice.level_dbfs < _UNHEARD_DBFS else look
        return [judged("voice", f"{what}: too quiet", "move the microphone nearer, or raise the gain", **figures)]
    if voice.level_dbfs > _LOUD_DBFS:
        return [look("voice", f"{what}: too loud", "lower the gain, or move the microphone away", **figures)]
    if over_db < _NEAR_NOISE_DB:
        hint = "move the microphone nearer (more gain raises the noise as well), or make the room quieter"
        return [look("voice", f"{what}: it is hard to understand", hint, **figures)]
    return [good("voice", what, **figures)]
