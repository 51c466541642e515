"""A voice: energy above 200 Hz that comes and goes as syllables do, two to eight times a second.

Steady noise, hum and a tone have energy and no syllables; a knock has neither length nor company. This is no speech
recognition, and is not meant to become one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from device.check.decibels import NOTHING_DBFS, decibels, percentile

_CORNER_HZ: Final = 200.0
_FRAME_S: Final = 0.05
_OVER_FLOOR_DB: Final = 6.0
_SWING_DB: Final = 6.0
_LEAST_S: Final = 1.0
_LEAST_SWINGS: Final = 4
_LEAST_SWINGS_PER_S: Final = 0.8


@dataclass(frozen=True, slots=True)
class Voice:
    """``level_dbfs`` is the mean while somebody spoke, ``floor_dbfs`` the quietest tenth, both above 200 Hz."""

    heard: bool
    level_dbfs: float
    floor_dbfs: float
    active_s: float
    swings: int


def find_voice(samples: Sequence[float], rate_hz: float) -> Voice:
    """Look for a voice in a few seconds at some thousand hertz; full scale is 1."""
    length = int(rate_hz * _FRAME_S)
    powers = [power / length for power in _frame_energies(_high_pass(samples, rate_hz), length)]
    if not powers:
        return Voice(heard=False, level_dbfs=NOTHING_DBFS, floor_dbfs=NOTHING_DBFS, active_s=0.0, swings=0)
    levels = [decibels(power) for power in powers]
    floor = percentile(levels, 0.1)
    active = [power for power, level in zip(powers, levels, strict=True) if level >= floor + _OVER_FLOOR_DB]
    active_s, swings = len(active) * _FRAME_S, _swings(levels)
    enough = swings >= max(_LEAST_SWINGS, _LEAST_SWINGS_PER_S * active_s)
    return Voice(
        heard=active_s >= _LEAST_S and enough,
        level_dbfs=decibels(sum(active) / len(active)) if active else NOTHING_DBFS,
        floor_dbfs=floor,
        active_s=round(active_s, 2),
        swings=swings,
    )


def _high_pass(samples: Sequence[float], rate_hz: float) -> Iterator[float]:
    """Second-order Butterworth, by the bilinear transform (R. Bristow-Johnson, "Audio EQ Cookbook", HPF, Q = 1/√2)."""
    turn = 2 * math.pi * _CORNER_HZ / rate_hz
    cosine, alpha = math.cos(turn), math.sin(turn) / math.sqrt(2)
    b0 = (1 + cosine) / 2 / (1 + alpha)
    a1, a2 = -2 * cosine / (1 + alpha), (1 - alpha) / (1 + alpha)
    x1 = x2 = y1 = y2 = 0.0
    for x in samples:
        y = b0 * (x - 2 * x1 + x2) - a1 * y1 - a2 * y2
        x2, x1, y2, y1 = x1, x, y1, y
        yield y


def _frame_energies(samples: Iterator[float], length: int) -> Iterator[float]:
    for frame in zip(*[samples] * length, strict=False):
        yield sum(value * value for value in frame)


def _swings(levels: Sequence[float]) -> int:
    """How often the level rose and fell again by so much, whatever it did between."""
    swings, rising = 0, True
    turn = levels[0]
    for level in levels:
        if rising:
            turn = max(turn, level)
            if level <= turn - _SWING_DB:
                swings, rising, turn = swings + 1, False, level
        else:
            turn = min(turn, level)
            if level >= turn + _SWING_DB:
                rising, turn = True, level
    return swings
