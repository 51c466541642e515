"""What an overrun, a silent device and a wrong format mean for a recording: ``AlsaSource`` over a scripted stream.

The stream that ALSA really gives is held against the same contract in ``test_microphone_contract.py``, and in the
emulated appliance.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from device.capture.microphone import AlsaSource, Overrun
from device.capture.packets import Gap, Sound, SoundFormat, Wire
from device.capture.sound_cards import Card
from device.clock import SystemClock
from device.errors import MicrophoneError

BEST = SoundFormat(48_000, 2, Wire.S32_LE)


class Lines:
    """A stream that does what its script says: bytes are there, ``Overrun``, an error, or nothing (``b""``)."""

    def __init__(self, script: list[bytes | Exception], *, fits: bool = True) -> None:
        self.script = list(script)
        self.fits = fits
        self.end_us: list[int | None] = []
        self.waits = 0
        self.closed = False
        self.interrupted = False

    def read(self) -> bytes:
        told = self.script.pop(0) if self.script else b""
        if isinstance(told, Exception):
            raise told
        return told

    def wait(self, limit_ms: int) -> bool:
        self.waits += 1
        return bool(self.script) or self.interrupted

    def captured_at_us(self) -> int | None:
        return self.end_us.pop(0) if self.end_us else None

    def interrupt(self) -> None:
        self.interrupted = True

    def close(self) -> None:
        self.closed = True


class Now(SystemClock):
    def __init__(self) -> None:
        self.us = 1_000_000

    def now_us(self) -> int:
        return self.us


def source(*streams: Lines, clock: Now | None = None) -> tuple[AlsaSource, list[tuple[str, SoundFormat]]]:
    asked: list[tuple[str, SoundFormat]] = []
    waiting = list(streams)

    def open_stream(device: str, sound: SoundFormat) -> Lines:
        asked.append((device, sound))
        return waiting.pop(0)

    return AlsaSource("hw:CARD=Mic", clock=clock or Now(), open_stream=open_stream), asked


def period(samples: int = 4800) -> bytes:
    return bytes(samples * BEST.frame_bytes)


def test_the_best_format_is_asked_for_first_and_what_does_not_fit_is_closed() -> None:
    refused = [Lines([], fits=False) for _ in range(2)]
    microphone, asked = source(*refused, Lines([]))
    assert microphone.open() == SoundFormat(48_000, 2, Wire.S16_LE)
    assert [sound.wire for _, sound in asked] == [Wire.S32_LE, Wire.S24_3LE, Wire.S16_LE]
    assert all(stream.closed for stream in refused)


def test_a_device_that_offers_nothing_that_can_be_recorded_as_it_is_is_refused() -> None:
    microphone, asked = source(*[Lines([], fits=False) for _ in range(6)])
    with pytest.raises(MicrophoneError, match="neither 24 nor 16 bits"):
        microphone.open()
    assert [sound.channels for _, sound in asked] == [2, 2, 2, 1, 1, 1]


def test_sound_is_dated_by_the_device_not_by_whoever_comes_late() -> None:
    clock = Now()
    lines = Lines([b"", period(), period()])
    lines.end_us = [1_100_000, 1_200_000]
    microphone, _ = source(lines, clock=clock)
    microphone.open()
    clock.us = 1_900_000
    assert [microphone.read(), microphone.read()] == [
        Sound(period(), 4800, 1_100_000),
        Sound(period(), 4800, 1_200_000),
    ]


@pytest.mark.parametrize("nonsense_us", [None, 0, 999_999, 99_000_000], ids=["none", "zero", "before", "to come"])
def test_a_time_that_cannot_be_is_not_believed(nonsense_us: int | None) -> None:
    clock = Now()
    lines = Lines([b"", period()])
    lines.end_us = [nonsense_us]
    microphone, _ = source(lines, clock=clock)
    microphone.open()
    clock.us = 1_150_000
    assert microphone.read() == Sound(period(), 4800, 1_150_000)


@pytest.mark.parametrize("lost", [1, 4800, 48_000, 480_001])
def test_an_overrun_is_a_gap_of_exact_length_between_the_sound_before_and_after(lost: int) -> None:
    """However late the reader came: the length is told by when the samples were taken."""
    clock = Now()
    lines = Lines([b"", period(), Overrun(), b"", period(2400), period()])
    before_us = 1_100_000
    after_us = before_us + BEST.us(lost) + BEST.us(2400)
    lines.end_us = [before_us, after_us, after_us + 100_000]
    microphone, _ = source(lines, clock=clock)
    microphone.open()
    clock.us = 60_000_000
    first, gap, rest, more = (microphone.read() for _ in range(4))
    assert isinstance(first, Sound)
    assert gap == Gap(pytest.approx(lost, abs=1), "the microphone was read too late", after_us - BEST.us(2400))
    assert rest == Sound(period(2400), 2400, after_us)
    assert isinstance(more, Sound)


def test_two_overruns_in_a_row_are_one_gap() -> None:
    clock = Now()
    lines = Lines([b"", period(), Overrun(), Overrun(), period()])
    lines.end_us = [1_100_000, 2_200_000]
    microphone, _ = source(lines, clock=clock)
    microphone.open()
    clock.us = 60_000_000
    microphone.read()
    assert microphone.read() == Gap(48_000, "the microphone was read too late", 2_100_000)


def test_a_microphone_that_is_there_but_delivers_nothing_is_as_good_as_gone() -> None:
    microphone, _ = source(Lines([b"", b""]))
    microphone.open()
    with pytest.raises(MicrophoneError, match="delivers nothing"):
        microphone.read()


def test_interrupting_gives_what_is_there_and_then_ends() -> None:
    lines = Lines([b"", b""])
    microphone, _ = source(lines)
    microphone.open()

    def interrupted(_limit_ms: int) -> bool:
        microphone.interrupt()
        lines.script = [period(700)]
        return True

    lines.wait = interrupted  # type: ignore[method-assign]
    rest = microphone.read()
    assert isinstance(rest, Sound)
    assert rest.samples == 700
    with pytest.raises(MicrophoneError, match="let go"):
        microphone.read()


def test_opening_it_again_forgets_the_interruption() -> None:
    again = Lines([b"", b"", period()])
    microphone, _ = source(Lines([]), again)
    microphone.open()
    microphone.interrupt()
    microphone.open()
    assert isinstance(microphone.read(), Sound)


def test_a_device_that_fails_as_it_starts_is_closed_and_refused() -> None:
    lines = Lines([MicrophoneError("the microphone failed", "plug it in again")])
    microphone, _ = source(lines)
    with pytest.raises(MicrophoneError):
        microphone.open()
    assert lines.closed


def patient(failures: int, patience_s: float) -> tuple[AlsaSource, list[str]]:
    """A microphone that appears after having been looked for so many times."""
    tried: list[str] = []

    def open_stream(device: str, _sound: SoundFormat) -> Lines:
        tried.append(device)
        if len(tried) <= failures:
            raise MicrophoneError("no such device", "plug it in")
        return Lines([b"", period()])

    return AlsaSource("hw:CARD=Mic", clock=SystemClock(), open_stream=open_stream, patience_s=patience_s), tried


def test_a_microphone_that_gets_its_power_with_the_light_is_waited_for() -> None:
    microphone, tried = patient(3, 30.0)
    microphone.open()
    assert len(tried) == 4
    microphone.close()


def test_without_patience_a_microphone_that_is_not_there_is_refused_at_once() -> None:
    microphone, tried = patient(1, 0.0)
    with pytest.raises(MicrophoneError):
        microphone.open()
    assert len(tried) == 1


def test_waiting_for_a_microphone_can_be_interrupted() -> None:
    microphone, _ = patient(10_000, 600.0)
    timer = threading.Timer(0.15, microphone.interrupt)
    timer.start()
    with pytest.raises(MicrophoneError):
        microphone.open()
    timer.join()


def test_a_gain_that_does_not_take_keeps_the_microphone_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def refuse(card: Card) -> None:
        raise MicrophoneError(f"the gain of {card.id} is muted", "set it")

    def open_stream(device: str, _sound: SoundFormat) -> Lines:
        opened.append(device)
        return Lines([])

    cards: Callable[[object], Card] = lambda _identity: Card(2, "Mic")  # noqa: E731
    monkeypatch.setattr("device.capture.microphone.find_card", cards)
    from device.capture.sound_cards import Identity

    pinned = AlsaSource(Identity(card="Mic"), clock=Now(), open_stream=open_stream, pin_gain=refuse)
    with pytest.raises(MicrophoneError, match="muted"):
        pinned.open()
    assert not opened
    plain = AlsaSource(Identity(card="Mic"), clock=Now(), open_stream=open_stream, pcm=3)
    plain.open()
    assert opened == ["hw:CARD=Mic,DEV=3"]
