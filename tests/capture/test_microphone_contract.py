"""What every microphone keeps to, held against the simulated one and against ALSA itself.

ALSA's own ``file`` plugin stands in for a card: all of the library is real, only the samples come from a file.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from device.capture.alsa import alsa_microphone
from device.capture.packets import Microphone, Sound, SoundFormat, Wire
from device.capture.simulated import SimulatedMicrophone
from device.clock import SystemClock
from device.errors import MicrophoneError

STEREO = SoundFormat(48_000, 2, Wire.S32_LE)
SECONDS = 2
# ALSA_CONFIG_PATH takes several files; the first is what makes it find its plugins at all.
STOCK_CONFIG = "/usr/share/alsa/alsa.conf"


@dataclass
class Room:
    """A microphone, what it hears, and one that is not there."""

    microphone: Microphone
    sound: SoundFormat
    heard: bytes
    absent: Microphone
    vanish: Callable[[], object]


def simulated(tmp_path: Path, make: Any, wav: Callable[..., Path], clock: Any) -> Room:
    sound = SoundFormat(48_000, 2, Wire.S24_3LE)
    data = make.noise(sound, SECONDS * 48_000)
    path = wav(sound, data, name="room.wav")
    return Room(
        microphone=SimulatedMicrophone(path, clock=clock, loop=True),
        sound=sound,
        heard=data,
        absent=SimulatedMicrophone(tmp_path / "nothing.wav", clock=clock, loop=True),
        vanish=path.unlink,
    )


def alsa(tmp_path: Path, make: Any, monkeypatch: pytest.MonkeyPatch) -> Room:
    data = make.noise(STEREO, SECONDS * 48_000)
    raw, config = tmp_path / "room.raw", tmp_path / "asound.conf"
    raw.write_bytes(data)
    config.write_text(f'pcm.wavmic {{ type file slave.pcm null file /dev/null infile "{raw}" format raw }}\n')
    # ALSA looks at every open whether its list of files has changed, so each test has a card of its own.
    monkeypatch.setenv("ALSA_CONFIG_PATH", f"{STOCK_CONFIG}:{config}")
    return Room(
        microphone=alsa_microphone("wavmic", clock=SystemClock()),
        sound=STEREO,
        heard=data,
        absent=alsa_microphone("nothing", clock=SystemClock()),
        vanish=config.unlink,
    )


@pytest.fixture(params=["simulated", "alsa"])
def room(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    make: Any,
    wav: Callable[..., Path],
    hurry: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Room:
    if request.param == "simulated":
        return simulated(tmp_path, make, wav, hurry.clock)
    return alsa(tmp_path, make, monkeypatch)


def descriptors() -> set[str]:
    """The files that this process has open."""
    return {str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()}


def of_rooms(tmp_path: Path) -> set[str]:
    return {name for name in descriptors() if name.startswith(str(tmp_path))}


def read(microphone: Microphone, periods: int) -> list[Sound]:
    got = [microphone.read() for _ in range(periods)]
    assert all(isinstance(period, Sound) for period in got)
    return got  # type: ignore[return-value]


def test_creating_one_opens_nothing(room: Room, tmp_path: Path) -> None:
    assert not of_rooms(tmp_path)
    room.microphone.open()
    assert of_rooms(tmp_path)
    room.microphone.close()
    assert not of_rooms(tmp_path)


def test_opening_says_what_it_delivers(room: Room) -> None:
    assert room.microphone.open() == room.sound
    room.microphone.close()


def test_it_delivers_whole_frames_in_periods_of_a_tenth_of_a_second_at_most(room: Room) -> None:
    room.microphone.open()
    end_us = 0
    for period in read(room.microphone, 12):
        assert 0 < room.sound.us(period.samples) <= 100_000
        assert len(period.data) == period.samples * room.sound.frame_bytes
        assert period.end_us >= end_us
        end_us = period.end_us
    room.microphone.close()


def test_it_delivers_what_it_hears_bit_for_bit_and_in_order(room: Room) -> None:
    room.microphone.open()
    heard = b"".join(bytes(period.data) for period in read(room.microphone, 15))
    room.microphone.close()
    assert len(heard) >= 48_000 * room.sound.frame_bytes
    assert room.heard.startswith(heard)


def test_it_may_be_closed_twice_or_without_having_been_opened(room: Room) -> None:
    room.microphone.close()
    room.microphone.open()
    room.microphone.close()
    room.microphone.close()


def test_it_may_be_opened_again_any_number_of_times(room: Room) -> None:
    for _ in range(5):
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


def test_alsa_takes_one_channel_where_there_is_only_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ``multi`` plugin offers exactly the channels that are bound in it."""
    config = tmp_path / "asound.conf"
    config.write_text(
        "pcm.mono { type multi slaves.a.pcm null slaves.a.channels 1 bindings.0.slave a bindings.0.channel 0 }\n"
    )
    monkeypatch.setenv("ALSA_CONFIG_PATH", f"{STOCK_CONFIG}:{config}")
    microphone = alsa_microphone("mono", clock=SystemClock())
    assert microphone.open() == SoundFormat(48_000, 1, Wire.S32_LE)
    assert len(microphone.read().data) == 4800 * 4  # type: ignore[union-attr]
    microphone.close()
