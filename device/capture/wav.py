"""WAV files as a simulated microphone plays them: 16 or 24 bits, one or two channels, as they are.

The standard library's ``wave`` refuses the "extensible" header that 24-bit files have before Python 3.12, hence this.
Source: Microsoft's "Multiple Channel Audio Data and WAVE Files".
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from struct import error, unpack_from
from typing import Final

from device.capture.packets import SoundFormat, Wire
from device.errors import MicrophoneError

_PCM: Final = 1
_EXTENSIBLE: Final = 0xFFFE
_WIRES: Final = {16: Wire.S16_LE, 24: Wire.S24_3LE}
_HINT: Final = "give a WAV of 16 or 24 bits, one or two channels: sox in.wav -b 24 -c 2 -r 48k out.wav"


@dataclass(frozen=True, slots=True)
class Wav:
    """Where a file keeps its sound: ``samples`` (per channel) from byte ``offset`` on."""

    path: Path
    sound: SoundFormat
    offset: int
    samples: int


def read_wav(path: Path) -> Wav:
    """Find the sound in a WAV file.

    Raises:
        MicrophoneError: it is no WAV, is empty, or holds what no microphone here delivers.
    """
    try:
        with path.open("rb") as file:
            head = file.read(1 << 16)
            size = file.seek(0, 2)
    except OSError as problem:
        raise MicrophoneError(f"{path.name} cannot be read: {problem.strerror}", "name another WAV file") from problem
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        raise MicrophoneError(f"{path.name} is not a WAV file", _HINT)
    try:
        return _parse(path, head, size)
    except error as problem:
        raise MicrophoneError(f"{path.name} is cut off before its sound", _HINT) from problem


def _parse(path: Path, head: bytes, size: int) -> Wav:
    sound: SoundFormat | None = None
    at = 12
    while True:
        kind, length = head[at : at + 4], unpack_from("<I", head, at + 4)[0]
        if kind == b"fmt ":
            sound = _format(path, head, at + 8)
        if kind == b"data":
            break
        at += 8 + length + length % 2
    if sound is None:
        raise MicrophoneError(f"{path.name} does not say what its sound is", _HINT)
    # A program that was killed while it wrote leaves a length of zero or all ones: the file itself knows better.
    there = size - at - 8
    samples = (min(length, there) if length > 0 else there) // sound.frame_bytes
    if samples == 0:
        raise MicrophoneError(f"{path.name} holds no sound", "give a WAV with at least one sample")
    return Wav(path, sound, at + 8, samples)


def _format(path: Path, head: bytes, at: int) -> SoundFormat:
    kind, channels, rate_hz, _, _, bits = unpack_from("<HHIIHH", head, at)
    if kind == _EXTENSIBLE:
        kind = unpack_from("<H", head, at + 24)[0]
    if kind != _PCM or bits not in _WIRES or channels not in {1, 2} or not 8000 <= rate_hz <= 192_000:
        what = f"{channels} channels of {bits} bits at {rate_hz} Hz" if kind == _PCM else "sound that is not plain PCM"
        raise MicrophoneError(f"{path.name} holds {what}, which is not recorded here", _HINT)
    return SoundFormat(rate_hz=rate_hz, channels=channels, wire=_WIRES[bits])
