"""Pictures to H.264 and JPEG by PyAV, the simulated camera's program, and small looks at pictures: PyAV's only home.

It runs in the camera's own process, and in that of a check. Settings that were found to keep a key frame under one
chunk at 720p25; none of them reorders pictures, so each comes out as it goes in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import count
from typing import Final

import av
from av.video.frame import VideoFrame

from device.capture.packets import Picture
from device.errors import CameraError
from device.words import Rung

_OPTIONS: Final = {
    "preset": "ultrafast",
    "tune": "zerolatency",
    "sc_threshold": "0",
    "crf": "26",
}
# Small enough for two a second over any link, good enough to see whether a face is cut off.
_STILL_OPTIONS: Final = {"qmin": "3", "qmax": "3"}
_FORMATS: Final = {"YUV420": "yuv420p", "NV12": "nv12"}
BITRATE: Final = 2_000_000
KEY_EVERY: Final = 50
_BUFFER_S: Final = 0.24  # of the bitrate: how much a key picture may take at once
_MICROSECONDS: Final = 1_000_000
# Five columns by seven rows per character, a row per hex digit pair, lowest bit right.
_GLYPHS: Final = {
    "0": "0E11131519110E", "1": "040C040404040E", "2": "0E11010204081F", "3": "1F02040201110E", "4": "02060A121F0202",
    "5": "1F101E0101110E", "6": "0608101E11110E", "7": "1F010204080808", "8": "0E11110E11110E", "9": "0E11110F01020C",
    ":": "00040400040400", ".": "00000000000C0C", "#": "0A0A1F0A1F0A0A", " ": "00000000000000",
}  # fmt: skip
_BACK: Final = 48
_FRONT: Final = 210


class H264Encoder:
    """Frames in, one access unit each out; parameter sets in-band at every key frame; never above ``bitrate``."""

    def __init__(
        self, width: int, height: int, fps: int | Fraction, *, bitrate: int = BITRATE, key_every: int = KEY_EVERY
    ) -> None:
        self._codec = av.CodecContext.create("libx264", "w")
        self._codec.width, self._codec.height, self._codec.pix_fmt = width, height, "yuv420p"
        self._codec.time_base = Fraction(1, _MICROSECONDS)
        self._codec.framerate = Fraction(fps)
        self._codec.thread_count = 1
        every = str(key_every)
        bounds = {"maxrate": str(bitrate), "bufsize": str(int(bitrate * _BUFFER_S))}
        self._codec.options = {**_OPTIONS, "g": every, "keyint_min": every, **bounds}

    def encode(self, frame: VideoFrame, at_us: int) -> Iterator[Picture]:
        """Encode one frame taken at ``at_us``."""
        frame.pts = at_us
        for packet in self._codec.encode(frame):
            yield Picture(bytes(packet), at_us if packet.pts is None else packet.pts, key=packet.is_keyframe)


class StillEncoder:
    """Frames of any size in, one JPEG of this size each out."""

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)
        self._codec = av.CodecContext.create("mjpeg", "w")
        self._codec.width, self._codec.height, self._codec.pix_fmt = width, height, "yuvj420p"
        self._codec.time_base = Fraction(1, _MICROSECONDS)
        self._codec.thread_count = 1
        self._codec.options = dict(_STILL_OPTIONS)

    def encode(self, frame: VideoFrame, at_us: int) -> Iterator[Picture]:
        """Encode one frame taken at ``at_us``."""
        width, height = self._size
        # JPEG counts black as 0 and white as 255; a camera's video as 16 and 235.
        small = frame.reformat(width, height, "yuvj420p", src_color_range="MPEG", dst_color_range="JPEG")
        small.pts = at_us
        for packet in self._codec.encode(small):
            yield Picture(bytes(packet), at_us, key=True)


def frame_of(data: bytes, *, size: tuple[int, int], stride: int, frame_format: str) -> VideoFrame:
    """A frame from a camera's buffer: its planes one after the other, the rows of the first ``stride`` bytes apart.

    ``frame_format`` is picamera2's name for the layout: YUV420 or NV12.
    """
    width, height = size
    frame = VideoFrame(width, height, _FORMATS[frame_format])
    at = 0
    for number, plane in enumerate(frame.planes):
        step = stride if number == 0 or len(frame.planes) == 2 else stride // 2
        rows = bytearray(plane.buffer_size)
        used = min(step, plane.line_size)
        for row in range(plane.height):
            rows[row * plane.line_size : row * plane.line_size + used] = data[at : at + used]
            at += step
        plane.update(bytes(rows))
    return frame


class ClockPicture:
    """Draws what the simulated camera sees: the time since it was opened, the number of the picture, a turning hand."""

    def __init__(self, width: int, height: int, fps: int) -> None:
        self._size = (width, height)
        self._fps = fps
        self._dot = max(2, height // 90)

    def draw(self, number: int) -> VideoFrame:
        """Picture ``number``, counted from 0."""
        width, height = self._size
        frame = VideoFrame(width, height, "yuv420p")
        stride = frame.planes[0].line_size
        luma = bytearray([_BACK]) * (stride * height)
        tenths = number * 10 // self._fps
        text = f"{tenths // 36000:d}:{tenths // 600 % 60:02d}:{tenths // 10 % 60:02d}.{tenths % 10}"
        self._write(luma, stride, text, y=height // 10)
        self._write(luma, stride, f"#{number}", y=height - height // 10 - 7 * self._dot)
        self._hand(luma, stride, turn=number / self._fps / 4)
        frame.planes[0].update(bytes(luma))
        for plane in frame.planes[1:]:
            plane.update(bytes([128]) * plane.buffer_size)
        return frame

    def _write(self, luma: bytearray, stride: int, text: str, *, y: int) -> None:
        dot = self._dot
        x = (self._size[0] - len(text) * 6 * dot) // 2
        for place, character in enumerate(text):
            rows = bytes.fromhex(_GLYPHS[character])
            for row, column in ((r, c) for r in range(7) for c in range(5) if rows[r] >> (4 - c) & 1):
                self._block(luma, stride, x + (place * 6 + column) * dot, y + row * dot)

    def _hand(self, luma: bytearray, stride: int, *, turn: float) -> None:
        width, height = self._size
        for step in range(0, height // 4, self._dot):
            x = width // 2 + int(step * math.sin(2 * math.pi * turn))
            y = height // 2 - int(step * math.cos(2 * math.pi * turn))
            self._block(luma, stride, x, y)

    def _block(self, luma: bytearray, stride: int, x: int, y: int) -> None:
        bright = bytes([_FRONT]) * self._dot
        for line in range(y, y + self._dot):
            luma[line * stride + x : line * stride + x + self._dot] = bright


def run_clock_camera(
    width: int,
    height: int,
    fps: int,
    start_us: int,
    *,
    send: Callable[[Picture], None],
    rung: Callable[[], Rung] = lambda: Rung.WHOLE,
    bitrate: int = BITRATE,
) -> None:
    """Send pictures of the clock, the first taken at ``start_us``, as fast as they are taken, until ``send`` fails.

    A new rung takes a new encoder, which starts with a key picture.
    """
    stands, drawing = rung(), ClockPicture(width, height, fps)
    encoder = _encoder_for(stands, width, height, fps, bitrate)
    number = 0
    while True:
        if (asked := rung()) is not stands:
            stands, encoder = asked, _encoder_for(asked, width, height, fps, bitrate)
        for picture in encoder.encode(drawing.draw(number), start_us + number * _MICROSECONDS // fps):
            send(picture)
        number += stands.rate_divisor


def run_clock_stills(width: int, height: int, fps: int, start_us: int, *, send: Callable[[Picture], None]) -> None:
    """As ``run_clock_camera``, but every picture is a JPEG of its own."""
    drawing, encoder = ClockPicture(width, height, fps), StillEncoder(width, height)
    for number in count():
        for picture in encoder.encode(drawing.draw(number), start_us + number * _MICROSECONDS // fps):
            send(picture)


def _encoder_for(rung: Rung, width: int, height: int, fps: int, bitrate: int) -> H264Encoder:
    """The encoder for a rung: as many seconds between key pictures, and fewer bits where it says so."""
    rate = Fraction(fps, rung.rate_divisor)
    key_every = KEY_EVERY // rung.rate_divisor
    return H264Encoder(width, height, rate, bitrate=bitrate // rung.bitrate_divisor, key_every=key_every)


class Glance:
    """Looks at pictures as small gray ones of ``width`` × ``height`` points, for those who measure; it keeps none."""

    def __init__(self, width: int = 64, height: int = 36) -> None:
        self._size = (width, height)
        self._codec = av.CodecContext.create("h264", "r")
        # One thread: every picture comes out as it goes in, and not some pictures later.
        self._codec.thread_count = 1

    def look(self, picture: Picture) -> Iterator[tuple[int, bytes]]:
        """When the picture was taken and its points, row by row; nothing before the first key frame.

        Raises:
            CameraError: it is no H.264.
        """
        packet = av.Packet(picture.data)
        packet.pts = picture.at_us
        try:
            frames = self._codec.decode(packet)
        except av.FFmpegError as problem:
            raise CameraError(
                f"the camera's pictures cannot be read: {problem.strerror}", "restart the box"
            ) from problem
        width, height = self._size
        for frame in frames:
            plane = frame.reformat(width, height, "gray").planes[0]
            rows = memoryview(plane)
            points = b"".join(rows[y * plane.line_size : y * plane.line_size + width] for y in range(height))
            yield picture.at_us if frame.pts is None else frame.pts, points
