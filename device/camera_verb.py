"""``sotto simulated-camera`` and ``sotto picamera2-camera``: the programs of the camera's own process.

Only capture and a check start them; what they send goes to the standard output, and what they are told comes by the
standard input (``device/capture/camera.py``).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import Any, Final

from device.arguments import size
from device.capture.camera import MOST_BITS_PER_S, Control, write_picture
from device.capture.packets import Picture
from device.capture.sensor import CameraSettings, Framing

_EXIT_DONE: Final = 0


def add_verbs(verbs: Any) -> None:
    """Add the verbs to the command line."""
    camera = verbs.add_parser("simulated-camera")
    camera.add_argument("size", type=size)
    camera.add_argument("fps", type=int)
    camera.add_argument("start_us", type=int)
    camera.add_argument("--bitrate", type=int, default=MOST_BITS_PER_S)
    camera.add_argument("--stills", action="store_true")
    camera.set_defaults(verb=_simulated_camera)
    camera = verbs.add_parser("picamera2-camera")
    camera.add_argument("number", type=int)
    camera.add_argument("size", type=size)
    camera.add_argument("fps", type=int)
    camera.add_argument("frame_format")
    camera.add_argument("--bitrate", type=int, default=MOST_BITS_PER_S)
    camera.add_argument("--framing", type=Framing, default=Framing.WIDE)
    camera.add_argument("--mains-hz", type=int)
    camera.add_argument("--mirror", action="store_true")
    camera.add_argument("--upside-down", action="store_true")
    camera.add_argument("--stills", type=size)
    camera.set_defaults(verb=_picamera2_camera)


def _simulated_camera(options: argparse.Namespace) -> int:
    from device.capture.picture import run_clock_camera, run_clock_stills

    control = Control(sys.stdin.fileno())
    width, height = options.size
    taken = (width, height, options.fps, options.start_us)

    def send(picture: Picture) -> None:
        write_picture(sys.stdout.buffer, picture)

    try:
        if options.stills:
            run_clock_stills(*taken, send=send)
        else:
            run_clock_camera(*taken, send=send, rung=lambda: control.rung, bitrate=options.bitrate)
    except BrokenPipeError:
        # Whoever looked is gone; nothing is left to be flushed to.
        sys.stdout = None
    return _EXIT_DONE


def _picamera2_camera(options: argparse.Namespace) -> int:
    from device.capture.camera_picamera2 import run_picamera2, run_picamera2_stills

    control = Control(sys.stdin.fileno())
    # What the libraries print must not get between the pictures.
    pictures = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    width, height = options.size
    settings = CameraSettings(
        number=options.number,
        width=width,
        height=height,
        fps=options.fps,
        bitrate=options.bitrate,
        frame_format=options.frame_format,
        framing=options.framing,
        mains_hz=options.mains_hz,
        mirror=options.mirror,
        upside_down=options.upside_down,
    )

    def send(picture: Picture) -> None:
        write_picture(pictures, picture)

    if options.stills is None:
        run_picamera2(settings, rung=lambda: control.rung, send=send)
    else:
        run_picamera2_stills(settings, take=_still_taker(settings, options.stills, send=send))
    return _EXIT_DONE


def _still_taker(
    settings: CameraSettings, still_size: tuple[int, int], *, send: Callable[[Picture], None]
) -> Callable[[bytes, int, int], None]:
    """What makes a JPEG of a camera's buffer, and sends it."""
    from device.capture.picture import StillEncoder, frame_of

    encoder, size = StillEncoder(*still_size), (settings.width, settings.height)

    def take(data: bytes, stride: int, at_us: int) -> None:
        frame = frame_of(data, size=size, stride=stride, frame_format=settings.frame_format)
        for picture in encoder.encode(frame, at_us):
            send(picture)

    return take
