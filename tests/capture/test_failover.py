"""A second microphone that steps in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from device.capture.failover import FailOver
from device.capture.packets import Sound, SoundFormat, Wire
from device.capture.simulated import SimulatedMicrophone
from device.errors import MicrophoneError

SOUND = SoundFormat(48_000, 2, Wire.S24_3LE)


@pytest.fixture
def two(make: Any, wav: Callable[..., Path], hurry: Any) -> tuple[SimulatedMicrophone, SimulatedMicrophone]:
    return tuple(  # type: ignore[return-value]
        SimulatedMicrophone(wav(SOUND, make.noise(SOUND, 48_000), name=name), clock=hurry.clock, loop=True)
        for name in ("first.wav", "second.wav")
    )


def test_the_first_is_used_while_it_is_there(two: tuple[SimulatedMicrophone, SimulatedMicrophone]) -> None:
    both = FailOver(*two)
    assert both.open() == SOUND
    assert (both.name, both.stands_in) == ("simulated: first.wav", False)
    assert isinstance(both.read(), Sound)
    both.close()


def test_the_second_steps_in_and_says_so(two: tuple[SimulatedMicrophone, SimulatedMicrophone]) -> None:
    both = FailOver(*two)
    two[0].unplug()
    both.open()
    assert (both.name, both.stands_in) == ("simulated: second.wav", True)
    assert isinstance(both.read(), Sound)
    both.close()


def test_at_the_next_opening_the_first_comes_first_again(
    two: tuple[SimulatedMicrophone, SimulatedMicrophone],
) -> None:
    both = FailOver(*two)
    two[0].unplug()
    both.open()
    two[0].plug()
    both.open()
    assert not both.stands_in
    both.close()


def test_with_neither_it_is_the_first_that_is_told_of(two: tuple[SimulatedMicrophone, SimulatedMicrophone]) -> None:
    both = FailOver(*two)
    for microphone in two:
        microphone.unplug()
    with pytest.raises(MicrophoneError):
        both.open()
    assert (both.name, both.stands_in) == ("simulated: first.wav", False)


def test_an_interruption_reaches_whichever_is_read(two: tuple[SimulatedMicrophone, SimulatedMicrophone]) -> None:
    both = FailOver(*two)
    both.open()
    both.interrupt()
    with pytest.raises(MicrophoneError):
        both.read()
    both.close()
