"""A box in real time: a real microphone through ALSA, a simulated panel and camera, and a record of when what happened.

What it measures is the software's share. A panel of real buttons adds nothing that shows here: its edges reach the same
``press`` with the time at which they were.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from device.age.identities import KeyIdentity, generate_identity
from device.capture.packets import Camera, Gap, Microphone, Picture, Sound, SoundFormat
from device.clock import SystemClock
from device.compose import Parts, service_of
from device.compose_camera import clock_camera
from device.config import SessionSection
from device.panel_simulated import SimulatedPanel
from device.roster import the_same_for_all
from device.status import Status
from device.store import Store
from device.words import Button, Rung
from tests.support import PATIENCE_S, Log, Watcher, store_at


class WatchedMicrophone:
    """Hands everything on to a microphone, and writes down when."""

    def __init__(self, inner: Microphone, log: Log) -> None:
        self._inner = inner
        self._log = log
        self._format: SoundFormat | None = None
        self._waiting = False
        self.first_sample_s = 0.0  # when the first sample after the last ``open`` was taken, as the microphone dates it

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def stands_in(self) -> bool:
        return self._inner.stands_in

    def open(self) -> SoundFormat:
        self._format = self._inner.open()
        self._waiting = True
        self._log.add("microphone open")
        return self._format

    def read(self) -> Sound | Gap:
        period = self._inner.read()
        if self._waiting and self._format is not None:
            self._waiting = False
            self.first_sample_s = (period.end_us - self._format.us(period.samples)) / 1e6
            self._log.add("sound in hand")
        return period

    def interrupt(self) -> None:
        self._inner.interrupt()

    def close(self) -> None:
        self._inner.close()
        if self._format is not None:
            self._format = None
            self._log.add("microphone closed")


class WatchedCamera:
    """Hands everything on to a camera, and writes down when."""

    def __init__(self, inner: Camera, log: Log) -> None:
        self._inner = inner
        self._log = log
        self._waiting = False

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def size(self) -> tuple[int, int]:
        return self._inner.size

    @property
    def bitrate(self) -> int:
        return self._inner.bitrate

    def open(self) -> None:
        self._inner.open()
        self._waiting = True

    def read(self) -> Picture:
        picture = self._inner.read()
        if self._waiting:
            self._waiting = False
            self._log.add("picture in hand")
        return picture

    def step(self, rung: Rung) -> None:
        self._inner.step(rung)

    def kill(self) -> None:
        self._inner.kill()

    def close(self) -> None:
        self._inner.close()
        self._log.add("camera closed")


class LiveBox:
    """A box that runs in real time."""

    def __init__(self, microphone: Microphone, store: Store) -> None:
        clock = SystemClock()
        self.log, self.watcher = Log(), Watcher()
        self.store = store
        self.identity: KeyIdentity = generate_identity(post_quantum=False)
        self.panel = SimulatedPanel(clock=clock, run=None)
        self.microphone = WatchedMicrophone(microphone, self.log)
        camera = WatchedCamera(clock_camera((320, 180), 15, clock=clock), self.log)
        self.service = service_of(
            Parts(clock, self.panel, self.microphone, camera, ("camera", "panel")),
            box="Room 1",
            store=store,
            recipients=the_same_for_all([self.identity.recipient()]),
            session=SessionSection(max_length_min=1),
            standing=(),
            publish=self.watcher.publish,
        )

    def until(self, holds: Callable[[Status], object]) -> Status:
        """The newest status as soon as it holds."""
        return self.watcher.until(holds, after=0)

    def until_state(self, state: str) -> Status:
        return self.until(lambda status: status.state == state)

    def until_logged(self, event: str, *, times: int) -> float:
        """When something happened for that time, once it has (monotonic seconds)."""
        until_s = time.monotonic() + PATIENCE_S
        while self.log.count(event) < times:
            assert time.monotonic() < until_s, f"never: {event}"
            time.sleep(0.002)
        return self.log.last_s(event)

    def press(self, button: Button) -> float:
        """A short press as a person makes it; when the finger came down (monotonic seconds)."""
        down_s = time.monotonic()
        self.panel.finger(button, down=True)
        time.sleep(0.1)
        self.panel.finger(button, down=False)
        time.sleep(0.1)
        return down_s


@contextmanager
def live_box(microphone: Microphone, folder: Path) -> Iterator[LiveBox]:
    """A box that runs until the block is left; what it records is sealed then."""
    box = LiveBox(microphone, store_at(folder / "store"))
    thread = threading.Thread(target=box.service.run, name="service")
    thread.start()
    try:
        box.until_state("idle")
        time.sleep(0.2)  # buttons that are down any earlier count as stuck
        yield box
    finally:
        box.service.stop()
        thread.join()
