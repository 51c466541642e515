"""What a real camera is asked for, on the modes of sensors as picamera2 tells them."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.capture.sensor import (
    CameraSettings,
    Crop,
    Framing,
    Mode,
    bitrate_of,
    crop_of,
    flicker_period_us,
    frame_duration_limits_us,
    frame_rate_of,
    mode_for,
)
from device.words import Rung

HD = CameraSettings(number=0, width=1280, height=720, fps=25, bitrate=2_000_000, frame_format="YUV420")
# Camera Module 3: its fastest mode shows two thirds of the width.
MODULE_3 = [
    Mode((1536, 864), 10, 120.13, (768, 432, 3072, 1728)),
    Mode((2304, 1296), 10, 56.03, (0, 0, 4608, 2592)),
    Mode((4608, 2592), 10, 14.35, (0, 0, 4608, 2592)),
]
# Camera Module 2, at each of two depths.
MODULE_2 = [
    Mode(size, depth, fps, limits)
    for depth, (size, fps, limits) in product(
        (10, 8),
        (
            ((640, 480), 103.33, (1000, 752, 1280, 960)),
            ((1640, 1232), 41.85, (0, 0, 3280, 2464)),
            ((1920, 1080), 47.57, (680, 692, 1920, 1080)),
            ((3280, 2464), 21.19, (0, 0, 3280, 2464)),
        ),
    )
]


def test_the_mode_is_one_that_shows_the_whole_room() -> None:
    assert mode_for(MODULE_3, HD) == MODULE_3[1]
    chosen = mode_for(MODULE_2, HD)
    assert chosen is not None
    assert (chosen.size, chosen.bit_depth) == ((1640, 1232), 10)


def test_one_that_is_fast_enough_goes_before_one_that_is_large_enough() -> None:
    assert mode_for(MODULE_3, replace(HD, width=3840, height=2160)) == MODULE_3[1]
    assert mode_for(MODULE_3, replace(HD, width=3840, height=2160, fps=10)) == MODULE_3[2]


def test_where_no_mode_of_the_whole_room_is_fast_enough_the_room_counts() -> None:
    assert mode_for(MODULE_3, replace(HD, fps=100)) == MODULE_3[1]


def test_a_camera_without_modes_is_left_to_choose() -> None:
    assert mode_for([], HD) is None


@pytest.mark.parametrize(
    ("limits", "framing", "size", "crop"),
    [
        ((0, 0, 4608, 2592), Framing.WIDE, (1280, 720), (0, 0, 4608, 2592)),
        ((0, 0, 4608, 2592), Framing.CHAIRS, (1280, 720), (768, 432, 3072, 1728)),
        ((0, 0, 3280, 2464), Framing.WIDE, (1280, 720), (0, 310, 3280, 1844)),
        ((0, 0, 3280, 2464), Framing.WIDE, (960, 720), (0, 2, 3280, 2460)),
        ((8, 16, 4056, 3040), Framing.WIDE, (720, 720), (516, 16, 3040, 3040)),
    ],
)
def test_the_crop_is_centred_and_in_proportion(
    limits: Crop, framing: Framing, size: tuple[int, int], crop: Crop
) -> None:
    assert crop_of(limits, replace(HD, width=size[0], height=size[1], framing=framing)) == crop


SIDES = st.integers(200, 10_000)


@given(limits=st.tuples(st.integers(0, 100), st.integers(0, 100), SIDES, SIDES), framing=st.sampled_from(Framing))
def test_a_crop_stays_inside_and_keeps_the_proportions(limits: Crop, framing: Framing) -> None:
    left, top, width, height = crop_of(limits, replace(HD, framing=framing))
    assert limits[0] <= left
    assert limits[1] <= top
    assert left + width <= limits[0] + limits[2]
    assert top + height <= limits[1] + limits[3]
    assert abs(width * 720 - height * 1280) <= 4 * 1280
    assert width % 2 == height % 2 == 0


def test_a_dim_room_may_halve_the_rate_and_no_more() -> None:
    assert frame_duration_limits_us(25, Rung.WHOLE) == (40_000, 80_000)
    assert frame_duration_limits_us(25, Rung.HALF_RATE) == (80_000, 80_000)
    assert frame_duration_limits_us(25, Rung.LOW_BITRATE) == (80_000, 80_000)


def test_a_lamp_flickers_twice_in_every_period_of_the_mains() -> None:
    """The two values that libcamera's documentation names."""
    assert (flicker_period_us(50), flicker_period_us(60)) == (10_000, 8333)


def test_the_encoder_is_told_what_the_rung_says() -> None:
    assert [(frame_rate_of(HD, rung), bitrate_of(HD, rung)) for rung in list(Rung)[:3]] == [
        (25, 2_000_000),
        (12, 2_000_000),
        (12, 666_666),
    ]
    assert frame_rate_of(replace(HD, fps=1), Rung.HALF_RATE) == 1
