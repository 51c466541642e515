"""ALSA, the way a microphone uses it: the only home of pyalsaaudio.

Here its numbers get names, its errors become ours, and a read can be waited for without being stuck in it. What all of
it means for a recording is decided in ``device.capture.microphone``.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import threading
from dataclasses import dataclass
from typing import Final

from device.capture.microphone import AlsaSource, Overrun
from device.capture.packets import PERIOD_US, SoundFormat, Wire
from device.capture.sound_cards import Identity
from device.clock import Clock
from device.errors import MicrophoneError, MissingPackageError

try:
    import alsaaudio
except ImportError as problem:
    raise MissingPackageError(
        "the ALSA package is not installed", "install it: pip install 'sotto[alsa]' (it needs libasound2-dev)"
    ) from problem

_FORMATS: Final = {
    Wire.S32_LE: alsaaudio.PCM_FORMAT_S32_LE,
    Wire.S24_3LE: alsaaudio.PCM_FORMAT_S24_3LE,
    Wire.S16_LE: alsaaudio.PCM_FORMAT_S16_LE,
}
# Four seconds of hardware buffer where the driver has it: the reader may be late, the sound may not be lost.
_PERIODS: Final = 17
_OVERRUN: Final = -32  # -EPIPE (snd_pcm_readi)
_BUSY_HINT: Final = "another program uses it: end that one (fuser -v /dev/snd/* names it)"
_NAME_HINT: Final = "check its cable and its name: arecord -L lists the devices"


@dataclass(frozen=True, slots=True)
class Gain:
    """How a capture control of a card has to stand: ``percent`` of its range, and not muted."""

    control: str
    percent: int


def alsa_microphone(
    which: Identity | str, *, clock: Clock, pcm: int = 0, gain: Gain | None = None, patience_s: float = 0.0
) -> AlsaSource:
    """A microphone of this machine; nothing is open yet."""
    pin = None if gain is None else lambda card: pin_gain(card.index, gain)
    return AlsaSource(which, clock=clock, open_stream=AlsaStream, pcm=pcm, pin_gain=pin, patience_s=patience_s)


class AlsaStream:
    """An open capture stream; keeps the contract of ``Stream``.

    Source: alsa-lib's ``pcm.c`` (``snd_pcm_readi``, ``snd_pcm_htimestamp``), pyalsaaudio 0.11.
    """

    def __init__(self, device: str, sound: SoundFormat) -> None:
        """Open the device. Its clock starts with the first read.

        Raises:
            MicrophoneError: it cannot be opened.
        """
        self._rate_hz = sound.rate_hz
        try:
            self._pcm = alsaaudio.PCM(
                type=alsaaudio.PCM_CAPTURE,
                mode=alsaaudio.PCM_NONBLOCK,
                device=device,
                rate=sound.rate_hz,
                channels=sound.channels,
                format=_FORMATS[sound.wire],
                periodsize=sound.samples(PERIOD_US),
                periods=_PERIODS,
            )
        except alsaaudio.ALSAAudioError as problem:
            hint = _BUSY_HINT if os.strerror(errno.EBUSY) in str(problem) else _NAME_HINT
            raise MicrophoneError(f"the microphone {device} could not be opened: {problem}", hint) from problem
        got = self._pcm.info()
        self.fits = (got["rate"], got["channels"], got["format"]) == (
            sound.rate_hz,
            sound.channels,
            _FORMATS[sound.wire],
        )
        with contextlib.suppress(RuntimeError, alsaaudio.ALSAAudioError):  # a device without them is timed by its reads
            self._pcm.set_tstamp_mode(alsaaudio.PCM_TSTAMP_ENABLE)
            self._pcm.set_tstamp_type(alsaaudio.PCM_TSTAMP_TYPE_MONOTONIC)
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poll = select.poll()
        self._poll.register(self._wake, select.POLLIN)
        of_device = self._pcm.polldescriptors()
        self._of_device = [descriptor for descriptor, _ in of_device]
        for descriptor, events in of_device:
            self._poll.register(descriptor, events)
        self._waking = threading.Lock()
        self._open = True

    def read(self) -> bytes:
        try:
            count, data = self._pcm.read()
        except alsaaudio.ALSAAudioError as problem:
            raise self._failure(str(problem)) from problem
        if count == _OVERRUN:
            raise Overrun
        if count < 0:
            raise self._failure(os.strerror(-count))
        return bytes(data)

    def wait(self, limit_ms: int) -> bool:
        got = dict(self._poll.poll(limit_ms))
        with contextlib.suppress(alsaaudio.ALSAAudioError):  # what is wrong, the next read tells
            # A plug-in clears what woke us only when it is asked what that meant (snd_pcm_poll_descriptors_revents).
            self._pcm.polldescriptors_revents([(descriptor, got.get(descriptor, 0)) for descriptor in self._of_device])
        return bool(got)

    def captured_at_us(self) -> int | None:
        try:
            seconds, nanoseconds, waiting = self._pcm.htimestamp()
        except alsaaudio.ALSAAudioError:
            return None
        at_us = int(seconds) * 1_000_000 + int(nanoseconds) // 1000
        return at_us - int(waiting) * 1_000_000 // self._rate_hz if at_us else None

    def interrupt(self) -> None:
        with self._waking:  # a closed descriptor's number may be somebody else's by now
            if self._open:
                os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        self._pcm.close()
        with self._waking:
            self._open = False
            os.close(self._wake)

    def _failure(self, problem: str) -> MicrophoneError:
        if self._pcm.state() == alsaaudio.PCM_STATE_DISCONNECTED:
            return MicrophoneError("the microphone was unplugged", "plug it in again")
        return MicrophoneError(f"the microphone failed: {problem}", "plug it in again")


def read_gain(card_index: int, control: str) -> tuple[tuple[int, ...], bool]:
    """How a capture control stands: percent of its range for each channel, and whether it is muted.

    Raises:
        MicrophoneError: the card has no such control.
    """
    mixer = _mixer(card_index, control)
    try:
        return _standing(mixer)
    finally:
        mixer.close()


def pin_gain(card_index: int, gain: Gain) -> None:
    """Set a capture control, unmute it, and read back that it took.

    Raises:
        MicrophoneError: the card has no such control, or it does not take what it is given.
    """
    mixer = _mixer(card_index, gain.control)
    try:
        mixer.setvolume(gain.percent, alsaaudio.MIXER_CHANNEL_ALL, alsaaudio.PCM_CAPTURE)
        if _has_switch(mixer):
            mixer.setrec(1)
        percents, muted = _standing(mixer)
    except alsaaudio.ALSAAudioError as problem:
        raise MicrophoneError(
            f"the gain control {gain.control} cannot be set: {problem}", "take gain_control out, or name another"
        ) from problem
    finally:
        mixer.close()
    # A control of few steps takes the nearest: a step of ten percent is the coarsest that was met.
    if muted or any(abs(percent - gain.percent) > 10 for percent in percents):
        stands = "muted" if muted else f"at {percents[0]} %"
        raise MicrophoneError(
            f"the gain control {gain.control} was set to {gain.percent} %, but is {stands}",
            "set it with alsamixer, or choose another gain_percent",
        )


def capture_controls(card_index: int) -> list[str]:
    """The controls of a card that set a capture gain."""
    found = []
    for name in alsaaudio.mixers(cardindex=card_index):
        with contextlib.suppress(alsaaudio.ALSAAudioError):
            mixer = alsaaudio.Mixer(control=name, cardindex=card_index)
            if mixer.getvolume(alsaaudio.PCM_CAPTURE):  # a channel each; some share one control with the playback
                found.append(name)
            mixer.close()
    return found


def _mixer(card_index: int, control: str) -> alsaaudio.Mixer:
    try:
        return alsaaudio.Mixer(control=control, cardindex=card_index)
    except alsaaudio.ALSAAudioError as problem:
        raise MicrophoneError(
            f"the sound card has no gain control {control}: {problem}",
            "`sotto check` lists its controls; name one of them, or none, as gain_control",
        ) from problem


def _standing(mixer: alsaaudio.Mixer) -> tuple[tuple[int, ...], bool]:
    percents = tuple(mixer.getvolume(alsaaudio.PCM_CAPTURE))
    return percents, _has_switch(mixer) and not all(mixer.getrec())


def _has_switch(mixer: alsaaudio.Mixer) -> bool:
    return any("Capture Mute" in ability for ability in mixer.switchcap())
