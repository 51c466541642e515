"""Lets unmodified picamera2 drive libcamera's virtual camera; in the appliance's image only, imported before the rest.

The virtual camera has no raw stream, wants the planes of a buffer named one by one, and answers a request at once. A
sensor answers one request a frame period, and a frame for which none is waiting is lost: so it is here.
"""

from __future__ import annotations

import queue
import threading
import time
from typing import Any

import libcamera
import picamera2.platform

_FRAME_S = 1 / 15  # unless the configuration asks for another
_generate, _queue = libcamera.Camera.generate_configuration, libcamera.Camera.queue_request
_start, _stop = libcamera.Camera.start, libcamera.Camera.stop
_PlainBuffer = libcamera.FrameBuffer
_sensors: dict[str, Sensor] = {}


class Sensor:
    """Hands waiting requests to libcamera, one a frame period."""

    def __init__(self, camera: Any, frame_s: float) -> None:
        self.waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._camera, self._frame_s, self._ends = camera, frame_s, threading.Event()
        self._thread = threading.Thread(target=self._run, name="sensor", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        due_s = time.monotonic()
        while True:
            due_s += self._frame_s
            if self._ends.wait(max(0.0, due_s - time.monotonic())):
                return
            try:
                _queue(self._camera, self.waiting.get_nowait())
            except queue.Empty:
                continue

    def end(self) -> None:
        self._ends.set()
        self._thread.join()


def generate_configuration(camera: Any, roles: list[Any]) -> Any:
    raw, video = libcamera.StreamRole.Raw, libcamera.StreamRole.VideoRecording
    return _generate(camera, [video if role == raw else role for role in roles])


def start(camera: Any, *controls: Any) -> Any:
    limits = libcamera.controls.FrameDurationLimits
    frame_s = next((given[limits][0] / 1e6 for given in controls if limits in given), _FRAME_S)
    started = _start(camera, *controls)
    _sensors[camera.id] = Sensor(camera, frame_s)
    return started


def stop(camera: Any) -> Any:
    sensor = _sensors.pop(camera.id, None)
    if sensor is not None:
        sensor.end()
    return _stop(camera)


def queue_request(camera: Any, request: Any) -> Any:
    sensor = _sensors.get(camera.id)
    return _queue(camera, request) if sensor is None else sensor.waiting.put(request)


class FrameBuffer(_PlainBuffer):
    """NV12 in one piece of memory: two thirds luma, one third chroma."""

    def __init__(self, planes: list[Any]) -> None:
        if len(planes) == 1:
            luma, chroma = planes[0], _PlainBuffer.Plane()
            total = luma.length
            luma.length = total * 2 // 3
            chroma.fd, chroma.offset, chroma.length = luma.fd, luma.length, total - luma.length
            planes = [luma, chroma]
        super().__init__(planes)


libcamera.Camera.generate_configuration = generate_configuration
libcamera.Camera.queue_request = queue_request
libcamera.Camera.start, libcamera.Camera.stop = start, stop
libcamera.FrameBuffer = FrameBuffer
# As on a Pi 5, which has no encoder in hardware.
picamera2.platform._platform = picamera2.platform.Platform.PISP
