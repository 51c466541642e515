"""One contract for every panel: the simulated one, and the real one on gpiozero's fake pins and lines like a kernel's.

The real lines of a kernel are pressed in the emulated appliance; what is made of them is the same code as here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Protocol

import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

from device.clock import SystemClock
from device.config import parse_config
from device.errors import AdminError, ConfigError
from device.panel import Panel
from device.panel_gpio import GpioPanel, Pins
from device.panel_language import Colour, Face, Lamp, Pattern, face_of
from device.panel_simulated import SimulatedPanel
from device.session_events import State, Tone
from device.words import Button, Consent
from tests.panel_lines import FakeLines, contacts
from tests.support import PATIENCE_S

PINS = Pins(
    consent=5, record=6, room_light=13, consent_lamp=(17, 27, 22), record_lamp=(23, 24, 25), sounder=18, pull_up=True
)
DARK = Lamp(Colour.NONE, Pattern.OFF)


class Hands(Protocol):
    """What the tests need beside the panel: a finger, and eyes."""

    panel: Panel

    def finger(self, button: Button, *, down: bool) -> None: ...

    def light(self) -> bool: ...


class SimulatedHands:
    def __init__(self) -> None:
        self.panel = self._panel = SimulatedPanel(clock=SystemClock(), run=None)

    def finger(self, button: Button, *, down: bool) -> None:
        self._panel.finger(button, down=down)

    def light(self) -> bool:
        return self._panel.face is not None and self._panel.face.room_light


class GpioHands:
    def __init__(self) -> None:
        self.factory = MockFactory(pin_class=MockPWMPin)
        self.lines = FakeLines()
        self.panel = GpioPanel(
            PINS, clock=SystemClock(), factory=lambda: self.factory, buttons=contacts(PINS, self.lines.ask)
        )

    def finger(self, button: Button, *, down: bool, at_us: int | None = None) -> None:
        self.lines.drive(PINS.consent if button is Button.CONSENT else PINS.record, high=not down, at_us=at_us)

    def light(self) -> bool:
        return float(self.factory.pin(PINS.room_light).state) == 1.0

    def colours(self, lines: tuple[int, int, int]) -> tuple[float, ...]:
        return tuple(round(float(self.factory.pin(line).state), 2) for line in lines)


@pytest.fixture(params=[SimulatedHands, GpioHands])
def hands(request: pytest.FixtureRequest) -> Iterator[Any]:
    made = request.param()
    yield made
    made.panel.close()


@pytest.fixture
def gpio() -> Iterator[GpioHands]:
    made = GpioHands()
    yield made
    made.panel.close()


class Ear:
    def __init__(self) -> None:
        self.heard: list[tuple[Button, bool]] = []
        self.times: list[int] = []
        self.changed = threading.Condition()

    def __call__(self, button: Button, down: bool, at_us: int) -> None:  # noqa: FBT001
        with self.changed:
            self.heard.append((button, down))
            self.times.append(at_us)
            self.changed.notify()


def test_each_level_is_told_at_the_start(hands: Hands) -> None:
    ear = Ear()
    hands.panel.start(ear)
    assert sorted(ear.heard) == [(Button.CONSENT, False), (Button.RECORD, False)]


def test_every_change_is_told_once_with_its_time(hands: Hands) -> None:
    ear = Ear()
    hands.panel.start(ear)
    del ear.heard[:], ear.times[:]
    hands.finger(Button.CONSENT, down=True)
    hands.panel.poll()
    hands.finger(Button.RECORD, down=True)
    hands.finger(Button.CONSENT, down=False)
    hands.panel.poll()
    assert ear.heard == [(Button.CONSENT, True), (Button.RECORD, True), (Button.CONSENT, False)]
    assert ear.times == sorted(ear.times)


def test_the_room_light_is_lit_when_show_returns(hands: Hands) -> None:
    hands.panel.start(Ear())
    for lit in (True, False, True):
        hands.panel.show(Face(room_light=lit, lamps=(DARK, DARK)))
        assert hands.light() is lit


def test_nothing_is_told_after_the_close_and_closing_twice_is_harmless(hands: Hands) -> None:
    ear = Ear()
    hands.panel.start(ear)
    hands.panel.close()
    hands.panel.close()
    del ear.heard[:]
    hands.panel.poll()
    assert ear.heard == []


@pytest.mark.parametrize("tone", list(Tone))
def test_every_tone_can_be_said_and_cut_short(hands: Hands, tone: Tone) -> None:
    hands.panel.start(Ear())
    hands.panel.sound(tone)
    hands.panel.sound(Tone.TICK)


def until_colours(gpio: GpioHands, lines: tuple[int, int, int], colours: tuple[float, ...]) -> None:
    """Wait for the lights' thread; a lamp that never gets there fails the test."""
    condition = threading.Condition()
    until_s = time.monotonic() + 60
    with condition:
        while gpio.colours(lines) != colours:
            assert time.monotonic() < until_s, gpio.colours(lines)
            condition.wait(0.005)


