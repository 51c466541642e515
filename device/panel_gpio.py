"""The real panel: two buttons, the room light, two three-coloured lamps and a sounder on GPIO lines, through gpiozero.

The debounce and hold of gpiozero are not used (``device.press`` decides), and its factory is handed in: there is no
falling back from one to another. One thread keeps the lamps' rhythm and the sounder's notes; the room light is not left
to it, and is lit before ``show`` returns.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from device.clock import Clock
from device.errors import AdminError, MissingPackageError
from device.panel import OnLevel
from device.panel_language import Colour, Face, Lamp, Note, Pattern, notes
from device.session_events import Tone
from device.words import Button

try:
    from gpiozero import PWMLED, RGBLED, BadPinFactory, DigitalInputDevice, GPIOZeroError, TonalBuzzer
    from gpiozero.pins import Factory
    from gpiozero.tones import Tone as Pitch
except ImportError as problem:
    raise MissingPackageError(
        "the GPIO package is not installed", "install it: pip install 'sotto[pi]', or apt install python3-gpiozero"
    ) from problem

_HINT: Final = "check the wiring against docs/hardware.md and the pins in the configuration's [panel]"
_DIM: Final = 0.06
_RGB: Final = {
    Colour.NONE: (0.0, 0.0, 0.0),
    Colour.WHITE: (1.0, 1.0, 1.0),
    Colour.BLUE: (0.0, 0.0, 1.0),
    Colour.YELLOW: (1.0, 0.7, 0.0),
}
_DARK: Final = _RGB[Colour.NONE]


@dataclass(frozen=True, slots=True)
class Pins:
    """GPIO lines by their BCM numbers; a lamp's are red, green, blue. Buttons close to ground when ``pull_up``."""

    consent: int
    record: int
    room_light: int
    consent_lamp: tuple[int, int, int]
    record_lamp: tuple[int, int, int]
    sounder: int
    pull_up: bool = True
    lamps_active_high: bool = True


def lgpio_factory(chip: int) -> Factory:
    """The factory for the kernel's GPIO character device.

    Raises:
        AdminError: there is no such device, or lgpio is not installed.
    """
    try:
        from gpiozero.pins.lgpio import LGPIOFactory  # noqa: PLC0415  # loads a library that only a box has

        return LGPIOFactory(chip=chip)
    except (ImportError, BadPinFactory, GPIOZeroError, OSError) as problem:
        raise AdminError(f"the GPIO lines cannot be used: {problem}", _HINT) from problem


class GpioPanel:
    """Keeps the contract of ``Panel`` on real lines."""

    def __init__(self, pins: Pins, *, clock: Clock, factory: Callable[[], Factory]) -> None:
        """Opens nothing; ``factory`` is called by ``start``."""
        self._pins = pins
        self._clock = clock
        self._make_factory = factory
        self._factory: Factory | None = None
        self._buttons: dict[Button, DigitalInputDevice] = {}
        self._told: dict[Button, bool] = {}
        self._on_level: OnLevel | None = None
        self._lights: _Lights | None = None
        self._telling = threading.Lock()

    def start(self, on_level: OnLevel) -> None:
        self._on_level = on_level
        try:
            factory = self._factory = self._make_factory()
            lines = {Button.CONSENT: self._pins.consent, Button.RECORD: self._pins.record}
            for button, line in lines.items():
                self._buttons[button] = DigitalInputDevice(line, pull_up=self._pins.pull_up, pin_factory=factory)
            self._lights = _Lights(self._pins, factory, self._clock)
        except (GPIOZeroError, OSError) as problem:
            self.close()
            raise AdminError(f"the panel cannot be used: {problem}", _HINT) from problem
        for device in self._buttons.values():
            device.when_activated = device.when_deactivated = self.poll
        self.poll()

    def poll(self) -> None:
        # Called on every edge, and by the service now and then: an edge that got lost is then late, not lost.
        with self._telling:
            for button, device in self._buttons.items():
                down = bool(device.is_active)
                if self._told.get(button) != down and self._on_level is not None:
                    self._told[button] = down
                    self._on_level(button, down, self._clock.now_us())

    def show(self, face: Face) -> None:
        if self._lights is not None:
            self._lights.show(face)

    def sound(self, tone: Tone) -> None:
        if self._lights is not None:
            self._lights.sound(notes(tone))

    def close(self) -> None:
        lights, self._lights = self._lights, None
        if lights is not None:
            lights.close()
        for device in self._buttons.values():
            device.close()
        self._buttons = {}
        if self._factory is not None:
            self._factory.close()
        self._factory = self._on_level = None


