"""The real camera's program: libcamera through picamera2, the only home of that library.

It runs in the camera's own process. Encoding is picamera2's: ``H264Encoder`` is the Pi 4's hardware encoder where there
is one (its platform VC4), and libx264 elsewhere (``encoders/__init__.py`` decides). Source: the Picamera2 Manual,
chapters 5 (controls) and 7 (encoders), and picamera2's own code where the manual is silent.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final

from device.capture.packets import Picture
from device.capture.sensor import (
    KEY_EVERY_S,
    CameraSettings,
    Mode,
    bitrate_of,
    crop_of,
    flicker_period_us,
    frame_duration_limits_us,
    frame_rate_of,
    mode_for,
)
from device.errors import CameraError, MissingPackageError
from device.words import Rung

try:
    from libcamera import Transform, controls
    from picamera2 import Picamera2
    from picamera2.encoders import H264Encoder
    from picamera2.outputs import Output
except ImportError as problem:
    raise MissingPackageError(
        "the camera package is not installed", "install it: apt install python3-picamera2 (Raspberry Pi OS)"
    ) from problem

_STILL_EVERY_S: Final = 0.5
_HINT: Final = "check the camera's cable, then: rpicam-hello --list-cameras"
_LISTEN_S: Final = 0.2
_BUFFER_S: Final = 0.5


class _Encoder(H264Encoder):  # type: ignore[misc]  # picamera2 has no types
    """picamera2's, with a bound: its libx264 aims at the bitrate on the average, which a restless room exceeds."""

    def _start(self) -> None:
        super()._start()
        stream = getattr(self, "_stream", None)  # of the software encoder; the hardware's offers no more than a bitrate
        if stream is not None:
            bounds = {"maxrate": str(self.bitrate), "bufsize": str(int(self.bitrate * _BUFFER_S))}
            stream.codec_context.options = {**stream.codec_context.options, **bounds}


def _boot_offset_us() -> int:
    """Libcamera stamps in CLOCK_BOOTTIME, which has run on wherever the machine has slept."""
    return (time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns()) // 1000


class _Sender(Output):  # type: ignore[misc]  # picamera2 has no types
    """Hands on what the encoder makes, with the sensor's time as everybody else's monotonic one."""

    def __init__(self, first_us: Callable[[], int], send: Callable[[Picture], None], failed: threading.Event) -> None:
        super().__init__()
        self._first_us = first_us
        self._send = send
        self._boot_offset_us = _boot_offset_us()
        self._failed = failed

    def outputframe(
        self,
        frame: bytes,
        keyframe: bool = True,  # noqa: FBT001, FBT002  # picamera2 calls it so
        timestamp: int | None = None,
        packet: object = None,  # noqa: ARG002
        audio: bool = False,  # noqa: FBT001, FBT002
    ) -> None:
        if audio or timestamp is None or self._failed.is_set():
            return
        try:
            at_us = self._first_us() + timestamp - self._boot_offset_us
            self._send(Picture(bytes(frame), at_us, key=keyframe))
        except OSError:
            self._failed.set()


class _Running:
    """A camera that runs, and the encoder behind it."""

    def __init__(self, camera: Any, settings: CameraSettings, send: Callable[[Picture], None]) -> None:
        self._camera = camera
        self._settings = settings
        self._send = send
        self._rung = Rung.WHOLE
        self._encoder: Any = None
        self.failed = threading.Event()

    def start(self, rung: Rung) -> None:
        self._rung = rung
        self._start_encoder()
        self._camera.start()

    def stand_on(self, rung: Rung) -> None:
        """Go to another rung. A new bitrate takes a new encoder, which starts with a key picture."""
        before, self._rung = self._rung, rung
        if rung.rate_divisor != before.rate_divisor:
            limits = {"FrameDurationLimits": frame_duration_limits_us(self._settings.fps, rung)}
            self._camera.set_controls(_offered(self._camera, limits))
        if rung.bitrate_divisor != before.bitrate_divisor:
            self._camera.stop_encoder(self._encoder)
            self._start_encoder()

    def stop(self) -> None:
        self._camera.stop_recording()

    def _start_encoder(self) -> None:
        rate = frame_rate_of(self._settings, self._rung)
        bitrate = bitrate_of(self._settings, self._rung)
        encoder = _Encoder(bitrate=bitrate, repeat=True, iperiod=KEY_EVERY_S * rate, framerate=rate)
        # Each encoder counts from its own first picture, and it is told only then when that was.
        sender = _Sender(lambda: int(encoder.firsttimestamp or 0), self._send, self.failed)
        self._encoder = encoder
        self._camera.start_encoder(encoder, sender)


