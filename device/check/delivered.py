"""Judges the devices by what they delivered: the microphone's format and pace, the camera's pictures and times."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from device.capture.packets import SoundFormat, Wire
from device.check.finding import Findings, bad, good, look

_PACE_OFF: Final = 0.005
_RATE_OFF: Final = 0.1
_LEAST_PICTURES: Final = 5
_LATEST_US: Final = 1_000_000
_WIRES: Final = {Wire.S32_LE: "24 bits in 32", Wire.S24_3LE: "24 bits", Wire.S16_LE: "16 bits"}


@dataclass(slots=True)
class SoundLog:
    """What a microphone delivered: times are monotonic microseconds of the end of a period."""

    sound: SoundFormat
    samples: int = 0  # after the first period
    first_end_us: int | None = None
    last_end_us: int = 0
    gaps: int = 0
    missing_samples: int = 0

    def note(self, samples: int, end_us: int, *, gap: bool) -> None:
        """Write one period or gap down."""
        if self.first_end_us is None:
            self.first_end_us = end_us
        else:
            self.samples += samples
        self.last_end_us = end_us
        self.gaps += gap
        self.missing_samples += samples if gap else 0

    @property
    def pace(self) -> float | None:
        """Samples a second as delivered by those promised; ``None`` before there is a second of them."""
        passed_us = self.last_end_us - (self.first_end_us or 0)
        return None if passed_us < 1_000_000 else self.samples * 1e6 / passed_us / self.sound.rate_hz


def judge_microphone(name: str, log: SoundLog) -> Findings:
    """Which microphone that is, how it delivers, and whether it lost anything."""
    sound, pace = log.sound, log.pace
    channels = "one channel" if sound.channels == 1 else f"{sound.channels} channels"
    what = f"{name}: {channels} of {_WIRES[sound.wire]} at {sound.rate_hz / 1000:g} kHz"
    figures = {
        "identity": name,
        "rate_hz": sound.rate_hz,
        "channels": sound.channels,
        "wire": str(sound.wire),
        "pace": None if pace is None else round(pace, 5),
        "gaps": log.gaps,
        "missing_samples": log.missing_samples,
    }
    if log.gaps:
        hint = "end what else runs on this box; use another USB socket, without a hub between"
        return [bad("microphone", f"{what}; it lost {log.missing_samples} samples", hint, **figures)]
    if pace is not None and abs(pace - 1) > _PACE_OFF:
        hint = "it does not keep the rate that it names: try another socket, then another microphone"
        return [look("microphone", f"{what}, but {pace * 100:.1f} % of them came", hint, **figures)]
    if sound.bits < 24:
        return [
            look("microphone", what, "16 bits are recorded as they are; 24 leave more room for the gain", **figures)
        ]
    return [good("microphone", what, **figures)]


@dataclass(slots=True)
class PictureLog:
    """When each picture was taken, by its own word, and when it was here; monotonic microseconds."""

    opened_us: int
    at_us: list[int] = field(default_factory=list)
    took_us: list[int] = field(default_factory=list)  # until each was here; below zero: a picture from the future
    bytes: int = 0

    def note(self, at_us: int, size: int, now_us: int) -> None:
        """Write one picture down."""
        self.at_us.append(at_us)
        self.bytes += size
        self.took_us.append(now_us - at_us)

    @property
    def fps(self) -> float | None:
        """Pictures a second, by their own times; ``None`` where there are too few to tell."""
        if len(self.at_us) < _LEAST_PICTURES or self.at_us[-1] <= self.at_us[0]:
            return None
        return (len(self.at_us) - 1) * 1e6 / (self.at_us[-1] - self.at_us[0])


def judge_camera(name: str, size: tuple[int, int], fps: int, log: PictureLog) -> Findings:
    """Which camera that is, whether its pictures come at the rate ``fps`` that was asked for, and by which clock."""
    rate = log.fps
    what = f"{name}: {size[0]}x{size[1]}"
    figures = {
        "identity": name,
        "width": size[0],
        "height": size[1],
        "pictures": len(log.at_us),
        "fps": None if rate is None else round(rate, 2),
        "fps_asked": fps,
        "first_ms": (log.at_us[0] - log.opened_us) // 1000 if log.at_us else None,
        "least_delay_ms": min(log.took_us, default=0) // 1000,
    }
    if rate is None:
        hint = "look at its cable, and end whatever else uses the camera; then check again"
        return [bad("camera", f"{what}: {len(log.at_us)} pictures are too few to judge", hint, **figures)]
    if any(later <= sooner for sooner, later in zip(log.at_us, log.at_us[1:], strict=False)):
        return [bad("camera", f"{what}: its times go back", "restart the box, and check again", **figures)]
    # The quickest one tells: while a camera starts, or this machine is busy, single pictures may well wait for seconds.
    if not 0 <= min(log.took_us) <= _LATEST_US:
        hint = "sound and picture would not fit together: update the camera's packages, and check again"
        return [bad("camera", f"{what}: its times are not those of this box's clock", hint, **figures)]
    if abs(rate / fps - 1) > _RATE_OFF:
        hint = "put more light into the room, or lower camera.fps or the size in the configuration"
        return [look("camera", f"{what} at {rate:.1f} pictures a second instead of {fps}", hint, **figures)]
    return [good("camera", f"{what} at {rate:.1f} pictures a second", **figures)]
