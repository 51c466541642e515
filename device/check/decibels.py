"""Levels in decibels of full scale (``_dbfs``): a power of 1 is that of a square wave as high as samples can be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

NOTHING_DBFS: Final = -160.0  # less than 24 bits can say


def decibels(power: float) -> float:
    """A power (mean square; full scale is 1) in decibels; ``NOTHING_DBFS`` where there is none."""
    return max(NOTHING_DBFS, 10 * math.log10(power)) if power > 0 else NOTHING_DBFS


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` (0 to 1) of ``values`` do not reach; there must be at least one."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
