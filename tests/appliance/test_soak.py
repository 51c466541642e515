"""The soak's own eye: it has to see a sample that is missing, or there twice, before its silence means anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.appliance.box import Recorded
from tests.appliance.soak import breaks, noise_block
from tests.support import said, write_wav

FRAME = 6


def recorded(folder: Path, sound: bytes, gaps: list[dict[str, int]]) -> Recorded:
    wav = write_wav(folder / "sound.wav", sound, rate_hz=48_000, channels=2, bits=24)
    mp4 = folder / "session.mp4"
    said(["ffmpeg", "-v", "error", "-i", wav, "-c:a", "flac", "-strict", "-2", mp4])
    return Recorded({"gaps": gaps}, mp4)


@pytest.mark.parametrize(
    ("sound", "gaps", "found"),
    [
        (lambda block: (block * 3)[600:-60], [], 0),
        (lambda block: block + block[:6000] + block[6006:] + block, [], 1),
        (lambda block: block + block[:6006] + block[6000:] + block, [], 1),
        (lambda block: block + block[:6000] + bytes(600) + block[12000:] + block, [], 1),
        (
            lambda block: block + block[:6000] + bytes(600) + block[12000:] + block,
            [{"start_sample": 481_000, "samples": 100}],
            0,
        ),
    ],
    ids=["whole", "a sample missing", "a sample twice", "a gap", "a gap that is marked"],
)
def test_a_break_is_found_unless_a_gap_is_marked_there(sound, gaps, found, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    compared, breaks_found = breaks(recorded(tmp_path, data := sound(noise_block()), gaps))
    assert (compared, breaks_found) == (len(data) // FRAME, found)
