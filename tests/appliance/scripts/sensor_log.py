"""In the guest, imported by picamera2: notes when each picture was taken, and makes those of every tenth second white.

A line a picture in ``/run/sotto/sensor.log``: the sensor's time and the time it was handed over (monotonic
microseconds), and whether it is white.
"""

import time
from pathlib import Path

import libcamera
import picamera2.request

_plain = picamera2.request.CompletedRequest.__init__
_log = Path("/run/sotto/sensor.log").open("a", buffering=1)  # noqa: SIM115  # for as long as there is a camera


def _noted(self, request, *more):
    _plain(self, request, *more)
    sensor_us = request.metadata[libcamera.controls.SensorTimestamp] // 1000
    is_white = sensor_us // 1_000_000 % 10 == 0
    if is_white:
        with picamera2.request.MappedArray(self, "main", reshape=False) as picture:
            picture.array[:] = 235
    _log.write(f"{sensor_us} {time.monotonic_ns() // 1000} {is_white:d}\n")


picamera2.request.CompletedRequest.__init__ = _noted