class _Lights:
    """What the panel shows and says, in a thread of its own."""

    def __init__(self, pins: Pins, factory: Factory, clock: Clock) -> None:
        active_high = pins.lamps_active_high
        self._clock = clock
        self._room = PWMLED(pins.room_light, active_high=active_high, pin_factory=factory)
        self._lamps = [
            RGBLED(*lines, active_high=active_high, pin_factory=factory)
            for lines in (pins.consent_lamp, pins.record_lamp)
        ]
        self._buzzer = TonalBuzzer(pins.sounder, octaves=3, pin_factory=factory)
        self._condition = threading.Condition()
        self._face: Face | None = None
        self._since_us = 0
        self._notes: list[tuple[int, Note]] = []
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="lights", daemon=True)
        self._thread.start()

    def show(self, face: Face) -> None:
        with self._condition:
            if face == self._face:
                return
            if self._face is None or face.room_light != self._face.room_light:
                # Not left to the thread: the light is on before whatever comes after this call.
                self._room.value = float(face.room_light)
            if self._face is None or face.lamps != self._face.lamps:
                self._since_us = self._clock.now_us()
            self._face = face
            self._condition.notify()

    def sound(self, melody: tuple[Note, ...]) -> None:
        with self._condition:
            self._notes = list(_timed(melody, self._clock.now_us()))
            self._condition.notify()

    def close(self) -> None:
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join()
        for device in (self._room, *self._lamps, self._buzzer):
            with suppress(GPIOZeroError, OSError):
                device.close()

    def _run(self) -> None:
        with self._condition:
            while not self._closing:
                now_us = self._clock.now_us()
                deadlines = [due for due in (self._light(now_us), self._say(now_us)) if due is not None]
                self._clock.wait(self._condition, min(deadlines, default=None))

    def _light(self, now_us: int) -> int | None:
        """Light the lamps as they are at this moment; when they next change, or ``None``."""
        if self._face is None:
            return None
        beats = [_beat(lamp, now_us - self._since_us) for lamp in self._face.lamps]
        for device, lamp, (lit, _) in zip(self._lamps, self._face.lamps, beats, strict=True):
            level = _DIM if lamp.pattern is Pattern.DIM else 1.0
            device.value = tuple(part * level for part in _RGB[lamp.colour]) if lit else _DARK
        changes = [self._since_us + change_us for _, change_us in beats if change_us is not None]
        return min(changes, default=None)

    def _say(self, now_us: int) -> int | None:
        """Let the buzzer say the note of this moment; when the next one is due, or ``None``."""
        while self._notes and self._notes[0][0] <= now_us:
            self._notes.pop(0)
        if not self._notes:
            self._buzzer.stop()
            return None
        until_us, note = self._notes[0]
        if note.hz:
            self._buzzer.play(Pitch.from_frequency(note.hz))
        else:
            self._buzzer.stop()
        return until_us


def _timed(melody: tuple[Note, ...], start_us: int) -> Iterator[tuple[int, Note]]:
    """Each note with the moment at which it ends."""
    for note in melody:
        start_us += note.ms * 1000
        yield start_us, note


def _beat(lamp: Lamp, since_us: int) -> tuple[bool, int | None]:
    """Whether a lamp is lit so long after its pattern began, and how long after it that changes next."""
    if not lamp.pattern.beats_ms:
        return lamp.pattern is not Pattern.OFF, None
    round_us = sum(lamp.pattern.beats_ms) * 1000
    at_us = since_us % round_us
    end_us = 0
    for number, beat_ms in enumerate(lamp.pattern.beats_ms):
        end_us += beat_ms * 1000
        if at_us < end_us:
            return number % 2 == 0, since_us - at_us + end_us
    return False, since_us + round_us
