"""A camera's program that sees a lamp: it flashes at known monotonic times. Also a microphone that ticks at known ones.

python -m tests.check.flashes 320x180 25 <first picture, us> <shift of the pictures' times, us> <flash, us>,…
"""

from __future__ import annotations

import math
import sys
import threading
from array import array
from collections.abc import Callable, Iterator, Sequence

from av.video.frame import VideoFrame

from device.capture.camera import write_picture
from device.capture.packets import Picture, Sound, SoundFormat, Wire
from device.capture.picture import H264Encoder
from device.clock import Clock

SOUND = SoundFormat(48_000, 1, Wire.S16_LE)
FLASH_US = 120_000
PERIOD = 4800


def flashing(
    size: tuple[int, int], fps: int, start_us: int, shift_us: int, flashes_us: Sequence[int]
) -> Iterator[Picture]:
    """Pictures without end, each exposed in an instant; a time is told ``shift_us`` later than it was."""
    encoder, number = H264Encoder(*size, fps), 0
    dark, lit = (_room(size, lit=lit) for lit in (False, True))
    while True:
        at_us = start_us + number * 1_000_000 // fps
        seen = any(flash_us <= at_us < flash_us + FLASH_US for flash_us in flashes_us)
        frame = VideoFrame(*size, "yuv420p")
        frame.planes[0].update((lit if seen else dark) * (frame.planes[0].buffer_size // len(dark)))
        for plane in frame.planes[1:]:
            plane.update(bytes([128]) * plane.buffer_size)
        yield from encoder.encode(frame, at_us + shift_us)
        number += 1


def _room(size: tuple[int, int], *, lit: bool) -> bytes:
    """One picture: a gray room, with a lamp in a ninth of it."""
    width, height = size
    row = bytearray([60]) * width
    lamp = bytearray(row)
    if lit:
        lamp[width // 3 : 2 * width // 3] = bytearray([230]) * (2 * width // 3 - width // 3)
    return b"".join(bytes(lamp if height // 3 <= y < 2 * height // 3 else row) for y in range(height))


def ticking(ticks_us: Sequence[int], start_us: int) -> Iterator[Sound]:
    """Sound without end: a quiet room, and a click of 5 ms at each of those times."""
    number = 0
    while True:
        samples = array("h", [(n * 7919 % 9) - 4 for n in range(PERIOD)])
        first = number * PERIOD
        for tick_us in ticks_us:
            at = SOUND.samples(tick_us - start_us)
            for n in range(max(at, first), min(at + 240, first + PERIOD)):
                samples[n - first] = round(9000 * math.cos((n - at) * 0.4) * math.exp(-(n - at) / 60))
        number += 1
        yield Sound(samples.tobytes(), PERIOD, start_us + SOUND.us(number * PERIOD))


class TickingMicrophone:
    """Keeps the contract of ``Microphone``; it ticks at known times of the clock."""

    def __init__(self, ticks_us: Sequence[int], clock: Clock, opened: Callable[[], None] = lambda: None) -> None:
        self._ticks_us = ticks_us
        self._clock = clock
        self._opened = opened
        self._condition = threading.Condition()
        self._periods: Iterator[Sound] = iter(())

    @property
    def name(self) -> str:
        return "ticking"

    def open(self) -> SoundFormat:
        self._opened()
        self._periods = ticking(self._ticks_us, self._clock.now_us())
        return SOUND

    def read(self) -> Sound:
        period = next(self._periods)
        with self._condition:
            while self._clock.now_us() < period.end_us:
                self._clock.wait(self._condition, period.end_us)
        return period

    def close(self) -> None:
        """Nothing is held."""


def main(arguments: Sequence[str]) -> None:
    """The camera's program."""
    size, fps, start_us, shift_us, flashes = arguments
    width, height = map(int, size.split("x"))
    flashes_us = [int(flash) for flash in flashes.split(",")]
    for picture in flashing((width, height), int(fps), int(start_us), int(shift_us), flashes_us):
        write_picture(sys.stdout.buffer, picture)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except BrokenPipeError:
        sys.stdout = None  # type: ignore[assignment]
