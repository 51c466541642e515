"""How much room a session needs, and what is left beyond it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from device.capture.ladder import Readings

# 24-bit stereo noise at 48 kHz, which FLAC cannot make smaller, with its padding.
SOUND_BYTES_PER_S: Final = 310_000
# What has to be left when the picture goes: two minutes of sound, for whatever else writes to the same disk.
MARGIN_BYTES: Final = 120 * SOUND_BYTES_PER_S
_PADDING_PERCENT: Final = 6  # of each chunk that picture is in, measured at 720p


def picture_bytes_per_s(bitrate: int) -> int:
    """What a picture of at most ``bitrate`` bits a second adds."""
    return bitrate * (100 + _PADDING_PERCENT) // 800


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the box knows apart from the recording itself. ``free_bytes`` is ``None`` while the store cannot be read."""

    machine: Readings
    free_bytes: int | None
    max_length_s: int

    def readings(self, *, elapsed_us: int, bitrate: int) -> Readings:
        """For the ladder, so long after the recording began: the machine, and the room beyond what is still needed."""
        if self.free_bytes is None:
            return self.machine
        left_s = max(0, self.max_length_s - elapsed_us // 1_000_000)
        spare = self.free_bytes - MARGIN_BYTES - left_s * SOUND_BYTES_PER_S
        with_picture = spare - left_s * picture_bytes_per_s(bitrate)
        return replace(self.machine, sound_spare_bytes=spare, picture_spare_bytes=with_picture)
