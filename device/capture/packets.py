"""What travels from the devices to the encoder, and what a device promises.

Devices speak in monotonic microseconds; the recording counts sound in samples (per channel) and pictures in
microseconds from its first sample. Nothing here touches a device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from device.words import Rung


class Wire(StrEnum):
    """How a microphone lays a sample out in memory; the names are ALSA's (``snd_pcm_format_t``)."""

    S16_LE = "S16_LE"
    S24_3LE = "S24_3LE"
    S32_LE = "S32_LE"  # 24 bits in the upper three bytes, as ALSA drivers of 24-bit converters deliver them

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample of one channel."""
        return _SAMPLE_BYTES[self]

    @property
    def bits(self) -> int:
        """Significant bits of a sample."""
        return 16 if self is Wire.S16_LE else 24


# How much sound is read at a time. Whatever wakes costs, and nobody has to hear of a sound sooner; three of them are a
# fragment of quiet sound.
PERIOD_US: Final = 240_000
SILENCE_DBFS: Final = -144.5  # the least that 24 bits can say
_SAMPLE_BYTES: Final = {Wire.S16_LE: 2, Wire.S24_3LE: 3, Wire.S32_LE: 4}


@dataclass(frozen=True, slots=True)
class SoundFormat:
    """What a microphone delivers: recorded as it is, never converted."""

    rate_hz: int
    channels: int
    wire: Wire

    @property
    def bits(self) -> int:
        """Significant bits of a sample."""
        return self.wire.bits

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of all channels, as delivered."""
        return self.channels * self.wire.sample_bytes

    def us(self, samples: int) -> int:
        """How long ``samples`` take, in microseconds."""
        return samples * 1_000_000 // self.rate_hz

    def samples(self, duration_us: int) -> int:
        """How many samples fit ``duration_us``, to the nearest."""
        return (duration_us * self.rate_hz + 500_000) // 1_000_000


class Sound(NamedTuple):
    """One period as the microphone delivered it: ``samples`` × channels, interleaved, in its own wire format.

    ``end_us`` is the monotonic time at which its last sample had been taken.
    """

    data: bytes
    samples: int
    end_us: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Sound that the microphone lost: ``samples`` of it, why, and when it had passed (monotonic)."""

    samples: int
    cause: str
    end_us: int


@dataclass(frozen=True, slots=True)
class Picture:
    """One encoded H.264 access unit in Annex-B, with its parameter sets in-band at every key frame.

    ``at_us`` is the monotonic time of its exposure; in the muxer, microseconds since the recording's first sample.
    """

    data: bytes
    at_us: int
    key: bool


class Level(NamedTuple):
    """The sound of one period: ``peak_dbfs`` of its loudest sample, ``rms_dbfs`` of all of it (a full-scale sine has
    -3), loudness of the last 400 ms (``None``: silence), and how many samples stand at the end of the scale.
    """

    peak_dbfs: float
    loudness_lufs: float | None
    rms_dbfs: float = SILENCE_DBFS
    clipped: int = 0


class Frames(NamedTuple):
    """FLAC frames, one behind the other in ``data``: the bytes of each, and its samples (per channel)."""

    data: bytes
    sizes: Sequence[int]
    samples: Sequence[int]


class Microphone(Protocol):
    """A source of sound. One thread owns it from ``open`` to ``close``; the two may alternate any number of times.

    Creating one opens nothing: between ``close`` and ``open`` no device is held (promise P1).
    """

    @property
    def name(self) -> str:
        """The identity of the device that is, or was last, open, for the manifest."""

    @property
    def stands_in(self) -> bool:
        """Whether that is not the one that was asked for, but a second that took its place."""

    def open(self) -> SoundFormat:
        """Open the device and start its clock.

        Raises:
            MicrophoneError: it is not there, is busy, or offers no format that can be recorded as it is.
        """

    def read(self) -> Sound | Gap:
        """The next period, as soon as it is there: a quarter of a second at most.

        Raises:
            MicrophoneError: the device is gone, or ``interrupt`` was called. What it delivered before has been read.
        """

    def interrupt(self) -> None:
        """From any thread: end a ``read`` under way with what is there, and let all others raise until ``open``."""

    def close(self) -> None:
        """Let the device go. Harmless when it is not open; never raises."""


class Camera(Protocol):
    """A source of encoded pictures. One thread owns it from ``open`` to ``close``; ``kill`` may come from any."""

    @property
    def name(self) -> str:
        """The identity of the device, for the manifest."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture in pixels."""

    @property
    def bitrate(self) -> int:
        """Bits a second that the whole picture takes at most."""

    def open(self) -> None:
        """Start the camera.

        Raises:
            CameraError: it is not there, or could not be started.
        """

    def read(self) -> Picture:
        """The next picture.

        Raises:
            CameraError: none came for two seconds, or the camera is gone.
        """

    def close(self) -> None:
        """Let the camera go within 150 ms, by force if need be. Harmless when it is not open; never raises."""

    def kill(self) -> None:
        """Let the camera go now, from whatever thread: a ``read`` under way raises ``CameraError``."""

    def step(self, rung: Rung) -> None:
        """Have it do as much as ``rung`` says, now and whenever it is opened, until another is said.

        From whatever thread; returns at once, and never raises: a camera that hangs does not hear it. ``NO_PICTURE`` is
        for whoever owns it to carry out.
        """


# A sign byte for every possible top byte: what extends a 24-bit sample to 32 bits.
_SIGN = bytes(0xFF if top & 0x80 else 0x00 for top in range(256))


def widen(data: bytes, wire: Wire) -> bytearray:
    """Samples of any wire format as little-endian int32, right-justified: the form that the vendors' libraries take.

    Strided copies instead of a loop: under a thousandth of a core for 24-bit stereo, and no numeric library needed.
    (Where it was built, ``native.c`` does it for a tenth of that.)
    """
    step = wire.sample_bytes
    wide = bytearray(len(data) // step * 4)
    if wire is Wire.S16_LE:
        wide[0::4], wide[1::4] = data[0::2], data[1::2]
        wide[2::4] = wide[3::4] = data[1::2].translate(_SIGN)
    else:
        low = step - 3
        wide[0::4], wide[1::4], wide[2::4] = data[low::step], data[low + 1 :: step], data[low + 2 :: step]
        wide[3::4] = data[low + 2 :: step].translate(_SIGN)
    return wide
