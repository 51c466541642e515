"""A microphone of this machine, through ALSA: the only home of pyalsaaudio.

The format is negotiated from the best downwards and recorded as it is: ALSA's "plug" layer would convert silently, so
what a device does not offer itself is not asked for a second time in another guise.
"""

from __future__ import annotations

from typing import Final

from device.capture.packets import Gap, Sound, SoundFormat, Wire
from device.clock import Clock
from device.errors import MicrophoneError, MissingPackageError

try:
    import alsaaudio
except ImportError as problem:
    raise MissingPackageError(
        "the ALSA package is not installed", "install it: pip install 'sotto[alsa]' (it needs libasound2-dev)"
    ) from problem

_RATE_HZ: Final = 48_000
_PERIOD_SAMPLES: Final = 4800
# Four seconds of hardware buffer where the driver has it: the reader may be late, the sound may not be lost.
_PERIODS: Final = 40
_WIRES: Final = (
    (Wire.S32_LE, alsaaudio.PCM_FORMAT_S32_LE),
    (Wire.S24_3LE, alsaaudio.PCM_FORMAT_S24_3LE),
    (Wire.S16_LE, alsaaudio.PCM_FORMAT_S16_LE),
)
_OVERRUN: Final = -32  # -EPIPE (snd_pcm_readi)
_HINT: Final = "check its cable and its name: arecord -L lists the devices"


class AlsaSource:
    """One ALSA capture device, named as ALSA names it; keeps the contract of ``Microphone``."""

    def __init__(self, device: str, *, clock: Clock) -> None:
        self._device = device
        self._clock = clock
        self._pcm: alsaaudio.PCM | None = None
        self._format: SoundFormat | None = None
        self._end_us = 0

    @property
    def name(self) -> str:
        return f"alsa: {self._device}"

    def open(self) -> SoundFormat:
        self.close()
        for channels in (2, 1):
            for wire, alsa_format in _WIRES:
                if self._opens(channels, alsa_format):
                    self._format = SoundFormat(_RATE_HZ, channels, wire)
                    self._end_us = self._clock.now_us()
                    return self._format
        raise MicrophoneError(f"the microphone {self._device} offers neither 24 nor 16 bits at 48 kHz", _HINT)

    def _opens(self, channels: int, alsa_format: int) -> bool:
        try:
            pcm = alsaaudio.PCM(
                type=alsaaudio.PCM_CAPTURE,
                mode=alsaaudio.PCM_NORMAL,
                device=self._device,
                rate=_RATE_HZ,
                channels=channels,
                format=alsa_format,
                periodsize=_PERIOD_SAMPLES,
                periods=_PERIODS,
            )
        except alsaaudio.ALSAAudioError as problem:
            raise MicrophoneError(f"the microphone {self._device} could not be opened: {problem}", _HINT) from problem
        got = pcm.info()
        if (got["rate"], got["channels"], got["format"]) == (_RATE_HZ, channels, alsa_format):
            self._pcm = pcm
            return True
        pcm.close()
        return False

    def read(self) -> Sound | Gap:
        pcm, sound = self._pcm, self._format
        if pcm is None or sound is None:
            raise MicrophoneError("the microphone is not open", _HINT)
        try:
            count, data = pcm.read()
        except alsaaudio.ALSAAudioError as problem:
            raise MicrophoneError(f"the microphone is gone: {problem}", "plug it in again") from problem
        now_us = self._clock.now_us()
        if count == _OVERRUN:
            lost = sound.samples(now_us - self._end_us)
            self._end_us = now_us
            return Gap(lost, "the microphone was read too late", now_us)
        if count < 0 or not data:
            raise MicrophoneError("the microphone is gone", "plug it in again")
        self._end_us = now_us
        return Sound(data, len(data) // sound.frame_bytes, now_us)

    def close(self) -> None:
        pcm, self._pcm = self._pcm, None
        if pcm is not None:
            pcm.close()
