"""The two buttons as the kernel tells of them: every edge, with the moment at which the kernel saw it.

By libgpiod and not by gpiozero: what gpiozero reaches a Raspberry Pi's lines with (lgpio) looks at them 2 000 times a
second, day and night, and gpiozero takes an edge for none when it is of the same kind as the last one that it was told,
so that after one lost edge a whole press is lost. Here a thread sleeps until the kernel has something to tell.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, cast

from device.clock import Clock
from device.errors import MissingPackageError
from device.panel import OnLevel
from device.words import Button

try:
    import gpiod
    from gpiod.line import Bias, Direction, Edge, Value
except ImportError as problem:
    raise MissingPackageError(
        "the package for the GPIO lines' edges is not installed",
        "install it: pip install 'sotto[pi]', or apt install python3-libgpiod",
    ) from problem

# Contacts chatter for some milliseconds, and the kernel keeps what nobody has fetched yet: far more than hands can do.
_EDGES_KEPT: Final = 512


class Lines(Protocol):
    """Lines that were asked for: ``gpiod.LineRequest``, as far as it is used here. Not safe for two threads at once."""

    @property
    def fd(self) -> int: ...

    def wait_edge_events(self, timeout: float | None = None) -> bool: ...

    def read_edge_events(self) -> list[gpiod.EdgeEvent]: ...

    def get_values(self) -> list[Value]: ...

    def release(self) -> None: ...


AskForLines = Callable[[dict[int, gpiod.LineSettings]], Lines]
"""Ask the kernel for lines, each with how it is to be; raises ``OSError``."""


def kernel_lines(chip: int) -> AskForLines:
    """Lines of ``/dev/gpiochipN``, as the kernel has them."""

    def ask(settings: dict[int, gpiod.LineSettings]) -> Lines:
        # Its own words for a line are a number, a name, or several of either: a dict of numbers alone is none of them.
        config = cast("dict[Any, gpiod.LineSettings | None]", settings)
        path = f"/dev/gpiochip{chip}"
        return cast("Lines", gpiod.request_lines(path, config, consumer="sotto", event_buffer_size=_EDGES_KEPT))

    return ask


class Contacts:
    """Tells the level of both buttons, and each edge in order with its own time, however late it is heard here."""

    def __init__(self, lines: Mapping[Button, int], *, pull_up: bool, clock: Clock, ask: AskForLines) -> None:
        """Opens nothing. A pressed button connects its line to ground where ``pull_up``, else to the supply."""
        self._buttons = {line: button for button, line in lines.items()}
        bias = Bias.PULL_UP if pull_up else Bias.PULL_DOWN
        self._settings = gpiod.LineSettings(
            direction=Direction.INPUT, edge_detection=Edge.BOTH, bias=bias, active_low=pull_up
        )
        self._clock = clock
        self._ask = ask
        self._lines: Lines | None = None
        self._told: dict[Button, bool] = {}
        self._on_level: OnLevel | None = None
        self._telling = threading.Lock()
        self._thread: threading.Thread | None = None
        self._woken = -1

    def start(self, on_level: OnLevel) -> None:
        """Tell both levels as they are, then every change, from a thread of its own.

        Raises:
            OSError: there are no such lines, or somebody else has them.
        """
        lines = self._lines = self._ask(dict.fromkeys(self._buttons, self._settings))
        self._on_level = on_level
        self._woken = os.eventfd(0)
        self.poll()
        self._thread = threading.Thread(target=self._run, args=(lines.fd,), name="contacts", daemon=True)
        self._thread.start()

    def poll(self) -> None:
        """Have told, once this returns, all that happened until it was called."""
        with self._telling:
            if self._lines is None:
                return
            while self._lines.wait_edge_events(0):
                for edge in self._lines.read_edge_events():
                    down = edge.event_type is gpiod.EdgeEvent.Type.RISING_EDGE
                    self._tell(self._buttons[edge.line_offset], down, edge.timestamp_ns // 1000)
            # What the kernel had no room for is late then, and not lost.
            now_us = self._clock.now_us()
            for button, value in zip(self._buttons.values(), self._lines.get_values(), strict=True):
                self._tell(button, value is Value.ACTIVE, now_us)

    def close(self) -> None:
        """Nothing is told any more. Harmless when it is not started."""
        with self._telling:
            lines, self._lines = self._lines, None
        if self._thread is not None:
            os.eventfd_write(self._woken, 1)
            self._thread.join()
            self._thread = None
        if lines is not None:
            lines.release()
            os.close(self._woken)
        self._told = {}

    def _tell(self, button: Button, down: bool, at_us: int) -> None:  # noqa: FBT001  # the contract of OnLevel
        if self._told.get(button) != down and self._on_level is not None:
            self._told[button] = down
            self._on_level(button, down, at_us)

    def _run(self, fd: int) -> None:
        waiting = select.poll()
        for one in (fd, self._woken):
            waiting.register(one, select.POLLIN)
        while self._lines is not None:
            waiting.poll()
            self.poll()
