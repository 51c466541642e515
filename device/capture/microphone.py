"""A microphone of this machine: pinned to one card, recorded as it is, every loss counted.

The format is negotiated from the best downwards: ALSA's "plug" layer would convert silently, so what a device does not
offer itself is not asked for a second time in another guise.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from device.capture.packets import Gap, Sound, SoundFormat, Wire
from device.capture.promptness import be_prompt
from device.capture.sound_cards import Card, Identity, find_card
from device.clock import Clock
from device.errors import MicrophoneError

_RATE_HZ: Final = 48_000
# A card that is there, but delivers nothing for so long, is as good as gone.
_DEAF_MS: Final = 2000
_LOOK_AGAIN_US: Final = 100_000
_TOO_LATE: Final = "the microphone was read too late"


class Overrun(Exception):  # noqa: N818  # no error: the stream goes on, some of it is lost
    """The buffer was full before it was read: everything in it, and what came until the next read, is lost."""


class Stream(Protocol):
    """One open capture stream of one device. One thread reads it; ``interrupt`` may come from any."""

    @property
    def fits(self) -> bool:
        """Whether the device takes exactly what was asked for; ALSA gives what is nearest without a word."""

    def read(self) -> bytes:
        """What is there, up to a period; empty where nothing is. Never waits; the first one starts the clock.

        Raises:
            Overrun: some of it was lost. The next ``read`` starts the clock again.
            MicrophoneError: the device is gone, or failed.
        """

    def wait(self, limit_ms: int) -> bool:
        """Wait for a period to be there, for the device to fail, or for ``interrupt``: ``False`` after ``limit_ms``."""

    def captured_at_us(self) -> int | None:
        """When the last sample that ``read`` gave had been taken (monotonic); ``None`` where the device cannot say."""

    def interrupt(self) -> None:
        """End a ``wait``, now and from now on. Harmless once it is closed."""

    def close(self) -> None:
        """Let the device go."""


class AlsaSource:
    """One capture device of one card; keeps the contract of ``Microphone``."""

    def __init__(
        self,
        which: Identity | str,
        *,
        clock: Clock,
        open_stream: Callable[[str, SoundFormat], Stream],
        pcm: int = 0,
        pin_gain: Callable[[Card], None] | None = None,
        patience_s: float = 0.0,
    ) -> None:
        """The thread that opens it is made prompt, where that is allowed, since it is the one that reads.

        ``which``: the card, and ``pcm`` which of its devices; or any name that ALSA knows, taken as it is.

        ``pin_gain`` is called at every ``open``: a reboot, or a program that knows better, resets mixers. Whatever it
        raises keeps the microphone closed. ``patience_s``: how long a card may take to appear, for one that has no
        power until the room light is on.
        """
        self._which = which
        self._pcm = pcm
        self._pin_gain = pin_gain
        self._open_stream = open_stream
        self._clock = clock
        self._patience_us = round(patience_s * 1_000_000)
        self._condition = threading.Condition()
        self._stream: Stream | None = None
        self._format: SoundFormat | None = None
        self._held: Sound | None = None
        self._end_us = 0
        self._interrupted = False

    @property
    def name(self) -> str:
        return f"alsa: {self._which}"

    @property
    def stands_in(self) -> bool:
        return False

    def open(self) -> SoundFormat:
        self.close()
        be_prompt()
        self._interrupted = False
        until_us = self._clock.now_us() + self._patience_us
        while True:
            try:
                return self._open_now()
            except MicrophoneError:
                if self._interrupted or self._clock.now_us() >= until_us:
                    raise
            with self._condition:
                self._clock.wait(self._condition, self._clock.now_us() + _LOOK_AGAIN_US)

    def _open_now(self) -> SoundFormat:
        device = self._device()
        for sound in _formats():
            stream = self._open_stream(device, sound)
            if stream.fits:
                return self._begin(stream, sound)
            stream.close()
        raise MicrophoneError(
            f"the microphone {device} offers neither 24 nor 16 bits at 48 kHz",
            "use another: docs/hardware.md lists some",
        )

    def _device(self) -> str:
        """The name by which ALSA knows the device now, its gain pinned."""
        if isinstance(self._which, str):
            return self._which
        card = find_card(self._which)
        if self._pin_gain is not None:
            self._pin_gain(card)
        return f"hw:CARD={card.id},DEV={self._pcm}"

    def _begin(self, stream: Stream, sound: SoundFormat) -> SoundFormat:
        self._stream, self._format, self._held = stream, sound, None
        self._end_us = self._clock.now_us()
        try:
            with contextlib.suppress(Overrun):
                self._held = self._whatever_is_there(stream, sound)
        except MicrophoneError:
            self.close()
            raise
        return sound

    def read(self) -> Sound | Gap:
        stream, sound, held = self._stream, self._format, self._held
        if stream is None or sound is None:
            raise MicrophoneError("the microphone is not open", "plug it in again")
        if self._interrupted:
            raise _let_go()
        if held is not None:
            self._held = None
            return self._taken(held)
        lost, stands_still = False, False
        while True:
            # Without a wait it would be read a few samples at a time, as often as it is asked.
            if not (stands_still or self._interrupted or stream.wait(_DEAF_MS)):
                raise MicrophoneError("the microphone is there, but delivers nothing", "plug it in again")
            try:
                period = self._whatever_is_there(stream, sound)
                stands_still = False
            except Overrun:
                lost = stands_still = True  # until the next read starts its clock again
                continue
            if period is not None:
                return self._after_loss(period, sound) if lost else self._taken(period)
            if self._interrupted:
                raise _let_go()

    def interrupt(self) -> None:
        self._interrupted = True
        with self._condition:
            self._condition.notify()
        if (stream := self._stream) is not None:
            stream.interrupt()

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _whatever_is_there(self, stream: Stream, sound: SoundFormat) -> Sound | None:
        data = stream.read()
        if not data:
            return None
        now_us = self._clock.now_us()
        at_us = stream.captured_at_us()
        # A time that cannot be is a driver's that keeps none; what was read has passed in any case.
        known = at_us is not None and self._end_us < at_us <= now_us
        return Sound(data, len(data) // sound.frame_bytes, at_us if known and at_us is not None else now_us)

    def _taken(self, period: Sound) -> Sound:
        self._end_us = period.end_us
        return period

    def _after_loss(self, period: Sound, sound: SoundFormat) -> Gap:
        """What was lost: from the last sample before to the first one after, both as the device dates them."""
        start_us = period.end_us - sound.us(period.samples)
        gap = Gap(sound.samples(max(0, start_us - self._end_us)), _TOO_LATE, start_us)
        self._held = period
        self._end_us = start_us
        return gap


def _let_go() -> MicrophoneError:
    return MicrophoneError("the microphone was let go", "press CONSENT, then RECORD, to begin again")


def _formats() -> Iterator[SoundFormat]:
    for channels in (2, 1):
        for wire in (Wire.S32_LE, Wire.S24_3LE, Wire.S16_LE):
            yield SoundFormat(_RATE_HZ, channels, wire)
