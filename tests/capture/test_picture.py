"""Pictures of the clock as the encoder makes them: small, in order, one for each frame."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from av.video.frame import VideoFrame

from device.capture.packets import Picture
from device.capture.picture import ClockPicture, H264Encoder, StillEncoder, frame_of, run_clock_camera
from device.recording import CHUNK_BYTES
from device.words import Rung

Draw = Callable[..., list[Picture]]


def test_at_720p_every_key_picture_is_well_under_a_chunk(
    clock_pictures: Draw, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = clock_pictures(101, size=(1280, 720))
    keys = [len(picture.data) for picture in pictures if picture.key]
    with capsys.disabled():
        rate = sum(len(picture.data) for picture in pictures) * 8 / 101 * 25 / 1e6
        print(f"\n720p clock: key pictures {keys} bytes, {rate:.2f} Mbit/s")
    assert len(keys) == 3
    assert max(keys) < CHUNK_BYTES // 2


@pytest.mark.parametrize("fps", [10, 25, 30])
def test_each_frame_comes_out_at_once_and_in_order(fps: int) -> None:
    encoder, drawing = H264Encoder(320, 180, fps), ClockPicture(320, 180, fps)
    for number in range(120):
        at_us = 7 + number * 1_000_000 // fps
        (picture,) = encoder.encode(drawing.draw(number), at_us)
        assert (picture.at_us, picture.key) == (at_us, number % 50 == 0)


class Restless(ClockPicture):
    """Nothing but noise: no encoder can make that small, so only its bound does."""

    def draw(self, number: int) -> VideoFrame:
        frame = super().draw(number)
        for plane in frame.planes:
            plane.update(random.Random(number).randbytes(plane.buffer_size))
        return frame


@pytest.mark.parametrize(("rung", "least"), [(Rung.WHOLE, 0.5), (Rung.HALF_RATE, 0.5), (Rung.LOW_BITRATE, 0.15)])
def test_no_room_is_so_restless_that_it_takes_more_than_the_bitrate(
    rung: Rung, least: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the box reckons its room by: noise at 640x360, for ten seconds."""
    monkeypatch.setattr("device.capture.picture.ClockPicture", Restless)
    bitrate, seconds, taken = 1_000_000, 10, []

    def send(picture: Picture) -> None:
        if picture.at_us >= seconds * 1_000_000:
            raise BrokenPipeError
        taken.append(len(picture.data))

    with pytest.raises(BrokenPipeError):
        run_clock_camera(640, 360, 25, 0, send=send, rung=lambda: rung, bitrate=bitrate)
    share = sum(taken) * 8 / seconds / bitrate
    print(f"\n{rung}: {len(taken)} pictures, {share:.2f} of the bitrate")
    assert len(taken) == 25 * seconds // rung.rate_divisor
    assert least < share * rung.bitrate_divisor < 1.06


def test_a_new_rung_starts_with_a_key_picture_and_its_parameter_sets(player: Any) -> None:
    """One stream to whoever plays it, though an encoder ended and another began."""
    sent: list[Picture] = []

    def send(picture: Picture) -> None:
        sent.append(picture)
        if len(sent) == 90:
            raise BrokenPipeError

    def rung() -> Rung:
        return [Rung.WHOLE, Rung.LOW_BITRATE, Rung.HALF_RATE][min(2, len(sent) // 30)]

    with pytest.raises(BrokenPipeError):
        run_clock_camera(320, 180, 25, 0, send=send, rung=rung)
    assert [number for number, picture in enumerate(sent) if picture.key] == [0, 30, 55, 60, 85]
    steps_us = [later.at_us - sooner.at_us for sooner, later in pairwise(sent)]
    assert steps_us == [40_000] * 30 + [80_000] * 59
    units = [unit[0] & 31 for unit in sent[30].data.split(b"\0\0\1")[1:]]
    assert units.index(7) < units.index(8) < units.index(5)
    stream = b"".join(picture.data for picture in sent)
    count = ("ffprobe", "-v", "warning", "-f", "h264", "-count_frames", "-show_entries", "stream=nb_read_frames")
    assert player.run(*count, "-of", "csv=p=0", "-i", "-", stdin=stream).split() == [b"90"]


def test_times_that_jump_are_kept(clock_pictures: Draw) -> None:
    encoder, drawing = H264Encoder(320, 180, 25), ClockPicture(320, 180, 25)
    times = [0, 40_000, 5_000_000, 5_000_001, 9_000_000_000]
    made = [picture.at_us for n, at_us in enumerate(times) for picture in encoder.encode(drawing.draw(n), at_us)]
    assert made == times


@pytest.mark.parametrize("size", [(160, 90), (320, 180), (640, 480), (1280, 720)])
def test_the_clock_can_be_drawn_in_every_size(size: tuple[int, int], clock_pictures: Draw, player: Any) -> None:
    stream = b"".join(picture.data for picture in clock_pictures(3, size=size))
    read = ("ffmpeg", "-v", "warning", "-f", "h264", "-i", "-", "-f", "rawvideo", "-pix_fmt", "gray", "-")
    assert len(player.run(*read, stdin=stream)) == 3 * size[0] * size[1]


def test_after_ten_hours_the_clock_still_fits() -> None:
    ClockPicture(320, 180, 25).draw(36_000 * 25)


def test_the_cameras_program_ends_when_nobody_takes_its_pictures() -> None:
    sent: list[Picture] = []

    def send(picture: Picture) -> None:
        sent.append(picture)
        if len(sent) == 5:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        run_clock_camera(160, 90, 25, 1_000_000, send=send)
    assert [picture.at_us for picture in sent] == [1_000_000 + 40_000 * number for number in range(5)]


def gray_of(jpeg: bytes, player: Any) -> bytes:
    """A still as stock ffmpeg sees it, a byte a pixel."""
    read = ("ffmpeg", "-v", "error", "-f", "mjpeg", "-i", "-", "-f", "rawvideo", "-pix_fmt", "gray", "-")
    return bytes(player.run(*read, stdin=jpeg))


@pytest.mark.parametrize("size", [(640, 360), (160, 120)])
def test_a_still_is_a_jpeg_of_its_own_size_for_each_frame(size: tuple[int, int], player: Any) -> None:
    encoder, drawing = StillEncoder(*size), ClockPicture(1280, 720, 25)
    for number in range(3):
        (still,) = encoder.encode(drawing.draw(number), 7 + number)
        assert (still.at_us, still.key) == (7 + number, True)
        assert (still.data[:2], still.data[-2:]) == (b"\xff\xd8", b"\xff\xd9")
        assert len(gray_of(still.data, player)) == size[0] * size[1]


@pytest.mark.parametrize("frame_format", ["YUV420", "NV12"])
@pytest.mark.parametrize("stride", [64, 128])
def test_a_still_shows_what_a_cameras_buffer_holds(frame_format: str, stride: int, player: Any) -> None:
    """Left dark, right bright, and whatever stands in the padding of a row is not seen."""
    size = (64, 32)
    row = (bytes([40]) * 32 + bytes([200]) * 32).ljust(stride, b"\xff")
    data = row * 32 + bytes([128]) * (stride * 16)
    (still,) = StillEncoder(*size).encode(frame_of(data, size=size, stride=stride, frame_format=frame_format), 0)
    seen = gray_of(still.data, player)
    full = [round((value - 16) * 255 / 219) for value in (40, 200)]  # as a JPEG counts
    for at in (10, 54):
        column = seen[at::64]
        assert max(column) - min(column) < 6
        assert abs(column[0] - full[at > 31]) < 6
