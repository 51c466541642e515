"""The panel: two buttons, the room light, two lamps and the sounder. What they mean is not decided here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from device.panel_language import Face
from device.session_events import Tone
from device.words import Button

OnLevel = Callable[[Button, bool, int], None]
"""Told of every change of a button's raw level: which, whether it is down, and the monotonic microsecond."""


class Buttons(Protocol):
    """The two buttons of a panel alone. ``on_level`` may be called from any thread."""

    def start(self, on_level: OnLevel) -> None:
        """Tell both levels as they are now, then every change, bounces and all, with its own time.

        Raises:
            OSError: there are no such buttons, or somebody else has them.
        """

    def poll(self) -> None:
        """Have told, once this returns, every change until it was called; one that got lost is then late, not lost."""

    def close(self) -> None:
        """Nothing is told any more. Harmless when it is not started; never raises."""


class Panel(Protocol):
    """Raw levels in, light and sound out. One thread owns it; ``on_level`` may be called from any other."""

    def start(self, on_level: OnLevel) -> None:
        """Tell the level of each button as it is now, then every change of it, bounces and all.

        Raises:
            AdminError: there is no such panel.
        """

    def poll(self) -> None:
        """Have told, once this returns, every change until it was called; one that got lost is then late, not lost."""

    def show(self, face: Face) -> None:
        """Look like this from now on. Cheap when nothing changes."""

    def sound(self, tone: Tone) -> None:
        """Let the sounder say this; returns at once, and what was being said before is cut short."""

    def close(self) -> None:
        """Everything dark and silent. Harmless when it is not started; never raises."""
