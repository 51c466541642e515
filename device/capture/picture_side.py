"""The picture of one recording: its camera, and where that stands on the ladder. Nothing here knows of the sound."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from device.capture.backlog import Backlog, CameraAway, Step
from device.capture.feeds import PictureEvents, PictureFeed
from device.capture.ladder import Ladder, Readings
from device.capture.needs import Surroundings
from device.capture.packets import Camera
from device.clock import Clock
from device.words import Rung

_EVERY_US: Final = 1_000_000
_NO_CAMERA: Final = "the camera could not be started again"


@dataclass(frozen=True, slots=True)
class SideEvents:
    """Whom it tells what, on whatever thread; all must return at once."""

    gone: Callable[[], None]
    back: Callable[[], None]
    devices: Callable[[], None]
    died: Callable[[BaseException], None]


class PictureSide:
    """Takes pictures as long as the box can afford them.

    ``start`` comes once at most, from any thread; ``stop`` may come from any, at any time; ``watch`` from one alone.
    """

    def __init__(
        self,
        camera: Camera,
        backlog: Backlog,
        *,
        clock: Clock,
        surroundings: Callable[[], Surroundings],
        events: SideEvents,
    ) -> None:
        self._camera = camera
        self._backlog = backlog
        self._clock = clock
        self._surroundings = surroundings
        self._events = events
        self._ladder = Ladder()
        self._started_us = 0
        self._next_us = 0
        self._lock = threading.Lock()
        self._started = False
        self._given_up = False
        self._feed = PictureFeed(
            camera,
            backlog,
            clock=clock,
            events=PictureEvents(
                gone=self._on_gone,
                back=self._on_back,
                given_up=lambda: self._give_up(_NO_CAMERA),
                devices=events.devices,
                died=events.died,
            ),
        )

    @property
    def is_open(self) -> bool:
        """Whether the camera is open at this moment."""
        return self._feed.is_open

    @property
    def holds_device(self) -> bool:
        """Whether the camera is open, or being opened or closed."""
        return self._started and not self._feed.closed.is_set()

    @property
    def closed(self) -> threading.Event | None:
        """Set once the camera will never be held again; ``None`` if it never was."""
        return self._feed.closed if self._started else None

    @property
    def pictures(self) -> int:
        """Pictures taken so far."""
        return self._feed.pictures

    def start(self, *, after: Sequence[threading.Event] = ()) -> None:
        """Open the camera on the rung that the box can afford now; where it can afford none, it is never opened.

        ``after``: what has to be set first, because others may hold the camera until then.
        """
        now_us = self._clock.now_us()
        self._started_us = now_us
        self._ladder = Ladder().step(self._readings(now_us), now_us)
        self._camera.step(self._ladder.rung)
        if self._ladder.rung is Rung.NO_PICTURE:
            self._events.gone()
            self._give_up(self._ladder.cause)
            return
        if self._ladder.rung is not Rung.WHOLE:
            self._note(self._ladder.rung, self._ladder.cause)
        self._next_us = now_us + _EVERY_US
        self._started = True
        self._feed.start(after=after)

    def stop(self) -> None:
        """Have the camera closed at once."""
        self._feed.stop()

    def watch(self, now_us: int) -> None:
        """Look whether the box can still afford it; to be called a few times a second."""
        if not self._started or self._given_up or now_us < self._next_us:
            return
        self._next_us = now_us + _EVERY_US
        before, self._ladder = self._ladder.rung, self._ladder.step(self._readings(now_us), now_us)
        if self._ladder.rung is before:
            return
        if self._ladder.rung is Rung.NO_PICTURE:
            self._give_up(self._ladder.cause)
            self._feed.give_up()
            return
        self._camera.step(self._ladder.rung)
        self._note(self._ladder.rung, self._ladder.cause)

    def _readings(self, now_us: int) -> Readings:
        around = self._surroundings().readings(elapsed_us=now_us - self._started_us, bitrate=self._camera.bitrate)
        late_us = self._feed.late_us
        return replace(
            around,
            picture_late_s=None if late_us is None else late_us / 1_000_000,
            picture_waiting_s=self._backlog.picture_waiting_us / 1_000_000,
            sound_waiting_s=self._backlog.sound_waiting_us / 1_000_000,
        )

    def _on_gone(self) -> None:
        self._backlog.put_note(CameraAway(self._clock.now_us(), away=True))
        self._events.gone()

    def _on_back(self) -> None:
        self._backlog.put_note(CameraAway(self._clock.now_us(), away=False))
        self._events.back()

    def _give_up(self, cause: str) -> None:
        """Note that there is no picture from here on: the first cause counts, whichever thread has it."""
        with self._lock:
            if self._given_up:
                return
            self._given_up = True
        self._note(Rung.NO_PICTURE, cause)

    def _note(self, rung: Rung, cause: str) -> None:
        self._backlog.put_note(Step(self._clock.now_us(), rung, cause))
