"""The real microphone against rooms that know what it should have heard: which samples, when, and how many were lost.

Nothing here expects the machine to be quick: what is late is allowed for, what is wrong is not.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from device.capture.packets import Gap, Microphone, Sound, SoundFormat, Wire
from device.errors import MicrophoneError
from tests.capture.alsa_rooms import (
    MIC,
    PATIENCE_S,
    STEREO,
    PulseRoom,
    RoomCard,
    joined,
    microphone,
    place_in,
    pulse_room,
    room_card,
    tell_alsa,
)

RATE_HZ = 48_000
LOOP_SAMPLES = 2 * RATE_HZ
SMALL_SAMPLES = 24_000  # a buffer of half a second: soon full


@pytest.fixture
def pulse(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PulseRoom]:
    with pulse_room(short_path, monkeypatch) as room:
        yield room


@pytest.fixture
def card(tmp_path: Path, make: Any, card_library: Path, monkeypatch: pytest.MonkeyPatch) -> RoomCard:
    """A card with four seconds of buffer, as most have."""
    room = room_card(tmp_path, card_library, make.noise(STEREO, LOOP_SAMPLES))
    tell_alsa(monkeypatch, room.config)
    return room


def heard(source: Microphone, samples: int, wanted: SoundFormat = STEREO) -> list[Sound]:
    """What a microphone delivers from its opening on, until it is closed again."""
    assert source.open() == wanted
    try:
        return more(source, samples)
    finally:
        source.close()


def more(source: Microphone, samples: int) -> list[Sound]:
    """So much more from one that is open."""
    got: list[Sound] = []
    while sum(period.samples for period in got) < samples:
        got.append(sound(source))
    return got


def sound(source: Microphone) -> Sound:
    period = source.read()
    assert isinstance(period, Sound)
    return period


def read_until_gone(source: Microphone) -> MicrophoneError:
    """The error that ends it; what had been delivered before is read first."""
    until_s = time.monotonic() + PATIENCE_S
    with pytest.raises(MicrophoneError) as caught:
        while time.monotonic() < until_s:
            source.read()
    return caught.value


def opened_again(source: Microphone) -> SoundFormat:
    """Its format, once it can be opened again; nobody promises that this works at the first attempt."""
    until_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            return source.open()
        except MicrophoneError:
            assert time.monotonic() < until_s
            time.sleep(0.05)


# -- what is heard ----------------------------------------------------------------------------------------------------


def test_ten_seconds_are_heard_bit_for_bit_and_dated_as_they_passed(
    pulse: PulseRoom, card: RoomCard, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both rooms at once: neither may disturb the other."""
    tell_alsa(monkeypatch, pulse.config, card.config)
    loop = make.noise(STEREO, LOOP_SAMPLES, seed=8)
    pulse.play(loop)
    wait_until_played(microphone(MIC))
    start_us = time.monotonic_ns() // 1000
    with ThreadPoolExecutor() as readers:
        rooms = list(readers.map(heard, [microphone(card.name), microphone(MIC)], [10 * RATE_HZ] * 2))
    end_us = time.monotonic_ns() // 1000
    for periods, said in zip(rooms, (card.loop, loop), strict=True):
        place_in(said, joined(periods), STEREO.frame_bytes)
        check_times(periods, start_us, end_us)
    check_dates(card, rooms[0])


def wait_until_played(source: Microphone) -> None:
    """Wait until a microphone hears anything but silence."""
    until_s = time.monotonic() + PATIENCE_S
    source.open()
    while not any(sound(source).data):
        assert time.monotonic() < until_s, "silence"
    source.close()


def check_times(periods: list[Sound], start_us: int, end_us: int) -> None:
    """Times never go back, and stay with the samples: a period may be read late, but lateness does not add up."""
    ends_us = [period.end_us for period in periods]
    assert ends_us == sorted(ends_us)
    assert start_us < ends_us[0]
    assert ends_us[-1] <= end_us
    passed, late_us = 0, []
    for period in periods:
        passed += period.samples
        late_us.append(period.end_us - start_us - STEREO.us(passed))
    half = len(late_us) // 2
    assert abs(min(late_us[half:]) - min(late_us[:half])) < 60_000


