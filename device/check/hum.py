"""Mains hum: lines at 50 or 60 Hz and their harmonics that stand out of what is beside them, all the time.

A line is measured second by second with a Hann window (Harris, "On the use of windows", 1978: its main lobe is ±2 bins
wide, here ±2 Hz, which leaves the grid its few hundredths). A voice is there now and then, hum always: what counts of a
line is what a quarter of the seconds stay below.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from operator import mul
from typing import Final

from device.check.decibels import NOTHING_DBFS, decibels, percentile

# 300 Hz belongs to both, and is left out of both.
_LINES_HZ: Final = {50: (50, 100, 150, 200, 250), 60: (60, 120, 180, 240)}
_BESIDE_HZ: Final = (-9, -5, 5, 9)
_RATE_HZ: Final = 1000
_STANDS_OUT_DB: Final = 10.0


@dataclass(frozen=True, slots=True)
class Hum:
    """``mains_hz`` is 50 or 60, or 0 where no line stands out; ``level_dbfs`` is that of all its lines together."""

    mains_hz: int
    level_dbfs: float
    lines_hz: tuple[int, ...] = ()


NO_HUM: Final = Hum(0, NOTHING_DBFS)


def find_hum(samples: Sequence[float], rate_hz: float) -> Hum:
    """Look for hum in a few seconds at some thousand hertz; full scale is 1. Under two seconds nothing is found."""
    step = max(1, round(rate_hz / _RATE_HZ))
    slow = [sum(group) / step for group in zip(*[iter(samples)] * step, strict=False)]
    rate = rate_hz / step
    length = round(rate)
    seconds = [slow[at : at + length] for at in range(0, len(slow) - length + 1, length // 2)]
    if len(seconds) < 3:
        return NO_HUM
    found = [_hum_of(mains_hz, lines, seconds, rate) for mains_hz, lines in _LINES_HZ.items()]
    return max(found, key=lambda hum: hum.level_dbfs)


def _hum_of(mains_hz: int, lines: Sequence[int], seconds: Sequence[Sequence[float]], rate_hz: float) -> Hum:
    powers = {}
    for hz in lines:
        line = percentile([_power(second, hz, rate_hz) for second in seconds], 0.25)
        beside = [percentile([_power(second, hz + off, rate_hz) for second in seconds], 0.5) for off in _BESIDE_HZ]
        if line > 0 and decibels(line) - decibels(sum(beside) / len(beside)) >= _STANDS_OUT_DB:
            powers[hz] = line
    return Hum(mains_hz, decibels(sum(powers.values())), tuple(powers)) if powers else NO_HUM


def _power(second: Sequence[float], hz: float, rate_hz: float) -> float:
    """The mean square of the line at ``hz``."""
    cosine, sine, weight = _waves(len(second), hz, rate_hz)
    real: float = sum(map(mul, second, cosine))
    imaginary: float = sum(map(mul, second, sine))
    return 2 * (real * real + imaginary * imaginary) / (weight * weight)


@cache
def _waves(length: int, hz: float, rate_hz: float) -> tuple[list[float], list[float], float]:
    window = [0.5 - 0.5 * math.cos(2 * math.pi * n / length) for n in range(length)]
    turn = 2 * math.pi * hz / rate_hz
    cosine = [w * math.cos(turn * n) for n, w in enumerate(window)]
    return cosine, [w * math.sin(turn * n) for n, w in enumerate(window)], sum(window)
