"""What every microphone keeps to, held against the simulated one and against ALSA itself.

No sound card is needed: ALSA hears one that is a small program, and a PulseAudio of the test's own.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from device.capture.packets import Microphone, Sound, SoundFormat, Wire
from device.capture.simulated import SimulatedMicrophone
from device.errors import MicrophoneError
from tests.capture.alsa_rooms import MIC, STEREO, microphone, place_in, pulse_room, room_card, tell_alsa

SECONDS = 2


@dataclass
class Room:
    """A microphone, what it hears, and one that is not there."""

    microphone: Microphone
    sound: SoundFormat
    heard: Callable[[bytes], bool]
    absent: Microphone
    vanish: Callable[[], object]
    held: Callable[[], bool]


@contextmanager
def simulated(tmp_path: Path, make: Any, wav: Callable[..., Path], clock: Any) -> Iterator[Room]:
    sound = SoundFormat(48_000, 2, Wire.S24_3LE)
    data = make.noise(sound, SECONDS * 48_000)
    path = wav(sound, data, name="room.wav")
    yield Room(
        microphone=SimulatedMicrophone(path, clock=clock, loop=True),
        sound=sound,
        heard=data.startswith,
        absent=SimulatedMicrophone(tmp_path / "nothing.wav", clock=clock, loop=True),
        vanish=path.unlink,
        held=lambda: is_open(path),
    )


@contextmanager
def card(tmp_path: Path, make: Any, library: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    data = make.noise(STEREO, SECONDS * 48_000)
    room = room_card(tmp_path, library, data)
    tell_alsa(monkeypatch, room.config)
    yield Room(
        microphone=microphone(room.name),
        sound=STEREO,
        heard=lambda heard: place_in(data, heard, STEREO.frame_bytes) >= 0,
        absent=microphone("nothing"),
        vanish=room.unplug,
        held=lambda: is_open(room.file),
    )


@contextmanager
def pulseaudio(make: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    data = make.noise(STEREO, SECONDS * 48_000)
    with pulse_room(folder, monkeypatch) as room:
        room.play(data)
        yield Room(
            microphone=microphone(MIC),
            sound=STEREO,
            # Opened before the player has begun, it hears silence first.
            heard=lambda heard: place_in(data, without_silence(heard), STEREO.frame_bytes) >= 0,
            absent=microphone("nothing"),
            vanish=room.kill,
            held=lambda: room.listeners > 0,
        )


def without_silence(heard: bytes) -> bytes:
    """From the first sample on that is none."""
    quiet = len(heard) - len(heard.lstrip(b"\0"))
    return heard[quiet // STEREO.frame_bytes * STEREO.frame_bytes :]


@pytest.fixture(params=["simulated", "card", "pulseaudio"])
def room(request: pytest.FixtureRequest, tmp_path: Path, make: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    ask = request.getfixturevalue
    rooms = {
        "simulated": lambda: simulated(tmp_path, make, ask("wav"), ask("hurry").clock),
        "card": lambda: card(tmp_path, make, ask("card_library"), monkeypatch),
        "pulseaudio": lambda: pulseaudio(make, ask("short_path"), monkeypatch),
    }
    with rooms[request.param]() as opened:
        yield opened
        opened.microphone.close()


def is_open(path: Path) -> bool:
    """Whether this process has a file open."""
    return any(os.path.realpath(descriptor) == str(path) for descriptor in Path("/proc/self/fd").iterdir())


def read(microphone: Microphone, periods: int) -> list[Sound]:
    got = [microphone.read() for _ in range(periods)]
    assert all(isinstance(period, Sound) for period in got)
    return got  # type: ignore[return-value]


def test_creating_one_opens_nothing_and_closing_it_lets_go(room: Room) -> None:
    assert not room.held()
    room.microphone.open()
    assert room.held()
    room.microphone.close()
    assert not room.held()


def test_opening_says_what_it_delivers(room: Room) -> None:
    assert room.microphone.open() == room.sound
    room.microphone.close()


def test_it_delivers_whole_frames_in_periods_of_a_quarter_of_a_second_at_most(room: Room) -> None:
    room.microphone.open()
    end_us = 0
    for period in read(room.microphone, 6):
        assert 0 < room.sound.us(period.samples) <= 250_000
        assert len(period.data) == period.samples * room.sound.frame_bytes
        assert period.end_us >= end_us
        end_us = period.end_us
    room.microphone.close()


def test_it_delivers_what_it_hears_bit_for_bit_and_in_order(room: Room) -> None:
    room.microphone.open()
    heard = b""
    while len(heard) < 48_000 * room.sound.frame_bytes:
        heard += b"".join(bytes(period.data) for period in read(room.microphone, 1))
    room.microphone.close()
    assert room.heard(heard)


def test_it_may_be_closed_twice_or_without_having_been_opened(room: Room) -> None:
    room.microphone.close()
    room.microphone.open()
    room.microphone.close()
    room.microphone.close()


def test_it_may_be_opened_again_any_number_of_times(room: Room) -> None:
    for _ in range(3):
        assert room.microphone.open() == room.sound
        read(room.microphone, 2)
        room.microphone.close()


@pytest.mark.parametrize("before", ["never opened", "closed"])
def test_reading_one_that_is_not_open_is_an_error_in_words(room: Room, before: str) -> None:
    if before == "closed":
        room.microphone.open()
        room.microphone.close()
    with pytest.raises(MicrophoneError) as caught:
        room.microphone.read()
    assert caught.value.hint


def test_one_that_is_not_there_is_refused_in_words(room: Room) -> None:
    with pytest.raises(MicrophoneError) as caught:
        room.absent.open()
    assert caught.value.what
    assert caught.value.hint
    room.absent.close()


def test_one_that_has_gone_since_it_was_closed_is_refused(room: Room) -> None:
    room.microphone.open()
    room.microphone.close()
    room.vanish()
    with pytest.raises(MicrophoneError):
        room.microphone.open()


def test_an_interruption_ends_a_read_and_all_that_follow_until_it_is_opened_again(room: Room) -> None:
    """How a withdrawal closes the microphone at once, instead of when the period is full."""
    room.microphone.open()
    timer = threading.Timer(0.2, room.microphone.interrupt)
    timer.start()
    with pytest.raises(MicrophoneError):
        while True:
            room.microphone.read()
    timer.join()
    with pytest.raises(MicrophoneError):
        room.microphone.read()
    room.microphone.close()
    room.microphone.interrupt()  # harmless
    assert room.microphone.open() == room.sound
    read(room.microphone, 2)
    room.microphone.close()


def test_it_stands_in_for_nobody(room: Room) -> None:
    assert not room.microphone.stands_in


def test_its_name_says_which_kind_it_is(room: Room) -> None:
    assert room.microphone.name.partition(": ")[0] in {"simulated", "alsa"}
