"""What is looked for in a recording that a guest made, and when it happened by the guest's clock."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.appliance.box import Box, Recorded
from tests.support import said

RATE_HZ: Final = 48_000
FRAME_BYTES: Final = 6
_WHITE: Final = 225


def place_us(opened: Recorded, samples: bytes) -> int:
    """When the recording says that this was heard, on the guest's monotonic clock."""
    at = opened.sound.index(samples)
    assert at % FRAME_BYTES == 0
    return opened.zero_us + at // FRAME_BYTES * 1_000_000 // RATE_HZ


def picture_times_s(mp4: Path) -> list[float]:
    """When each picture is to be shown, in seconds of the file."""
    words = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pts_time", "-of", "csv=p=0"]
    return sorted(float(line.strip(",")) for line in said([*words, mp4]).decode().split())


def whiteness(mp4: Path) -> list[bool]:
    """Whether each picture, in the order in which they are shown, is white."""
    words = [
        "-map",
        "0:v",
        "-fps_mode",
        "passthrough",
        "-vf",
        "scale=1:1:flags=area,format=gray",
        "-f",
        "rawvideo",
        "-",
    ]
    return [level > _WHITE for level in said(["ffmpeg", "-v", "error", "-i", mp4, *words])]


def pictures_go_on(box: Box) -> None:
    """Wait until more pictures are taken than so far."""
    more = box.status()["recording"]["pictures"] + 5
    box.until(f"""[ "$(grep -oE '"pictures":[0-9]+' /run/sotto/status.json | cut -d: -f2)" -gt {more} ]""", seconds=60)
