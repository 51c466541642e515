"""The microphone's clock against the machine's: where a picture belongs, how far the two drift, what went missing.

A sound card counts samples by a crystal of its own. Over an hour it runs tens of milliseconds away from the machine's
clock, by which pictures are timed; so pictures are placed by the sound that was taken at the same moment. Pure.

What is observed is when a number of samples had been taken. That can be seen late, but never early, so what counts is
the earliest that the last two seconds say.
"""

from __future__ import annotations

from collections import deque
from operator import itemgetter
from typing import Final

from device.capture.packets import SoundFormat

_WINDOW_US: Final = 2_000_000
# No crystal is that far off (USB 2.0, section 7.1.11, allows 500 ppm); what falls behind faster was lost.
_MOST_DRIFT_PPM: Final = 500
_LOST_US: Final = 50_000
# A reader that was held up sees much at once, and all of it late; only what stays late for so long is missing.
_FEWEST_LATE: Final = 10
_LATE_SPAN_US: Final = 1_500_000
# A drift shows after a minute: a point every ten seconds.
_POINT_US: Final = 10_000_000
_FEWEST_POINTS: Final = 6
_LATE: Final = itemgetter(1)


class SampleClock:
    """Counts samples and looks at the machine's clock. Times are monotonic microseconds."""

    def __init__(self, sound: SoundFormat) -> None:
        self._sound = sound
        self._samples = 0
        self._window: deque[tuple[int, int]] = deque()  # (when it was seen, how late that is)
        self._late_us: int | None = None
        self._late_at_us = 0
        self._anew = True
        self._points = _Line()
        self._point: tuple[int, int] | None = None

    def skip(self, samples: int) -> None:
        """``samples`` went by that are known to be missing: what was seen before says nothing about what comes."""
        self._samples += samples
        self._window.clear()
        self._anew = True

    def take(self, samples: int, end_us: int) -> int:
        """``samples`` were taken, the last of them at ``end_us``: how many are missing behind them; normally none.

        A loss that nobody told of is seen two seconds later. It is then counted as if ``skip`` had been called.
        """
        self._samples += samples
        self._window.append((end_us, end_us - self._sound.us(self._samples)))
        while self._window[0][0] < end_us - _WINDOW_US:
            self._window.popleft()
        late_us = min(self._window, key=_LATE)[1]
        if self._late_us is None or self._anew:
            self._late_us, self._late_at_us, self._anew = late_us, end_us, False
        behind_us = late_us - self._late_us
        if behind_us > _LOST_US and self._stays():
            missing = self._sound.samples(behind_us)
            self.skip(missing)
            return missing
        drifted_us = (end_us - self._late_at_us) * _MOST_DRIFT_PPM // 1_000_000
        if behind_us < 0 or drifted_us > 0:
            self._late_us += min(behind_us, drifted_us)
            self._late_at_us = end_us
        self._draw(end_us, late_us)
        return 0

    def _stays(self) -> bool:
        """Whether it has been late for long enough."""
        return len(self._window) >= _FEWEST_LATE and self._window[-1][0] - self._window[0][0] >= _LATE_SPAN_US

    def _draw(self, at_us: int, late_us: int) -> None:
        """Keep the earliest of every ten seconds: their slope is the drift."""
        if self._point is None or at_us - self._point[0] >= _POINT_US:
            if self._point is not None:
                self._points.add(*self._point)
            self._point = at_us, late_us
        else:
            self._point = self._point[0], min(late_us, self._point[1])

    def media_us(self, at_us: int) -> int | None:
        """Where in the recording a moment is, in microseconds from its first sample; ``None`` before there is any."""
        return None if self._late_us is None else at_us - self._late_us

    @property
    def drift_ppm(self) -> float | None:
        """How much faster than the machine's clock the microphone's runs; ``None`` before a minute has shown it."""
        return None if self._points.count < _FEWEST_POINTS else -self._points.slope * 1_000_000


class _Line:
    """Least squares over points as they come; keeps sums only."""

    def __init__(self) -> None:
        self.count = 0
        self._origin = (0, 0)
        self._x = self._y = self._xx = self._xy = 0.0

    def add(self, x: int, y: int) -> None:
        if not self.count:
            self._origin = x, y
        dx, dy = x - self._origin[0], y - self._origin[1]
        self.count += 1
        self._x += dx
        self._y += dy
        self._xx += dx * dx
        self._xy += dx * dy

    @property
    def slope(self) -> float:
        spread = self.count * self._xx - self._x * self._x
        return (self.count * self._xy - self._x * self._y) / spread if spread else 0.0
