"""What a real camera is asked for: which part of its sensor is seen, how long it may expose, how many bits it may take.

Pure, so that it can be tested without one. A sensor has several modes, and some of them read only a part of it: asked
for 1280x720, libcamera's scoring takes the 1536x864 mode of the Camera Module 3, which shows two thirds of the width.
So the mode is chosen here, by what it shows. Sources: the Picamera2 Manual (sensor modes, crop limits, ScalerCrop) and
libcamera's control_ids_core.yaml (FrameDurationLimits, AeFlickerMode, ScalerCrop).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from device.words import Rung

_MICROSECONDS: Final = 1_000_000
KEY_EVERY_S: Final = 2

Crop = tuple[int, int, int, int]
"""Left, top, width and height, in pixels of the sensor."""


class Framing(StrEnum):
    """How much of the room the picture shows."""

    WIDE = "wide"  # all that the sensor sees, in the picture's proportions
    CHAIRS = "chairs"  # the middle two thirds of that

    @property
    def thirds(self) -> int:
        """How many thirds of what the sensor sees, in width and in height."""
        return 3 if self is Framing.WIDE else 2


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """What the configuration says of a real camera."""

    number: int
    width: int
    height: int
    fps: int
    bitrate: int
    frame_format: str  # picamera2's name for it
    framing: Framing = Framing.WIDE
    mains_hz: int | None = None
    mirror: bool = False
    upside_down: bool = False


@dataclass(frozen=True, slots=True)
class Mode:
    """One way of reading a sensor out."""

    size: tuple[int, int]
    bit_depth: int
    fps: float  # at most
    limits: Crop  # the part of the sensor that it shows


def mode_for(modes: Sequence[Mode], settings: CameraSettings) -> Mode | None:
    """The mode that shows most; of those, one that is fast enough and large enough, and no larger than need be."""
    if not modes:
        return None
    shows_most = max(_area(mode.limits) for mode in modes)
    widest = [mode for mode in modes if _area(mode.limits) == shows_most]

    def fitness(mode: Mode) -> tuple[bool, bool, float, int]:
        fast = mode.fps >= settings.fps
        large = mode.size[0] >= settings.width and mode.size[1] >= settings.height
        pixels = mode.size[0] * mode.size[1]
        return not fast, not large, pixels if large else -pixels, -mode.bit_depth

    return min(widest, key=fitness)


def _area(limits: Crop) -> int:
    return limits[2] * limits[3]


def crop_of(limits: Crop, settings: CameraSettings) -> Crop:
    """The part of a mode that becomes the picture: centred, in the picture's proportions, even numbers."""
    left, top, width, height = limits
    wide = min(width, height * settings.width // settings.height)
    high = min(height, width * settings.height // settings.width)
    wide, high = (side * settings.framing.thirds // 3 // 2 * 2 for side in (wide, high))
    return left + (width - wide) // 2, top + (height - high) // 2, wide, high


def frame_duration_limits_us(fps: int, rung: Rung) -> tuple[int, int]:
    """How long a frame may take, at least and at most.

    At the whole rate a dim room may take twice as long, and so halve the rate: a face that can be seen is worth more
    than one that moves smoothly. On the lower rungs half the rate is what there is.
    """
    period_us = _MICROSECONDS // fps
    return period_us * rung.rate_divisor, period_us * 2


def flicker_period_us(mains_hz: int) -> int:
    """How long one flicker of a lamp takes: it lights twice in every period of the mains."""
    return _MICROSECONDS // (2 * mains_hz)


def bitrate_of(settings: CameraSettings, rung: Rung) -> int:
    """Bits a second, at most."""
    return settings.bitrate // rung.bitrate_divisor


def frame_rate_of(settings: CameraSettings, rung: Rung) -> int:
    """What the encoder is told of the frame rate."""
    return max(1, settings.fps // rung.rate_divisor)
