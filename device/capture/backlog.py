"""What waits between the devices and the disk: a bounded queue in which the sound is never let go for the picture.

The bound is what lets a stalled disk cost nothing: a minute of sound (17 MB of 24-bit stereo) and five seconds of
picture. Past it, picture is dropped up to the next key frame, and sound is counted as a gap of exact length.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, replace
from typing import Final

from device.capture.packets import Gap, Picture, Sound, SoundFormat
from device.words import Rung

SOUND_LIMIT_US: Final = 60_000_000
PICTURE_LIMIT_US: Final = 5_000_000
_SLOW_STORAGE: Final = "the storage was too slow"


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A moment to find again (monotonic)."""

    at_us: int


@dataclass(frozen=True, slots=True)
class Step:
    """A step on the ladder, up or down, and why (monotonic)."""

    at_us: int
    rung: Rung
    cause: str


@dataclass(frozen=True, slots=True)
class CameraAway:
    """The camera is gone, or back (monotonic)."""

    at_us: int
    away: bool


Note = Bookmark | Step | CameraAway
Item = Sound | Gap | Picture | Note


class Backlog:
    """Put from the devices' threads, get from the writer's; ``close`` ends it once it is empty."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._condition = threading.Condition(self._lock)
        self._items: deque[Item] = deque()
        self._sound_samples = 0
        self._limit_samples = 0
        self._pictures: deque[int] = deque()
        self._dropping = False
        self._others = 0  # items that are neither sound nor picture
        self._enough_us = self._enough_samples = 0
        self._closed = False
        self.pictures_dropped = 0

    def set_format(self, sound: SoundFormat) -> None:
        """Say what the sound is, before the first of it."""
        self._limit_samples = sound.samples(SOUND_LIMIT_US)

    def put_sound(self, sound: Sound) -> bool:
        """Add sound; ``False`` where it had to be counted as a gap instead."""
        with self._lock:
            if self._sound_samples + sound.samples > self._limit_samples:
                self._put_gap(Gap(sound.samples, _SLOW_STORAGE, sound.end_us))
                return False
            self._sound_samples += sound.samples
            self._items.append(sound)
            self._tell()
            return True

    def put_gap(self, gap: Gap) -> None:
        """Add a gap; it takes no room, whatever its length."""
        with self._lock:
            self._put_gap(gap)

    def _put_gap(self, gap: Gap) -> None:
        last = self._items[-1] if self._items else None
        if isinstance(last, Gap) and last.cause == gap.cause:
            self._items[-1] = replace(gap, samples=last.samples + gap.samples)
        else:
            self._items.append(gap)
            self._others += 1
        self._tell()

    def put_picture(self, picture: Picture) -> bool:
        """Add a picture; ``False`` where it was dropped, as are all that follow it up to the next key frame."""
        with self._lock:
            late = bool(self._pictures) and picture.at_us - self._pictures[0] > PICTURE_LIMIT_US
            self._dropping = late or (self._dropping and not picture.key)
            if self._dropping:
                self.pictures_dropped += 1
                return False
            self._pictures.append(picture.at_us)
            self._items.append(picture)
            self._tell()
            return True

    def put_note(self, note: Note) -> None:
        """Add something to be written down in its place."""
        with self._lock:
            self._items.append(note)
            self._others += 1
            self._tell()

    @property
    def sound_waiting_us(self) -> int:
        """How much sound waits."""
        with self._lock:
            return self._sound_samples * SOUND_LIMIT_US // max(1, self._limit_samples)

    @property
    def picture_waiting_us(self) -> int:
        """How much picture waits."""
        with self._lock:
            return self._pictures[-1] - self._pictures[0] if self._pictures else 0

    def close(self) -> None:
        """Nothing more will be put."""
        with self._lock:
            self._closed = True
            self._condition.notify_all()

    def wait(self, enough_us: int) -> int:
        """Wait until so much sound or picture is there, or something else is; how many items are. 0: it has ended.

        Every time that the writer wakes costs as much as encoding some tenths of a second.
        """
        with self._lock:
            self._enough_us = enough_us
            self._enough_samples = enough_us * self._limit_samples // SOUND_LIMIT_US
            while not self._closed and not self._is_enough():
                self._condition.wait()
            self._enough_us = self._enough_samples = 0
            return len(self._items)

    def _is_enough(self) -> bool:
        if not self._items:
            return False
        if self._others or self._sound_samples >= self._enough_samples:
            return True
        return bool(self._pictures) and self._pictures[-1] - self._pictures[0] >= self._enough_us

    def _tell(self) -> None:
        if self._is_enough():
            self._condition.notify()

    def get(self) -> Item | None:
        """The next item, when there is one; ``None`` once the backlog is closed and empty."""
        with self._lock:
            while not self._items and not self._closed:
                self._condition.wait()
            if not self._items:
                return None
            item = self._items.popleft()
            if isinstance(item, Sound):
                self._sound_samples -= item.samples
            elif isinstance(item, Picture):
                self._pictures.popleft()
            else:
                self._others -= 1
            return item
