"""The real panel: two buttons, and through gpiozero the room light, two lamps of three colours each, and a sounder.

Its factory is handed in: there is no falling back from one to another. One thread keeps the lamps' rhythm and the
sounder's notes; the room light is not left to it, and is lit before ``show`` returns. Only what is neither dark nor
full is pulsed: pulses wake the box some hundred times a second, and begin and end only with the next of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import Final

from device.clock import Clock
from device.errors import AdminError, MissingPackageError
from device.panel import Buttons, OnLevel
from device.panel_language import Colour, Face, Lamp, Note, Pattern, notes
from device.session_events import Tone

try:
    from gpiozero import LED, PWMLED, BadPinFactory, GPIOZeroError, TonalBuzzer
    from gpiozero.pins import Factory
    from gpiozero.tones import Tone as Pitch
except ImportError as problem:
    raise MissingPackageError(
        "the GPIO package is not installed", "install it: pip install 'sotto[pi]', or apt install python3-gpiozero"
    ) from problem

_HINT: Final = "check the wiring against docs/hardware.md and the pins in the configuration's [panel]"
_DIM: Final = 0.06
_PULSES_HZ: Final = 100
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

    def __init__(self, pins: Pins, *, clock: Clock, factory: Callable[[], Factory], buttons: Buttons) -> None:
        """Opens nothing; ``factory``, for what shines and sounds, is called by ``start``."""
        self._pins = pins
        self._clock = clock
        self._make_factory = factory
        self._factory: Factory | None = None
        self._buttons = buttons
        self._lights: _Lights | None = None

    def start(self, on_level: OnLevel) -> None:
        try:
            self._factory = self._make_factory()
            self._lights = _Lights(self._pins, self._factory, self._clock)
            self._buttons.start(on_level)
        except (GPIOZeroError, OSError) as problem:
            self.close()
            raise AdminError(f"the panel cannot be used: {problem}", _HINT) from problem

    def poll(self) -> None:
        self._buttons.poll()

    def show(self, face: Face) -> None:
        if self._lights is not None:
            self._lights.show(face)

    def sound(self, tone: Tone) -> None:
        if self._lights is not None:
            self._lights.sound(notes(tone))

    def close(self) -> None:
        self._buttons.close()
        lights, self._lights = self._lights, None
        if lights is not None:
            lights.close()
        if self._factory is not None:
            self._factory.close()
        self._factory = None


class _Lights:
    """What the panel shows and says, in a thread of its own."""

    def __init__(self, pins: Pins, factory: Factory, clock: Clock) -> None:
        active_high = pins.lamps_active_high
        self._clock = clock
        self._room = LED(pins.room_light, active_high=active_high, pin_factory=factory)
        self._lamps = [
            [PWMLED(line, active_high=active_high, frequency=None, pin_factory=factory) for line in lines]
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
                self._room.value = face.room_light
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
        for device in (self._room, *chain.from_iterable(self._lamps), self._buzzer):
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
        for colours, lamp, (lit, _) in zip(self._lamps, self._face.lamps, beats, strict=True):
            level = _DIM if lamp.pattern is Pattern.DIM else 1.0
            for colour, part in zip(colours, _RGB[lamp.colour] if lit else _DARK, strict=True):
                _shine(colour, part * level)
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


def _shine(colour: PWMLED, level: float) -> None:
    """Let one colour of a lamp shine so brightly, 0 to 1."""
    frequency = None if level in (0.0, 1.0) else _PULSES_HZ
    if colour.frequency != frequency:
        colour.frequency = frequency
    colour.value = level


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