@pytest.mark.parametrize(
    ("state", "consent", "at_consent", "at_record"),
    [
        (State.IDLE, Consent.NONE, (0.0, 0.0, 0.0), (0.06, 0.06, 0.06)),
        (State.ARMED, Consent.SOUND, (0.0, 0.0, 1.0), (0.0, 0.0, 0.0)),
        (State.ARMED, Consent.SOUND_AND_PICTURE, (0.0, 0.0, 1.0), (0.0, 0.0, 1.0)),
        (State.SEALED, Consent.NONE, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
        (State.RECORDING, Consent.SOUND, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
        (State.FAULT, Consent.NONE, (1.0, 0.7, 0.0), (1.0, 0.7, 0.0)),
    ],
)
def test_the_lamps_have_the_colours_of_the_state(
    gpio: GpioHands, state: State, consent: Consent, at_consent: tuple[float, ...], at_record: tuple[float, ...]
) -> None:
    gpio.panel.start(Ear())
    gpio.panel.show(face_of(state, consent))
    until_colours(gpio, PINS.consent_lamp, at_consent)
    until_colours(gpio, PINS.record_lamp, at_record)


def test_a_blinking_lamp_goes_dark_and_lights_again(gpio: GpioHands) -> None:
    gpio.panel.start(Ear())
    gpio.panel.show(face_of(State.FAULT, Consent.NONE))
    for colours in ((1.0, 0.7, 0.0), (0.0, 0.0, 0.0), (1.0, 0.7, 0.0)):
        until_colours(gpio, PINS.consent_lamp, colours)


def test_after_the_close_the_room_light_is_off(gpio: GpioHands) -> None:
    gpio.panel.start(Ear())
    gpio.panel.show(Face(room_light=True, lamps=(DARK, DARK)))
    gpio.panel.close()
    assert gpio.light() is False


def test_a_panel_that_is_not_there_says_what_to_look_at() -> None:
    def nothing() -> Any:
        raise OSError(2, "No such file or directory")

    with pytest.raises(AdminError, match="panel cannot be used") as refused:
        GpioPanel(PINS, clock=SystemClock(), factory=nothing, buttons=contacts(PINS, FakeLines().ask)).start(Ear())
    assert "wiring" in refused.value.hint


def test_lines_that_somebody_else_has_leave_the_panel_dark(gpio: GpioHands) -> None:
    def taken(_settings: Any) -> Any:
        raise OSError(16, "Device or resource busy")

    panel = GpioPanel(PINS, clock=SystemClock(), factory=lambda: gpio.factory, buttons=contacts(PINS, taken))
    with pytest.raises(AdminError, match="busy"):
        panel.start(Ear())
    assert gpio.light() is False


def test_a_press_that_nobody_had_a_moment_for_is_told_as_long_as_it_was(gpio: GpioHands) -> None:
    ear = Ear()
    gpio.panel.start(ear)
    del ear.heard[:], ear.times[:]
    began_us = time.monotonic_ns() // 1000 - 5_000_000
    gpio.finger(Button.CONSENT, down=True, at_us=began_us)
    gpio.finger(Button.CONSENT, down=False, at_us=began_us + 150_000)
    gpio.panel.poll()
    assert ear.heard == [(Button.CONSENT, True), (Button.CONSENT, False)]
    assert ear.times == [began_us, began_us + 150_000]


def test_every_edge_is_told_without_anybody_looking(gpio: GpioHands) -> None:
    ear = Ear()
    gpio.panel.start(ear)
    del ear.heard[:]
    with ear.changed:
        gpio.finger(Button.RECORD, down=True)
        assert ear.changed.wait_for(lambda: ear.heard == [(Button.RECORD, True)], PATIENCE_S)


def test_an_edge_that_the_kernel_had_no_room_for_is_late_and_not_lost() -> None:
    lines = FakeLines(room=1)
    panel = GpioPanel(
        PINS, clock=SystemClock(), factory=lambda: MockFactory(pin_class=MockPWMPin), buttons=contacts(PINS, lines.ask)
    )
    ear = Ear()
    panel.start(ear)
    try:
        for down in (True, False, True, False, True):
            lines.drive(PINS.consent, high=not down)
        panel.poll()
        assert ear.heard[-1] == (Button.CONSENT, True)
        for down in (False, True, False):
            lines.drive(PINS.consent, high=not down)
        panel.poll()
        assert ear.heard[-1] == (Button.CONSENT, False)
    finally:
        panel.close()
    assert lines.released


@pytest.mark.parametrize("pull_up", [True, False])
def test_a_button_may_close_to_ground_or_to_the_supply(*, pull_up: bool) -> None:
    lines, ear = FakeLines(), Ear()
    pins = replace(PINS, pull_up=pull_up)
    panel = GpioPanel(
        pins, clock=SystemClock(), factory=lambda: MockFactory(pin_class=MockPWMPin), buttons=contacts(pins, lines.ask)
    )
    panel.start(ear)
    lines.drive(PINS.record, high=not pull_up)
    panel.poll()
    panel.close()
    assert ear.heard == [(Button.CONSENT, False), (Button.RECORD, False), (Button.RECORD, True)]


def test_what_is_dark_or_full_is_not_pulsed(gpio: GpioHands) -> None:
    """Pulses wake the box some hundred times a second; a room light that is pulsed comes with the next pulse only."""
    gpio.panel.start(Ear())
    gpio.panel.show(face_of(State.IDLE, Consent.NONE))
    until_colours(gpio, PINS.record_lamp, (0.06, 0.06, 0.06))
    assert all(gpio.factory.pin(line).frequency == 100 for line in PINS.record_lamp)
    gpio.panel.show(face_of(State.RECORDING, Consent.SOUND))
    until_colours(gpio, PINS.record_lamp, (0.0, 0.0, 0.0))
    lamps = (*PINS.record_lamp, *PINS.consent_lamp)
    assert gpio.light()
    assert [gpio.factory.pin(line).frequency for line in (*lamps, PINS.room_light)] == [None] * 7


GPIO_CONFIG = """
[box]
name = "Room 3"
device_key = "/var/lib/sotto/device.key"
run = "/run/sotto"
[store]
path = "/var/lib/sotto/store"
[recipients]
keys = []
[microphone]
driver = "alsa"
device = "hw:CARD=Mic"
[camera]
driver = "disabled"
[panel]
driver = "gpio"
consent = 5
record = 6
room_light = 13
consent_lamp = [17, 27, 22]
record_lamp = [23, 24, {last}]
sounder = 18
[web]
state = "/var/lib/sotto-web"
port = 8300
"""


def test_the_lines_of_a_real_panel_are_read_from_the_configuration() -> None:
    assert parse_config(GPIO_CONFIG.format(last=25)).panel.driver == "gpio"


def test_a_line_that_is_named_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="5 is named twice"):
        parse_config(GPIO_CONFIG.format(last=5))
