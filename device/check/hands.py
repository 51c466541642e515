"""The panel while a check asks for a press: what hands do on it, one thing at a time."""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

from device.clock import Clock
from device.panel import Panel
from device.press import Event, Levels
from device.words import Button

_POLL_US: Final = 50_000


class Hands:
    """Hears the buttons of a panel. One thread starts it and waits; the levels may come from any other."""

    def __init__(self, panel: Panel, clock: Clock) -> None:
        self._panel = panel
        self._clock = clock
        self._levels = Levels()
        self._events: deque[Event] = deque()
        self._condition = threading.Condition()
        self.told: set[Button] = set()  # whose level is known

    def start(self) -> None:
        """Start the panel.

        Raises:
            AdminError: there is no such panel.
        """
        self._panel.start(self._on_level)

    def _on_level(self, button: Button, down: bool, at_us: int) -> None:  # noqa: FBT001  # the contract of OnLevel
        with self._condition:
            self.told.add(button)
            self._events.extend(self._levels.level(button, down=down, at_us=at_us))
            self._condition.notify()

    def next(self, until_us: int) -> Event | None:
        """What hands do next, or ``None`` once the time has come."""
        while True:
            now_us = self._clock.now_us()  # before the look: what hands did until now is told before the time is
            # Not under the lock: a panel may hold one of its own while it tells a level.
            self._panel.poll()
            with self._condition:
                self._events.extend(self._levels.tick(now_us))
                if self._events:
                    return self._events.popleft()
                if now_us >= until_us:
                    return None
                due_us = self._levels.next_deadline_us
                soon_us = min(until_us, now_us + _POLL_US)
                self._clock.wait(self._condition, soon_us if due_us is None else min(soon_us, due_us))
