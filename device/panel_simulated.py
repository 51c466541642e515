"""A panel that is drawn on the page: its buttons are pressed through a local socket, or by a program."""

from __future__ import annotations

from pathlib import Path

from device.clock import Clock
from device.datagrams import DatagramServer
from device.panel import OnLevel
from device.panel_language import Face
from device.room import ROOM_NAME, parse_finger
from device.session_events import Tone
from device.words import Button


class SimulatedPanel:
    """Keeps the contract of ``Panel``; what it shows stands in the published status like that of a real one."""

    def __init__(self, *, clock: Clock, run: Path | None) -> None:
        """``run``: where its socket is made; ``None`` for a panel that only a program presses."""
        self._clock = clock
        self._run = run
        self._on_level: OnLevel | None = None
        self._server: DatagramServer | None = None
        self.face: Face | None = None
        self.tones: list[Tone] = []

    def start(self, on_level: OnLevel) -> None:
        self._on_level = on_level
        now_us = self._clock.now_us()
        for button in Button:
            on_level(button, False, now_us)  # noqa: FBT003  # the contract of OnLevel
        if self._run is not None:
            self._server = DatagramServer(self._run / ROOM_NAME, self._on_datagram)

    def poll(self) -> None:
        """Nothing gets lost here."""

    def finger(self, button: Button, *, down: bool) -> None:
        """Put a finger on a button, or take it off."""
        if self._on_level is not None:
            self._on_level(button, down, self._clock.now_us())

    def _on_datagram(self, data: bytes) -> None:
        if (finger := parse_finger(data)) is not None:
            self.finger(finger.button, down=finger.down)

    def show(self, face: Face) -> None:
        self.face = face

    def sound(self, tone: Tone) -> None:
        self.tones.append(tone)

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self._server = self._on_level = None
