"""Builds the camera that the configuration names, and the programs that it is driven by or drawn by."""

from __future__ import annotations

import sys
from typing import Final

from device.capture.camera import MOST_BITS_PER_S, ChildCamera
from device.capture.packets import Camera
from device.capture.simulated import SimulatedCamera
from device.clock import Clock
from device.config import Config, DisabledCamera, PicameraCamera

_STILL_WIDTH: Final = 640
_STILLS_PER_S: Final = 2


def camera_of(config: Config, *, clock: Clock) -> Camera | None:
    """The camera that the configuration names, if it names one."""
    if isinstance(config.camera, DisabledCamera):
        return None
    camera = config.camera
    size, bitrate = (camera.width, camera.height), camera.bitrate_kbit_s * 1000
    if isinstance(camera, PicameraCamera):
        name, command = f"picamera2: {camera.number}", picamera2_command(camera)
        return ChildCamera(name=name, size=size, command=lambda: command, bitrate=bitrate)
    return clock_camera(size, camera.fps, clock=clock, bitrate=bitrate)


def stills_of(config: Config, *, clock: Clock) -> Camera | None:
    """The camera that the configuration names, as a framing check looks through it."""
    if isinstance(config.camera, DisabledCamera):
        return None
    camera = config.camera
    size = (camera.width, camera.height)
    if isinstance(camera, PicameraCamera):
        small = still_size(size)
        command = picamera2_command(camera, stills=small)
        return ChildCamera(name=f"picamera2: {camera.number}", size=small, command=lambda: command)
    return clock_stills(size, clock=clock)


def picamera2_command(camera: PicameraCamera, *, stills: tuple[int, int] | None = None) -> list[str]:
    """The program for a real camera, with all that it is asked for.

    ``stills``: their size, where it is to send stills; all else is as in a recording, so that they show what one will.
    """
    program = [sys.executable, "-m", "device", "picamera2-camera", str(camera.number)]
    program += [f"{camera.width}x{camera.height}", str(camera.fps), camera.frame_format]
    program += ["--bitrate", str(camera.bitrate_kbit_s * 1000), "--framing", camera.framing]
    program += [] if camera.mains_hz is None else ["--mains-hz", str(camera.mains_hz)]
    program += [] if stills is None else ["--stills", f"{stills[0]}x{stills[1]}"]
    return program + ["--mirror"] * camera.mirror + ["--upside-down"] * camera.upside_down


def still_size(size: tuple[int, int]) -> tuple[int, int]:
    """The size of a still of a picture of ``size``: the same shape, even, 640 pixels wide at most."""
    width, height = size
    small = min(width, _STILL_WIDTH)
    return small, max(2, round(height * small / width / 2) * 2)


def clock_stills(size: tuple[int, int], *, clock: Clock) -> SimulatedCamera:
    """The simulated camera as a framing check looks through it."""
    width, height = small = still_size(size)

    def command(start_us: int) -> list[str]:
        program = [sys.executable, "-m", "device", "simulated-camera", "--stills"]
        return [*program, f"{width}x{height}", str(_STILLS_PER_S), str(start_us)]

    return SimulatedCamera(size=small, fps=_STILLS_PER_S, clock=clock, command=command)


def clock_camera(size: tuple[int, int], fps: int, *, clock: Clock, bitrate: int = MOST_BITS_PER_S) -> SimulatedCamera:
    """The simulated camera, with the program that draws for it."""
    program = [sys.executable, "-m", "device", "simulated-camera", "--bitrate", str(bitrate)]

    def command(start_us: int) -> list[str]:
        width, height = size
        return [*program, f"{width}x{height}", str(fps), str(start_us)]

    return SimulatedCamera(size=size, fps=fps, clock=clock, command=command, bitrate=bitrate)
