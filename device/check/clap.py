"""Sound and picture on one clock: how far the picture of a clap, or of a flash that ticks, is from its sound.

The sound of each is found to the sample. In the pictures it is somewhere between the last that does not show it and
the first that does, so each clap gives an interval of one picture period. All those intervals hold the one true offset:
what most of them agree on is far narrower than a period once the claps fall at different moments of it. (K. Marzullo,
"Maintaining the time in a distributed system", 1984; NTP picks its servers so, RFC 5905 section 11.2.1.)
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from operator import sub
from typing import Final

from device.capture.packets import Gap, Sound, SoundFormat, widen
from device.check.decibels import percentile
from device.check.finding import Findings, bad, good, look

GOOD_MS: Final = 20.0
LEAST_CLAPS: Final = 5
_STEP_S: Final = 0.001
_LEAST_WITHIN_MS: Final = 1.0  # nothing here is told more exactly than a step
_LEAST_APART_US: Final = 600_000
_WINDOW_US: Final = 300_000
_OVER_ROOM: Final = 6.0  # times the height that the room's own noise seldom reaches
_LEAST_HEIGHT: Final = 0.004  # -48 dBFS
_OVER_STILL: Final = 4.0  # times the change from picture to picture that is usual here
_LEAST_CHANGE: Final = 1.0  # of 255
_FIRST_OF_MOST: Final = 0.6


class Ticks:
    """Keeps how high the samples of a few seconds are, and finds where something begins in them, to the sample."""

    def __init__(self, sound: SoundFormat) -> None:
        self._sound = sound
        self._full = 1 << (sound.bits - 1)
        self._samples = array("i")  # of the higher channel, without their sign
        self._starts_us: list[int] = []

    def hear(self, period: Sound | Gap) -> None:
        """Take one period; of a gap, silence of its length."""
        if isinstance(period, Gap):
            self._samples.extend([0] * period.samples)
        else:
            wide = array("i")
            wide.frombytes(widen(period.data, self._sound.wire))
            channels = [map(abs, wide[place :: self._sound.channels]) for place in range(self._sound.channels)]
            self._samples.extend(channels[0] if len(channels) == 1 else map(max, *channels))
        # Each period says when the whole began. Their median is right though a single one may be told late.
        self._starts_us.append(period.end_us - self._sound.us(len(self._samples)))

    def onsets_us(self) -> list[int]:
        """When each thing that is heard alone began (monotonic); none is nearer to the next than 0.6 s."""
        step = max(1, round(self._sound.rate_hz * _STEP_S))
        heights = [max(self._samples[at : at + step]) for at in range(0, len(self._samples) - step + 1, step)]
        if not heights:
            return []
        least = max(_OVER_ROOM * percentile(heights, 0.75), _LEAST_HEIGHT * self._full)
        start_us = round(percentile(self._starts_us, 0.5))
        found: list[int] = []
        for place, height in enumerate(heights):
            if height < least:
                continue
            at_us = start_us + self._sound.us(self._first(place * step, step, height))
            if not found or at_us - found[-1] >= _LEAST_APART_US:
                found.append(at_us)
        return found

    def _first(self, at: int, step: int, height: int) -> int:
        """The first sample that reaches a third of that height, looked for from the step before on."""
        for place in range(max(0, at - step), at + step):
            if self._samples[place] * 3 >= height:
                return place
        return at


class Glances:
    """Keeps of each picture when it was taken and how much it differs from the one before; the picture is let go."""

    def __init__(self) -> None:
        self._last: bytes | None = None
        self.at_us: list[int] = []
        self.changes: list[float] = []  # mean difference of all points, of 255

    def see(self, at_us: int, gray: bytes) -> None:
        """Take one picture: its points in gray, a few thousand of them at most."""
        before, self._last = self._last, gray
        if before is not None and len(before) == len(gray):
            self.at_us.append(at_us)
            self.changes.append(sum(map(abs, map(sub, gray, before))) / len(gray))

    def between(self, onset_us: int) -> tuple[int, int] | None:
        """The two pictures between which it is seen, by the first great change near ``onset_us``; ``None``: nowhere."""
        near = [n for n, at_us in enumerate(self.at_us) if abs(at_us - onset_us) <= _WINDOW_US]
        near = [n for n in near if n > 0]
        if not near:
            return None
        most = max(self.changes[n] for n in near)
        if most < max(_LEAST_CHANGE, _OVER_STILL * percentile(self.changes, 0.5)):
            return None
        first = next(n for n in near if self.changes[n] >= _FIRST_OF_MOST * most)
        return self.at_us[first - 1], self.at_us[first]


@dataclass(frozen=True, slots=True)
class ClapFigures:
    """``offset_ms``: how much later the picture is than the sound, known to ``within_ms`` either way.

    ``agreeing`` of the ``seen`` claps hold it; ``median_ms`` and ``spread_ms`` (greatest less least) are those of the
    middles of all intervals.
    """

    heard: int
    seen: int
    agreeing: int = 0
    offset_ms: float = 0.0
    within_ms: float = 0.0
    median_ms: float = 0.0
    spread_ms: float = 0.0


def measure_claps(ticks: Ticks, glances: Glances) -> ClapFigures:
    """Find every clap in both, and the offset that most of them agree on."""
    onsets = ticks.onsets_us()
    pairs = [(onset, seen) for onset in onsets if (seen := glances.between(onset)) is not None]
    if not pairs:
        return ClapFigures(heard=len(onsets), seen=0)
    spans = [((before - onset) / 1000, (after - onset) / 1000) for onset, (before, after) in pairs]
    middles = [(low + high) / 2 for low, high in spans]
    low, high, agreeing = agreed(spans)
    return ClapFigures(
        heard=len(onsets),
        seen=len(pairs),
        agreeing=agreeing,
        offset_ms=round((low + high) / 2, 1),
        within_ms=max(_LEAST_WITHIN_MS, round((high - low) / 2, 1)),
        median_ms=round(percentile(middles, 0.5), 1),
        spread_ms=round(max(middles) - min(middles), 1),
    )


def agreed(spans: Sequence[tuple[float, float]]) -> tuple[float, float, int]:
    """The narrowest span that the most of ``spans`` have in common, and how many they are."""
    best = (spans[0][0], spans[0][1], 0)
    for low in sorted({low for low, _ in spans}):
        holding = [high for start, high in spans if start <= low <= high]
        if len(holding) > best[2]:
            best = (low, min(holding), len(holding))
    return best


def judge_claps(clap: ClapFigures) -> Findings:
    """Whether sound and picture fit together."""
    figures = {
        "heard": clap.heard,
        "seen": clap.seen,
        "agreeing": clap.agreeing,
        "offset_ms": clap.offset_ms if clap.seen else None,
        "within_ms": clap.within_ms if clap.seen else None,
        "median_ms": clap.median_ms if clap.seen else None,
        "spread_ms": clap.spread_ms if clap.seen else None,
    }
    if clap.seen < LEAST_CLAPS or clap.agreeing * 2 <= clap.seen:
        what = f"{clap.heard} were heard and {clap.seen} of them seen, {clap.agreeing} in agreement: too few to judge"
        hint = "clap seven times, a second apart, large in the picture, in light, while nothing else moves or sounds"
        return [bad("clap", what, hint, **figures)]
    where = "after" if clap.offset_ms >= 0 else "before"
    what = (
        f"the picture is {abs(clap.offset_ms):.0f} ms {where} the sound, to {clap.within_ms:.0f} ms either way "
        f"({clap.agreeing} of {clap.seen} claps; median {clap.median_ms:+.0f} ms, spread {clap.spread_ms:.0f} ms)"
    )
    if abs(clap.offset_ms) + clap.within_ms <= GOOD_MS:
        return [good("clap", what, **figures)]
    if abs(clap.offset_ms) - clap.within_ms <= GOOD_MS:
        hint = "this may be under 20 ms or not: clap again, oftener and nearer (three metres alone are 9 ms of sound)"
        return [look("clap", what, hint, **figures)]
    hint = (
        "people notice this: try a shorter exposure (more light) and another USB socket, and tell us which camera it is"
    )
    return [bad("clap", what, hint, **figures)]