def check_dates(card: RoomCard, periods: list[Sound]) -> None:
    """Where in its loop the card is depends on the monotonic clock alone, so its sound tells when it was taken."""
    first, passed, late_us = card.place(joined(periods)), 0, []
    for period in periods:
        passed += period.samples
        behind = RATE_HZ * period.end_us // 1_000_000 - first - passed
        late_us.append(STEREO.us((behind + LOOP_SAMPLES // 2) % LOOP_SAMPLES - LOOP_SAMPLES // 2))
    assert min(late_us) > -2_000, "dated before it was heard"
    assert sorted(late_us)[len(late_us) // 4] < 15_000


def test_a_card_whose_position_moves_sample_by_sample_is_read_in_periods(card: RoomCard) -> None:
    """Read without a wait, such a card always has a few samples: ten thousand reads a second, and a core for them."""
    source = microphone(card.name)
    source.open()
    got = []
    while sum(period.samples for period in got) < RATE_HZ // 2:
        got.append(sound(source))
        time.sleep(0.001)  # what the meter takes
    source.close()
    assert len(got) < 12


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("wire", list(Wire))
def test_every_format_that_a_card_may_have_is_taken_as_it_is(
    tmp_path: Path, make: Any, card_library: Path, monkeypatch: pytest.MonkeyPatch, wire: Wire, channels: int
) -> None:
    """A card that has one format only, so that ALSA could do nothing but convert."""
    only = SoundFormat(RATE_HZ, channels, wire)
    card = room_card(tmp_path, card_library, make.noise(only, RATE_HZ), only)
    tell_alsa(monkeypatch, card.config)
    card.place(joined(heard(microphone(card.name), RATE_HZ // 10, only)))


def test_a_card_of_no_format_that_can_be_recorded_as_it_is_is_refused(
    tmp_path: Path, make: Any, card_library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = room_card(tmp_path, card_library, bytes(RATE_HZ), SoundFormat(RATE_HZ, 5, Wire.S16_LE))
    tell_alsa(monkeypatch, card.config)
    with pytest.raises(MicrophoneError) as caught:
        microphone(card.name).open()
    assert caught.value.hint


# -- what is lost -----------------------------------------------------------------------------------------------------


def test_what_is_lost_by_reading_too_late_is_one_gap_of_its_length(
    tmp_path: Path, make: Any, card_library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = room_card(tmp_path, card_library, make.noise(STEREO, LOOP_SAMPLES), buffer_samples=SMALL_SAMPLES)
    tell_alsa(monkeypatch, card.config)
    source = microphone(card.name)
    source.open()
    before = joined(more(source, RATE_HZ // 4))
    time.sleep(1.5 * SMALL_SAMPLES / RATE_HZ)
    gap = source.read()
    assert isinstance(gap, Gap)
    after = more(source, RATE_HZ // 4)
    source.close()
    # What was in the full buffer is lost as well: the gap is from the last sample before to the first one after.
    end = card.place(before) + len(before) // STEREO.frame_bytes
    wrong = (gap.samples - card.place(joined(after)) + end + LOOP_SAMPLES // 2) % LOOP_SAMPLES - LOOP_SAMPLES // 2
    assert abs(wrong) < RATE_HZ // 50
    assert gap.samples > SMALL_SAMPLES
    assert gap.cause == "the microphone was read too late"
    assert gap.end_us <= after[0].end_us


def test_what_was_only_read_late_is_not_lost(card: RoomCard) -> None:
    source = microphone(card.name)
    source.open()
    before = more(source, 1)
    time.sleep(0.4)
    after = more(source, RATE_HZ // 2)
    source.close()
    card.place(joined(before + after))


def test_a_reader_that_is_let_go_has_read_all_but_the_last_period(card: RoomCard) -> None:
    """A withdrawal does not wait for a period to be full, and a stop costs no more than one."""
    source = microphone(card.name)
    source.open()
    let_go_us: list[int] = []

    def let_go() -> None:
        let_go_us.append(time.monotonic_ns() // 1000)
        source.interrupt()

    timer = threading.Timer(0.25, let_go)
    timer.start()
    got = []
    with pytest.raises(MicrophoneError):
        while True:
            got.append(sound(source))
    timer.join()
    source.close()
    card.place(joined(got))
    assert got[-1].end_us > let_go_us[0] - 120_000
    card.place(joined(heard(source, RATE_HZ // 10)))


# -- what is gone -----------------------------------------------------------------------------------------------------


def test_a_card_that_is_unplugged_is_an_error_in_words_and_comes_back(card: RoomCard) -> None:
    source = microphone(card.name)
    source.open()
    sound(source)
    card.unplug()
    assert read_until_gone(source).hint
    source.close()
    with pytest.raises(MicrophoneError):
        source.open()
    card.plug()
    card.place(joined(heard(source, RATE_HZ // 4)))


def test_a_daemon_that_dies_is_an_error_in_words_and_its_successor_is_heard(pulse: PulseRoom, make: Any) -> None:
    """What came before has been read: PulseAudio's plug-in hands out what it still holds, and then fails."""
    source = microphone(MIC)
    source.open()
    sound(source)
    pulse.kill()
    assert read_until_gone(source).hint
    source.close()
    with pytest.raises(MicrophoneError):
        source.open()
    loop = make.noise(STEREO, LOOP_SAMPLES)
    pulse.start()
    pulse.play(loop)
    assert opened_again(source) == STEREO
    source.close()
    wait_until_played(source)
    place_in(loop, joined(heard(source, RATE_HZ // 2)), STEREO.frame_bytes)
    assert pulse.listeners == 0
