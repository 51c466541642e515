"""Listens for a while and keeps figures: levels fifty milliseconds at a time, and a narrow copy for what comes later.

Plain Python, since the capture side goes without numeric libraries: whatever touches each sample is one call that runs
in C. Ten seconds of stereo cost half a second of one core here. No sample outlives the object, and none leaves it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import mul
from typing import Final

from device.capture.packets import Sound, SoundFormat, widen

FRAME_S: Final = 0.05
_NARROW_HZ: Final = 8000


@dataclass(slots=True)
class Trace:
    """What one channel left behind. Powers are mean squares without the offset; full scale is 1."""

    waiting: array[int] = field(default_factory=lambda: array("i"))
    powers: list[float] = field(default_factory=list)  # of each frame
    narrow: array[float] = field(default_factory=lambda: array("d"))  # at ``Ear.narrow_hz``; full scale is 1
    highest: int = 0
    lowest: int = 0
    at_highest: int = 0  # how many samples are exactly that high
    at_lowest: int = 0

    def note_extremes(self, samples: array[int]) -> None:
        """Remember the highest and the lowest sample, and how often they came."""
        high, low = max(samples), min(samples)
        if high >= self.highest:
            self.at_highest = samples.count(high) + (self.at_highest if high == self.highest else 0)
            self.highest = high
        if low <= self.lowest:
            self.at_lowest = samples.count(low) + (self.at_lowest if low == self.lowest else 0)
            self.lowest = low


class Ear:
    """Takes periods as a microphone delivers them; the figures are made of what ``traces`` then hold."""

    def __init__(self, sound: SoundFormat) -> None:
        self.sound = sound
        self.full = 1 << (sound.bits - 1)
        self._step = max(1, sound.rate_hz // _NARROW_HZ)
        self._frame = int(sound.rate_hz * FRAME_S) // self._step * self._step
        self.traces = [Trace() for _ in range(sound.channels)]
        self.cross = 0.0  # sum of the products of both channels' frames
        self.identical = sound.channels == 2
        self.heard_samples = 0

    @property
    def narrow_hz(self) -> float:
        """Samples a second of the narrow copies."""
        return self.sound.rate_hz / self._step

    @property
    def seconds(self) -> float:
        """How much was heard."""
        return self.heard_samples / self.sound.rate_hz

    def hear(self, period: Sound) -> None:
        """Take one period."""
        wide = array("i")
        wide.frombytes(widen(period.data, self.sound.wire))
        if not wide:
            return
        self.heard_samples += len(wide) // self.sound.channels
        for place, trace in enumerate(self.traces):
            samples = wide[place :: self.sound.channels]
            trace.note_extremes(samples)
            trace.waiting.extend(samples)
        for frames in self._whole_frames():
            self._measure(frames)

    def _whole_frames(self) -> Iterator[list[array[int]]]:
        while len(self.traces[0].waiting) >= self._frame:
            frames = [trace.waiting[: self._frame] for trace in self.traces]
            for trace in self.traces:
                del trace.waiting[: self._frame]
            yield frames

    def _measure(self, frames: list[array[int]]) -> None:
        count, scale = self._frame, self.full * self.full
        means = [sum(frame) / count for frame in frames]
        for trace, frame, mean in zip(self.traces, frames, means, strict=True):
            trace.powers.append(max(0.0, sum(map(mul, frame, frame)) / count - mean * mean) / scale)
            # The mean of every few samples: its zeros fall on the very frequencies that would fold to the lowest ones.
            groups = zip(*[iter(frame)] * self._step, strict=True)
            narrow = 1 / (self._step * self.full)
            trace.narrow.extend([total * narrow for total in map(sum, groups)])
        if len(frames) == 2:
            left, right = frames
            self.cross += (sum(map(mul, left, right)) / count - means[0] * means[1]) / scale
            self.identical = self.identical and left == right
