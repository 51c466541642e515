"""A kernel's GPIO lines as libgpiod hands them out, with fingers on them; the real ones are in the emulated appliance.

Edges are kept with their own times until somebody fetches them, at most ``room`` of them, as the kernel does.
"""

from __future__ import annotations

import os
import threading
import time
from types import SimpleNamespace
from typing import Any

import gpiod
from gpiod.line import Bias, Value

from device.clock import SystemClock
from device.panel_contacts import AskForLines, Contacts
from device.panel_gpio import Pins
from device.words import Button


def contacts(pins: Pins, ask: AskForLines) -> Contacts:
    """The buttons of a panel with such pins."""
    lines = {Button.CONSENT: pins.consent, Button.RECORD: pins.record}
    return Contacts(lines, pull_up=pins.pull_up, clock=SystemClock(), ask=ask)


class FakeLines:
    """One request of lines; physically they are high until a finger connects them to ground, or the other way round."""

    def __init__(self, *, room: int = 512) -> None:
        self.room = room
        self.settings: dict[int, gpiod.LineSettings] = {}
        self.released = False
        self._high: dict[int, bool] = {}
        self._edges: list[Any] = []
        self._lock = threading.Lock()
        self._fd = os.eventfd(0, os.EFD_NONBLOCK)

    def ask(self, settings: dict[int, gpiod.LineSettings]) -> FakeLines:
        self.settings = settings
        for line, one in settings.items():
            self._high.setdefault(line, one.bias is Bias.PULL_UP)
        return self

    def drive(self, line: int, *, high: bool, at_us: int | None = None) -> None:
        """Have the line be so; the moment is now unless another is said, as for what was seen a while ago."""
        with self._lock:
            changed = self._high.get(line) != high
            self._high[line] = high
            if not changed or line not in self.settings or len(self._edges) >= self.room:
                return
            kinds = gpiod.EdgeEvent.Type
            kind = kinds.RISING_EDGE if self._active(line) else kinds.FALLING_EDGE
            when_ns = time.monotonic_ns() if at_us is None else at_us * 1000
            self._edges.append(SimpleNamespace(event_type=kind, timestamp_ns=when_ns, line_offset=line))
            os.eventfd_write(self._fd, 1)

    def _active(self, line: int) -> bool:
        return self._high[line] != self.settings[line].active_low

    # -- as gpiod.LineRequest -----------------------------------------------------------------------------------------

    @property
    def fd(self) -> int:
        return self._fd

    def wait_edge_events(self, timeout: float | None = None) -> bool:
        assert timeout == 0, "nobody may wait while he holds others up"
        with self._lock:
            return bool(self._edges)

    def read_edge_events(self) -> list[Any]:
        with self._lock:
            edges, self._edges = self._edges, []
            os.eventfd_read(self._fd)
            return edges

    def get_values(self) -> list[Value]:
        with self._lock:
            return [Value.ACTIVE if self._active(line) else Value.INACTIVE for line in self.settings]

    def release(self) -> None:
        self.released = True
        os.close(self._fd)
