"""A device that is read for a while, in a thread of its own, and closed whatever happens."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from device.errors import RoomError

Opened_co = TypeVar("Opened_co", covariant=True)
Item_co = TypeVar("Item_co", covariant=True)
Opened = TypeVar("Opened")
Item = TypeVar("Item")


class Source(Protocol[Opened_co, Item_co]):
    """What a microphone and a camera have in common."""

    def open(self) -> Opened_co:
        """As ``Microphone.open`` or ``Camera.open``."""

    def read(self) -> Item_co:
        """As ``Microphone.read`` or ``Camera.read``."""

    def close(self) -> None:
        """As ``Microphone.close`` or ``Camera.close``."""


class Reading(Generic[Opened, Item]):
    """Opens a device when it starts, hands on what it delivers, and has closed it when ``wait`` returns."""

    def __init__(
        self, source: Source[Opened, Item], *, opened: Callable[[Opened], None], take: Callable[[Item], None]
    ) -> None:
        """``opened`` and ``take`` are called on the thread that reads."""
        self._source = source
        self._opened = opened
        self._take = take
        self._stopping = False
        self._died: BaseException | None = None
        self.problem: RoomError | None = None
        self._thread = threading.Thread(target=self._run, name="reading", daemon=True)

    def start(self) -> None:
        """Open the device and read it."""
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """Whether the device is closed again."""
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Have the device closed within a period."""
        self._stopping = True

    def wait(self) -> None:
        """Wait until the device is closed."""
        self._thread.join()

    def tell(self) -> None:
        """What should never have happened to the thread happens here, too."""
        if self._died is not None:
            raise self._died

    def _run(self) -> None:
        try:
            self._opened(self._source.open())
            while not self._stopping:
                self._take(self._source.read())
        except RoomError as problem:
            if not self._stopping:
                self.problem = problem
        except BaseException as problem:  # noqa: BLE001  # a thread that dies reaches whoever started it
            self._died = problem
        finally:
            self._source.close()
