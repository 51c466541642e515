"""The threads that own the devices: one reads the microphone, one the camera, and neither ever waits for the disk.

Each opens its device when it starts and has closed it when ``closed`` is set, whatever happened in between.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from device.capture.backlog import Backlog
from device.capture.meter import Meter
from device.capture.packets import Camera, Gap, Level, Microphone, Sound, SoundFormat
from device.clock import Clock
from device.errors import CameraError, MicrophoneError

_RETRY_US: Final = 250_000
_GONE: Final = "the microphone was gone"
_MOST_CAMERA_STARTS: Final = 5


@dataclass(frozen=True, slots=True)
class SoundEvents:
    """Whom the microphone's thread tells what; all are called on that thread and must return at once."""

    opened: Callable[[SoundFormat], None]
    failed: Callable[[MicrophoneError], None]
    gone: Callable[[], None]
    back: Callable[[], None]
    overloaded: Callable[[], None]
    level: Callable[[Level], None]
    devices: Callable[[], None]
    died: Callable[[BaseException], None]


class SoundFeed:
    """Reads the microphone into the backlog until it is told to stop; reopens it when it comes back."""

    def __init__(
        self, microphone: Microphone, backlog: Backlog, *, clock: Clock, floor_dbfs: float, events: SoundEvents
    ) -> None:
        self._microphone = microphone
        self._backlog = backlog
        self._clock = clock
        self._floor_dbfs = floor_dbfs
        self._events = events
        self._condition = threading.Condition()
        self._stopping = False
        self._after: threading.Event | None = None
        self._format: SoundFormat | None = None
        self._end_us = 0
        self._away = False
        self._missing = 0  # samples marked as missing since ``_end_us``
        self.meter: Meter | None = None
        self.is_open = False
        self.closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="microphone", daemon=True)

    def start(self, *, after: threading.Event | None) -> None:
        """Open the microphone once ``after`` is set, and read it, in a thread of its own."""
        self._after = after
        self._thread.start()

    def stop(self) -> None:
        """Have the microphone closed at once; ``closed`` tells when it is."""
        with self._condition:
            self._stopping = True
            self._condition.notify()
        self._microphone.interrupt()

    def _run(self) -> None:
        try:
            if self._after is not None:
                self._after.wait()
            if self._open_first():
                while not self._stopping:
                    self._read_until_gone()
                    self._wait_for_return()
        except BaseException as problem:  # noqa: BLE001  # a thread that dies reaches the recorder, and it the lamp
            self._events.died(problem)
        finally:
            self._close()
            self.closed.set()
            self._backlog.close()
            self._events.devices()

    def _open_first(self) -> bool:
        if self._stopping:
            return False
        try:
            self._format = self._open()
        except MicrophoneError as problem:
            self._events.failed(problem)
            return False
        self.meter = Meter(self._format, floor_dbfs=self._floor_dbfs)
        self._backlog.set_format(self._format)
        self._end_us = self._clock.now_us()
        self._events.opened(self._format)
        return True

    def _open(self) -> SoundFormat:
        sound = self._microphone.open()
        self.is_open = True
        self._events.devices()
        return sound

    def _close(self) -> None:
        self._microphone.close()
        self.is_open = False

    def _read_until_gone(self) -> None:
        while not self._stopping:
            try:
                period = self._microphone.read()
            except MicrophoneError:
                return
            self._take(period)

    def _take(self, period: Sound | Gap) -> None:
        if self._away and self._format is not None:
            # Only now it is known when the sound goes on: not when the device was opened, but where this starts.
            self._mark_missing(self._format.samples(period.end_us - self._format.us(period.samples) - self._end_us))
            self._away, self._missing = False, 0
        self._end_us = period.end_us
        if isinstance(period, Gap):
            self._backlog.put_gap(period)
            return
        if self._format is None or self.meter is None:
            return
        level = self.meter.write(period.data, period.samples)
        if not self._backlog.put_sound(period):
            self._events.overloaded()
        self._events.level(level)

    def _wait_for_return(self) -> None:
        """Mark what is missing as it passes, and try to open the same microphone again until it is there."""
        if self._stopping:
            return
        self._away = True
        self._close()
        self._events.devices()
        self._events.gone()
        while not self._stopping:
            self._pass_time()
            if not self._stopping and self._reopened():
                self._events.back()
                return
        self._mark_passed()

    def _pass_time(self) -> None:
        until_us = self._clock.now_us() + _RETRY_US
        with self._condition:
            while not self._stopping and self._clock.now_us() < until_us:
                self._clock.wait(self._condition, until_us)

    def _reopened(self) -> bool:
        self._mark_passed()
        try:
            sound = self._open()
        except MicrophoneError:
            return False
        if sound != self._format:
            # Another microphone, or other settings: one track cannot hold both, and none is to be converted.
            self._close()
            self._events.devices()
            return False
        return True

    def _mark_passed(self) -> None:
        """Mark the gap up to now: the samples that have wholly passed."""
        if self._format is not None:
            self._mark_missing((self._clock.now_us() - self._end_us) * self._format.rate_hz // 1_000_000)

    def _mark_missing(self, since_end: int) -> None:
        """Mark the gap up to ``since_end`` samples from where the sound broke off; so no rounding ever adds up."""
        if self._format is not None and since_end > self._missing:
            samples, self._missing = since_end - self._missing, since_end
            self._backlog.put_gap(Gap(samples, _GONE, self._end_us + self._format.us(since_end)))


@dataclass(frozen=True, slots=True)
class PictureEvents:
    """Whom the camera's thread tells what; all are called on that thread and must return at once."""

    gone: Callable[[], None]
    back: Callable[[], None]
    given_up: Callable[[], None]
    devices: Callable[[], None]
    died: Callable[[BaseException], None]


class PictureFeed:
    """Reads the camera into the backlog; restarts it a few times, then gives the picture up. The sound never waits."""

    def __init__(self, camera: Camera, backlog: Backlog, *, clock: Clock, events: PictureEvents) -> None:
        self._camera = camera
        self._backlog = backlog
        self._clock = clock
        self._events = events
        self._stopping = False
        self._after: Sequence[threading.Event] = ()
        self._giving_up = False
        self.pictures = 0
        self.late_us: int | None = None  # how old the newest picture was when it arrived
        self.is_open = False
        self.closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)

    def start(self, *, after: Sequence[threading.Event] = ()) -> None:
        """Start the camera once all of ``after`` are set, and read it, in a thread of its own."""
        self._after = after
        self._thread.start()

    def stop(self) -> None:
        """Have the camera closed at once, hanging or not; ``closed`` tells when it is."""
        self._stopping = True
        self._camera.kill()

    def give_up(self) -> None:
        """Have the camera closed for good, though the recording goes on; that it is gone is told as ever."""
        self._giving_up = True
        self._camera.kill()

    def _run(self) -> None:
        try:
            for closed in self._after:
                closed.wait()
            for start in range(_MOST_CAMERA_STARTS):
                self._read_until_gone(restarted=start > 0)
                if self._stopping:
                    return
                self._events.gone()
                if self._giving_up:
                    break
            self._events.given_up()
        except BaseException as problem:  # noqa: BLE001  # a thread that dies reaches the recorder, and it the lamp
            self._events.died(problem)
        finally:
            self.closed.set()
            self._events.devices()

    def _read_until_gone(self, *, restarted: bool) -> None:
        if self._stopping or self._giving_up:
            return
        try:
            self._camera.open()
            self.is_open = True
            self._events.devices()
            while not self._stopping and not self._giving_up:
                picture = self._camera.read()
                self.late_us = self._clock.now_us() - picture.at_us
                if restarted:
                    self._events.back()
                    restarted = False
                if self._backlog.put_picture(picture):
                    self.pictures += 1
        except CameraError:
            return
        finally:
            self._camera.close()
            self.is_open = False
            self._events.devices()
