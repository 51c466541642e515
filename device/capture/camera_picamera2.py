"""The real camera's program: libcamera through picamera2, the only home of that library.

It runs in the camera's own process. Encoding is picamera2's: the Pi 4's hardware encoder, libx264 elsewhere. Source:
the Picamera2 Manual, chapters 5 (controls) and 7 (encoders).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from device.capture.packets import Picture
from device.errors import CameraError, MissingPackageError

try:
    from libcamera import controls
    from picamera2 import Picamera2
    from picamera2.encoders import H264Encoder
    from picamera2.outputs import Output
except ImportError as problem:
    raise MissingPackageError(
        "the camera package is not installed", "install it: apt install python3-picamera2 (Raspberry Pi OS)"
    ) from problem

_BITRATE: Final = 2_000_000
_KEY_EVERY_S: Final = 2
_STILL_EVERY_S: Final = 0.5
_HINT: Final = "check the camera's cable, then: rpicam-hello --list-cameras"


def _boot_offset_us() -> int:
    """Libcamera stamps in CLOCK_BOOTTIME, which has run on wherever the machine has slept."""
    return (time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns()) // 1000


class _Sender(Output):  # type: ignore[misc]  # picamera2 has no types
    """Hands on what the encoder makes, with the sensor's time as everybody else's monotonic one."""

    def __init__(self, first_us: Callable[[], int], send: Callable[[Picture], None]) -> None:
        super().__init__()
        self._first_us = first_us
        self._send = send
        self._boot_offset_us = _boot_offset_us()
        self.failed = threading.Event()

    def outputframe(
        self,
        frame: bytes,
        keyframe: bool = True,  # noqa: FBT001, FBT002  # picamera2 calls it so
        timestamp: int | None = None,
        packet: object = None,  # noqa: ARG002
        audio: bool = False,  # noqa: FBT001, FBT002
    ) -> None:
        if audio or timestamp is None or self.failed.is_set():
            return
        try:
            at_us = self._first_us() + timestamp - self._boot_offset_us
            self._send(Picture(bytes(frame), at_us, key=keyframe))
        except OSError:
            self.failed.set()


def _configured(number: int, width: int, height: int, fps: int, *, frame_format: str) -> Picamera2:
    """The camera as a session sees it: what is looked at in a framing check is what will be recorded."""
    try:
        camera = Picamera2(number)
    except (IndexError, RuntimeError) as problem:
        raise CameraError(f"there is no camera {number}: {problem}", _HINT) from problem
    period_us = 1_000_000 // fps
    settings = {
        # A dim room: the exposure may take all of a period, but never so long that the rate falls.
        "FrameDurationLimits": (period_us, period_us),
        "AeExposureMode": controls.AeExposureModeEnum.Long,
    }
    offered = {name: value for name, value in settings.items() if name in camera.camera_controls}
    main = {"size": (width, height), "format": frame_format}
    camera.configure(camera.create_video_configuration(main=main, raw=None, controls=offered))
    return camera


def run_picamera2_stills(
    number: int, width: int, height: int, fps: int, *, frame_format: str, take: Callable[[bytes, int, int], None]
) -> None:
    """Hand frames of camera ``number`` to ``take``, two a second, until it fails: the buffer, its stride, when taken.

    Raises:
        CameraError: there is no such camera, or it cannot be started.
    """
    camera = _configured(number, width, height, fps, frame_format=frame_format)
    boot_offset_us = _boot_offset_us()
    stride = camera.stream_configuration("main")["stride"]
    camera.start()
    try:
        while True:
            next_s = time.monotonic() + _STILL_EVERY_S
            request = camera.capture_request()
            try:
                data, taken_ns = request.make_buffer("main").tobytes(), request.get_metadata()["SensorTimestamp"]
            finally:
                request.release()
            take(data, stride, taken_ns // 1000 - boot_offset_us)
            time.sleep(max(0.0, next_s - time.monotonic()))
    finally:
        camera.stop()
        camera.close()


def run_picamera2(
    number: int, width: int, height: int, fps: int, *, frame_format: str, send: Callable[[Picture], None]
) -> None:
    """Send the pictures of camera ``number`` until ``send`` fails; ``frame_format`` is picamera2's name for it.

    Raises:
        CameraError: there is no such camera, or it cannot be started.
    """
    camera = _configured(number, width, height, fps, frame_format=frame_format)
    encoder = H264Encoder(bitrate=_BITRATE, repeat=True, iperiod=_KEY_EVERY_S * fps, framerate=fps)
    sender = _Sender(lambda: int(encoder.firsttimestamp or 0), send)
    camera.start_recording(encoder, sender)
    try:
        sender.failed.wait()
    finally:
        camera.stop_recording()
        camera.close()
