"""The simulated microphone: a room that goes on, whoever listens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from device.capture.packets import PERIOD_US, Sound, SoundFormat, Wire
from device.capture.simulated import SimulatedMicrophone
from device.errors import MicrophoneError

MONO = SoundFormat(48_000, 1, Wire.S24_3LE)
CD = SoundFormat(44_100, 2, Wire.S16_LE)
both = pytest.mark.parametrize("sound", [MONO, CD], ids=str)


def take(microphone: SimulatedMicrophone, periods: int) -> list[Sound]:
    got = [microphone.read() for _ in range(periods)]
    assert all(isinstance(period, Sound) for period in got)
    return got  # type: ignore[return-value]


@both
def test_it_goes_round_without_a_seam(sound: SoundFormat, hurry: Any, make: Any, wav: Callable[..., Path]) -> None:
    data = make.noise(sound, 7_001)
    microphone = SimulatedMicrophone(wav(sound, data), clock=hurry.clock, loop=True)
    assert microphone.open() == sound
    got = take(microphone, 12)
    microphone.close()
    heard = b"".join(bytes(period.data) for period in got)
    assert heard == (data * 20)[: len(heard)]
    assert len(heard) > 4 * len(data)


@both
def test_its_times_are_those_of_the_samples(
    sound: SoundFormat, hurry: Any, make: Any, wav: Callable[..., Path]
) -> None:
    microphone = SimulatedMicrophone(wav(sound, make.silence(sound, 7001)), clock=hurry.clock, loop=True)
    hurry.us = 123_456
    microphone.open()
    taken, start_us = 0, None
    for period in take(microphone, 30):
        taken += period.samples
        start_us = period.end_us - sound.us(taken) if start_us is None else start_us
        assert period.end_us == start_us + sound.us(taken)
    microphone.close()


def test_no_period_comes_before_its_time(hurry: Any, make: Any, wav: Callable[..., Path]) -> None:
    microphone = SimulatedMicrophone(wav(MONO, make.silence(MONO, 48_000)), clock=hurry.clock, loop=True)
    microphone.open()
    for _ in range(5):
        period = microphone.read()
        assert hurry.clock.now_us() >= period.end_us
    microphone.close()


@both
@pytest.mark.parametrize("away_us", [0, 1, 20, 21, 99_999, 1_000_000, 123_456_789])
def test_the_room_goes_on_while_it_is_unplugged(
    sound: SoundFormat, away_us: int, hand: Any, make: Any, wav: Callable[..., Path]
) -> None:
    length = 30_011
    data = make.noise(sound, length)
    microphone = SimulatedMicrophone(wav(sound, data), clock=hand.clock, loop=True)
    microphone.open()
    hand.us += PERIOD_US
    before = microphone.read()
    microphone.unplug()
    for _ in range(2):
        with pytest.raises(MicrophoneError, match="unplugged"):
            microphone.read()
    microphone.close()
    with pytest.raises(MicrophoneError, match="unplugged"):
        microphone.open()
    hand.us += away_us
    microphone.plug()
    microphone.open()
    hand.step_us = 20_000
    after = microphone.read()
    hand.step_us = 0
    microphone.close()
    skipped = sound.samples(PERIOD_US + away_us)
    at = skipped % length
    assert bytes(after.data) == data[at * sound.frame_bytes :][: len(after.data)]
    assert after.end_us == sound.us(skipped + after.samples)
    assert before.end_us == PERIOD_US


@both
def test_a_source_that_ends_gives_its_last_sample_and_then_is_gone(
    sound: SoundFormat, hurry: Any, make: Any, wav: Callable[..., Path]
) -> None:
    data = make.noise(sound, 2 * sound.samples(PERIOD_US) + 3)
    microphone = SimulatedMicrophone(wav(sound, data), clock=hurry.clock, loop=False)
    microphone.open()
    got = take(microphone, 3)
    assert b"".join(bytes(period.data) for period in got) == data
    assert got[-1].samples == 3
    for _ in range(2):
        with pytest.raises(MicrophoneError, match="ended"):
            microphone.read()
    microphone.close()
    with pytest.raises(MicrophoneError, match="ended"):
        microphone.open()


def test_a_file_cut_short_while_it_plays_is_a_microphone_that_is_gone(
    hurry: Any, make: Any, wav: Callable[..., Path]
) -> None:
    """It once promised more samples than it gave; the encoder then read on in memory that was not sound."""
    path = wav(MONO, make.noise(MONO, 48_000))
    microphone = SimulatedMicrophone(path, clock=hurry.clock, loop=True)
    microphone.open()
    microphone.read()
    path.write_bytes(path.read_bytes()[: 44 + 3 * 9000])
    with pytest.raises(MicrophoneError) as caught:
        for _ in range(3):
            microphone.read()
    assert caught.value.hint
    microphone.close()


def test_it_is_named_after_its_file_and_not_after_its_folder(hand: Any, tmp_path: Path) -> None:
    microphone = SimulatedMicrophone(tmp_path / "room.wav", clock=hand.clock, loop=True)
    assert microphone.name == "simulated: room.wav"
