"""In the guest: picamera2 on libcamera; ``see.py SECONDS`` tells how many pictures came, and how far apart."""

import sys
import time
from itertools import pairwise

from picamera2 import Picamera2

seconds = float(sys.argv[1])
camera = Picamera2()
main = {"size": (320, 240), "format": "NV12"}
camera.configure(camera.create_video_configuration(main=main, raw=None, controls={"FrameRate": 15}))
at_ns: list[int] = []


def seen(request: object) -> None:
    at_ns.append(request.get_metadata()["SensorTimestamp"])  # type: ignore[attr-defined]


camera.pre_callback = seen
camera.start()
print("open", flush=True)
time.sleep(seconds)
camera.stop()
camera.close()
steps_ms = sorted((later - sooner) / 1e6 for sooner, later in pairwise(at_ns))
print(f"pictures {len(at_ns)} median_ms {steps_ms[len(steps_ms) // 2]:.1f} longest_ms {steps_ms[-1]:.1f}")
