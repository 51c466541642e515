"""A framing check: the camera is looked through, and what it sees is kept nowhere.

Only the latest still is known, in the memory of this process, and only until the check is over or the still is two
seconds old. There is no way from here to the store, to the microphone or to a file.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from device.capture.packets import Camera, Picture
from device.clock import Clock
from device.errors import what_of
from device.session_events import FramingLost
from device.stills import STALE_AFTER_MS, Still


class Framing:
    """One framing check, from the hold of RECORD to the moment at which the camera is closed again.

    ``start`` and ``stop`` are called from the service's thread; everything else from any.
    """

    def __init__(
        self,
        ordinal: int,
        camera: Camera,
        *,
        clock: Clock,
        report: Callable[[FramingLost], None],
        changed: Callable[[], None],
    ) -> None:
        """``camera`` sends JPEG. ``report`` and ``changed`` (the camera was opened or closed) come from its thread."""
        self.ordinal = ordinal
        self._camera = camera
        self._clock = clock
        self._report = report
        self._changed = changed
        self._after: Sequence[threading.Event] = ()
        self._stopping = False
        self._latest: Picture | None = None
        self._keeping = threading.Lock()
        self.is_open = False
        self.closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="framing", daemon=True)

    def start(self, *, after: Sequence[threading.Event]) -> None:
        """Open the camera once all of ``after`` are set: only one program can have it."""
        self._after = after
        self._thread.start()

    def stop(self) -> None:
        """Have the camera closed at once, hanging or not, and forget what it saw. ``closed`` tells when it is."""
        with self._keeping:
            self._stopping = True
            self._latest = None
        self._camera.kill()

    def still(self, now_us: int) -> Still | None:
        """The latest still, while the check lasts and the still is fresh."""
        picture = self._latest
        if picture is None:
            return None
        age_ms = max(0, now_us - picture.at_us) // 1000
        return Still(picture.data, age_ms) if age_ms < STALE_AFTER_MS else None

    def _run(self) -> None:
        lost = "the camera's program has ended"
        try:
            for closed in self._after:
                closed.wait()
            self._look()
        except BaseException as problem:  # noqa: BLE001  # a thread that dies reaches the session, and it the lamp
            lost = what_of(problem)
        finally:
            self._camera.close()
            self.is_open = False
            with self._keeping:
                self._latest = None
            self.closed.set()
            self._changed()
            if not self._stopping:
                self._report(FramingLost(self.ordinal, self._clock.now_us(), lost))

    def _look(self) -> None:
        if self._stopping:
            return
        self._camera.open()
        self.is_open = True
        self._changed()
        while not self._stopping:
            picture = self._camera.read()
            with self._keeping:
                self._latest = None if self._stopping else picture