def run_picamera2(settings: CameraSettings, *, rung: Callable[[], Rung], send: Callable[[Picture], None]) -> None:
    """Send the pictures of a camera until ``send`` fails, on the rung that ``rung`` says at any moment.

    Raises:
        CameraError: there is no such camera, or it cannot be started.
    """
    stands = rung()
    camera = _configured(settings, stands)
    running = _Running(camera, settings, send)
    running.start(stands)
    try:
        while not running.failed.wait(_LISTEN_S):
            if (asked := rung()) is not stands:
                stands = asked
                running.stand_on(stands)
    finally:
        running.stop()
        camera.close()


def run_picamera2_stills(settings: CameraSettings, *, take: Callable[[bytes, int, int], None]) -> None:
    """Hand frames of a camera to ``take``, two a second, until it fails: the buffer, its stride, when taken.

    Raises:
        CameraError: there is no such camera, or it cannot be started.
    """
    camera = _configured(settings, Rung.WHOLE)
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


def _configured(settings: CameraSettings, rung: Rung) -> Any:
    """The camera as a session sees it: what is looked at in a framing check is what will be recorded."""
    try:
        camera = Picamera2(settings.number)
    except (IndexError, RuntimeError) as problem:
        raise CameraError(f"there is no camera {settings.number}: {problem}", _HINT) from problem
    _configure(camera, settings, rung)
    return camera


def _configure(camera: Any, settings: CameraSettings, rung: Rung) -> None:
    wanted: dict[str, Any] = {
        "FrameDurationLimits": frame_duration_limits_us(settings.fps, rung),
        "AeExposureMode": controls.AeExposureModeEnum.Long,  # first longer, then brighter: less noise in a dim room
    }
    if settings.mains_hz is not None:
        wanted["AeFlickerMode"] = controls.AeFlickerModeEnum.Manual
        wanted["AeFlickerPeriod"] = flicker_period_us(settings.mains_hz)
    mode = mode_for(_modes(camera), settings)
    sensor: dict[str, Any] = {}
    if mode is not None:
        sensor = {"output_size": mode.size, "bit_depth": mode.bit_depth}
        wanted["ScalerCrop"] = crop_of(mode.limits, settings)
    configuration = camera.create_video_configuration(
        main={"size": (settings.width, settings.height), "format": settings.frame_format},
        raw=None,
        transform=Transform(hflip=settings.mirror != settings.upside_down, vflip=settings.upside_down),
        controls=_offered(camera, wanted),
        sensor=sensor,
    )
    camera.configure(configuration)


def _modes(camera: Any) -> list[Mode]:
    """The sensor's modes. picamera2 configures the camera once for each; a camera that cannot be cropped has none."""
    if "ScalerCrop" not in camera.camera_controls:
        return []
    found = [mode for mode in camera.sensor_modes if "crop_limits" in mode]
    return [Mode(mode["size"], mode["bit_depth"], mode["fps"], tuple(mode["crop_limits"])) for mode in found]


def _offered(camera: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Those controls that this camera has."""
    return {name: value for name, value in wanted.items() if name in camera.camera_controls}
