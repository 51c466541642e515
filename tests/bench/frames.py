"""Pictures for the measurements: raw frames of something that moves and has noise, as a camera's do, 720p25.

    python -m tests.bench.frames FRAMES          a camera's program: codes them as the simulated camera does, and sends
    python -m tests.bench.frames --ready PACKETS START_US    sends ready-made packets when their time has come

Coding is the box's own ``H264Encoder``; frames are handed to it in one piece per plane, as picamera2 does.
"""

from __future__ import annotations

import argparse
import mmap
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from struct import Struct
from typing import Final

import av

from device.capture.camera import write_picture
from device.capture.packets import Picture
from device.capture.picture import KEY_EVERY, H264Encoder

SIZE: Final = (1280, 720)
FPS: Final = 25
FRAME_BYTES: Final = SIZE[0] * SIZE[1] * 3 // 2
_PERIOD_US: Final = 1_000_000 // FPS
_HEAD: Final = Struct(">IB")
_SCENE: Final = "testsrc2=size={0}x{1}:rate={2},format=yuv420p,noise=alls=4:allf=t"


def make_frames(path: Path, seconds: float) -> Path:
    """So many seconds of raw frames."""
    scene = _SCENE.format(*SIZE, FPS)
    source = ["-f", "lavfi", "-i", scene, "-t", str(seconds)]
    subprocess.run(["ffmpeg", "-v", "error", *source, "-f", "rawvideo", path], check=True)
    return path


def encode(frames: Path) -> Iterator[Picture]:
    """The pictures of those frames."""
    encoder = H264Encoder(*SIZE, FPS)
    luma = SIZE[0] * SIZE[1]
    with frames.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
        data = memoryview(held)
        for number in range(len(held) // FRAME_BYTES):
            frame, at = av.VideoFrame(*SIZE, "yuv420p"), number * FRAME_BYTES
            for plane, size in zip(frame.planes, (luma, luma // 4, luma // 4), strict=True):
                plane.update(data[at : at + size])
                at += size
            yield from encoder.encode(frame, number * _PERIOD_US)
        data.release()


def make_packets(frames: Path, path: Path) -> Path:
    """Ready-made packets of them, from one key picture to the next, so that they can be sent over and over."""
    with path.open("wb") as out:
        for number, picture in enumerate(encode(frames)):
            if number == KEY_EVERY * 2:
                break
            out.write(_HEAD.pack(len(picture.data), picture.key) + picture.data)
    return path


def read_packets(path: Path) -> list[tuple[bytes, bool]]:
    """Each packet, and whether it is a key picture."""
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        length, key = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        found.append((data[at : at + length], bool(key)))
        at += length
    return found


def send_ready(packets: Path, start_us: int, send: Callable[[Picture], None]) -> None:
    """Send them over and over, each when its time has come, until nobody listens."""
    ready = read_packets(packets)
    for number in count():
        at_us = start_us + number * _PERIOD_US
        time.sleep(max(0, at_us - time.monotonic_ns() // 1000) / 1e6)
        data, key = ready[number % len(ready)]
        send(Picture(data, at_us, key=key))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("frames", type=Path)
    parser.add_argument("start_us", type=int, nargs="?", default=0)
    parser.add_argument("--ready", action="store_true")
    asked = parser.parse_args()

    def send(picture: Picture) -> None:
        write_picture(sys.stdout.buffer, picture)

    try:
        if asked.ready:
            send_ready(asked.frames, asked.start_us, send)
        for picture in encode(asked.frames):
            send(picture)
    except BrokenPipeError:
        sys.stdout = None  # whoever looked is gone; nothing is left to be flushed to
    return 0


if __name__ == "__main__":
    sys.exit(main())
