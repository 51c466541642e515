"""``python -m tests.bench.with_packets PACKETS VERB …``: the program that ships, with a camera that encodes by itself.

Its camera is a program that sends ready-made packets; all else of the box is as ever.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from device import compose_camera
from device.capture.camera import MOST_BITS_PER_S, ChildCamera
from device.capture.packets import Camera
from device.clock import Clock


def main(words: list[str]) -> int:
    """Run it."""
    packets, *verb = words

    def ready_camera(size: tuple[int, int], _fps: int, *, clock: Clock, bitrate: int = MOST_BITS_PER_S) -> Camera:
        def command() -> list[str]:
            start_us = time.monotonic_ns() // 1000
            return [sys.executable, "-m", "tests.bench.frames", "--ready", str(Path(packets)), str(start_us)]

        return ChildCamera(name="ready-made packets", size=size, command=command, bitrate=bitrate)

    compose_camera.clock_camera = ready_camera  # type: ignore[assignment]  # in the measured program only
    from device.cli import main as program

    return program(verb)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
