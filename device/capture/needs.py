"""How much room a session needs, and what is left beyond it. Pure.

Three lines, from above. A session is offered with its picture while all of it fits with the margin to spare, and with
its sound while that fits with the reserve. While one runs, its picture goes when the rest of its sound no longer fits
with the margin to spare (the ladder); and where others eat into the reserve, it is sealed and stopped.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from device.capture.ladder import Readings

# 24-bit stereo noise at 48 kHz, which FLAC cannot make smaller, with its padding.
SOUND_BYTES_PER_S: Final = 310_000
# What has to be left when a recording is stopped for want of room: the most that can wait for the disk then (a minute
# of sound, device/capture/backlog.py), and what has to be written after it. That is the end mark (64 KiB), the manifest
# beside the one before, the mark of a withdrawal, the certificate of its erasure, and what a file system adds to each.
# What is set aside for the recording that runs (2 MiB, device/sealed_file.py) counts as used: that is more to spare.
AFTERWARDS_BYTES: Final = 4 << 20
RESERVE_BYTES: Final = 60 * SOUND_BYTES_PER_S + AFTERWARDS_BYTES
# What has to be left when the picture goes: two minutes of sound more, for whatever else writes to the same disk.
MARGIN_BYTES: Final = RESERVE_BYTES + 120 * SOUND_BYTES_PER_S
_PADDING_PERCENT: Final = 6  # of each chunk that picture is in, measured at 720p


def picture_bytes_per_s(bitrate: int) -> int:
    """What a picture of at most ``bitrate`` bits a second adds."""
    return bitrate * (100 + _PADDING_PERCENT) // 800


def session_bytes(max_length_s: int, *, bitrate: int | None) -> int:
    """Room for a whole session, and what has to be left after it; with a picture of ``bitrate``, or without (``None``).

    With a picture that is just what the ladder asks for at the start to leave it whole.
    """
    if bitrate is None:
        return RESERVE_BYTES + max_length_s * SOUND_BYTES_PER_S
    return MARGIN_BYTES + max_length_s * (SOUND_BYTES_PER_S + picture_bytes_per_s(bitrate))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the box knows apart from the recording itself. ``free_bytes`` is ``None`` while the store cannot be read."""

    machine: Readings
    free_bytes: int | None
    max_length_s: int

    @property
    def full(self) -> bool:
        """Whether the reserve has been broken into."""
        return self.free_bytes is not None and self.free_bytes < RESERVE_BYTES

    def readings(self, *, elapsed_us: int, bitrate: int) -> Readings:
        """For the ladder, so long after the recording began: the machine, and the room beyond what is still needed."""
        if self.free_bytes is None:
            return self.machine
        left_s = max(0, self.max_length_s - elapsed_us // 1_000_000)
        spare = self.free_bytes - MARGIN_BYTES - left_s * SOUND_BYTES_PER_S
        with_picture = spare - left_s * picture_bytes_per_s(bitrate)
        return replace(self.machine, sound_spare_bytes=spare, picture_spare_bytes=with_picture)
