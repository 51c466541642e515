"""A microphone and a camera that are programs; they keep the contract of the real ones (``device.capture.packets``)."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final

from device.capture.camera import MOST_BITS_PER_S, ChildCamera
from device.capture.packets import PERIOD_US, Gap, Picture, Sound, SoundFormat
from device.capture.wav import Wav, read_wav
from device.clock import Clock
from device.errors import CameraError, MicrophoneError

# How far ahead of the slowest camera a rehearsal's time may run; a period or two of sound.
_CAMERA_SLACK_US: Final = 500_000
_GONE_HINT: Final = "plug the microphone in again; the recording goes on and marks what is missing"


class SimulatedMicrophone:
    """Plays a WAV in real time, from its start at the first ``open``; the room goes on while it is unplugged."""

    def __init__(self, wav: Path, *, clock: Clock, loop: bool) -> None:
        self._path = wav
        self._clock = clock
        self._loop = loop
        self._plugged = True
        self._condition = threading.Condition()
        self._wav: Wav | None = None
        self._file: IO[bytes] | None = None
        self._room_start_us: int | None = None
        self._next = 0  # the next sample, counted from the room's start
        self._period = 0  # samples
        self._interrupted = False

    @property
    def name(self) -> str:
        return f"simulated: {self._path.name}"

    @property
    def stands_in(self) -> bool:
        return False

    def unplug(self) -> None:
        """Pull the plug: ``read`` and ``open`` fail from now on."""
        self._plugged = False

    def plug(self) -> None:
        """Put the plug in again."""
        self._plugged = True

    def open(self) -> SoundFormat:
        if not self._plugged:
            raise MicrophoneError("the microphone is unplugged", _GONE_HINT)
        wav = read_wav(self._path)
        now_us = self._clock.now_us()
        if self._room_start_us is None:
            self._room_start_us = now_us
        self._next = wav.sound.samples(now_us - self._room_start_us)
        if not self._loop and self._next >= wav.samples:
            raise MicrophoneError("the WAV has ended", _GONE_HINT)
        self._wav, self._file = wav, self._path.open("rb")
        self._period = wav.sound.samples(PERIOD_US)
        self._interrupted = False
        return wav.sound

    def read(self) -> Sound | Gap:
        wav, file = self._wav, self._file
        if wav is None or file is None or not self._plugged:
            raise MicrophoneError("the microphone is unplugged", _GONE_HINT)
        if self._interrupted:
            raise MicrophoneError("the microphone was let go", _GONE_HINT)
        at = self._next % wav.samples
        if self._next >= wav.samples and not self._loop:
            raise MicrophoneError("the WAV has ended", _GONE_HINT)
        count, end_us = self._wait_for(min(self._period, wav.samples - at), wav.sound)
        frame_bytes = wav.sound.frame_bytes
        data = os.pread(file.fileno(), count * frame_bytes, wav.offset + at * frame_bytes)
        if len(data) < count * frame_bytes:
            raise MicrophoneError("the WAV was cut short while it played", _GONE_HINT)
        self._next += count
        return Sound(data, count, end_us)

    def _wait_for(self, count: int, sound: SoundFormat) -> tuple[int, int]:
        """Wait until ``count`` samples have passed, or for ``interrupt``: how many have, and when the last one had."""
        start_us = self._room_start_us or 0
        end_us = start_us + sound.us(self._next + count)
        with self._condition:
            while not self._interrupted and self._clock.now_us() < end_us:
                self._clock.wait(self._condition, end_us)
        if not self._interrupted:
            return count, end_us
        passed = (self._clock.now_us() - start_us) * sound.rate_hz // 1_000_000 - self._next
        if passed <= 0:
            raise MicrophoneError("the microphone was let go", _GONE_HINT)
        count = min(count, passed)
        return count, start_us + sound.us(self._next + count)

    def interrupt(self) -> None:
        with self._condition:
            self._interrupted = True
            self._condition.notify()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._wav = self._file = None


class SimulatedCamera(ChildCamera):
    """A clock that is drawn and encoded by a program of its own; its pictures come when their time has come."""

    def __init__(
        self,
        *,
        size: tuple[int, int],
        fps: int,
        clock: Clock,
        command: Callable[[int], list[str]],
        bitrate: int = MOST_BITS_PER_S,
    ) -> None:
        """``command`` makes the child's command line from the monotonic microsecond of its first picture."""
        super().__init__(name="simulated: clock", size=size, command=lambda: command(clock.now_us()), bitrate=bitrate)
        self._period_us = 1_000_000 // fps
        self._clock = clock
        self._condition = threading.Condition()
        self._killed = False

    def open(self) -> None:
        self._killed = False
        self._clock.keep_pace("camera", self._clock.now_us() + _CAMERA_SLACK_US)
        super().open()

    def read(self) -> Picture:
        picture = super().read()
        self._clock.keep_pace("camera", picture.at_us + self._period_us + _CAMERA_SLACK_US)
        with self._condition:
            while not self._killed and self._clock.now_us() < picture.at_us:
                self._clock.wait(self._condition, picture.at_us)
        if self._killed:
            raise CameraError("the camera was let go", "the sound goes on without it")
        return picture

    def kill(self) -> None:
        super().kill()
        with self._condition:
            self._killed = True
            self._condition.notify_all()

    def close(self) -> None:
        self._clock.keep_pace("camera", None)
        super().close()
