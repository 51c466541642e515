"""The forms in which sound travels."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.capture.packets import SoundFormat, Wire, widen

rates = st.sampled_from([8000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000])
every_wire = pytest.mark.parametrize("wire", Wire)


def one_by_one(data: bytes, wire: Wire) -> list[int]:
    """What the samples are by Python's own reading of integers."""
    step = wire.sample_bytes
    values = [int.from_bytes(data[at : at + step], "little", signed=True) for at in range(0, len(data), step)]
    return [value >> 8 for value in values] if wire is Wire.S32_LE else values


@every_wire
@given(data=st.binary(max_size=300))
def test_widening_says_the_same_numbers_in_four_bytes_each(wire: Wire, data: bytes) -> None:
    data = data[: len(data) // wire.sample_bytes * wire.sample_bytes]
    wide = widen(data, wire)
    assert len(wide) == len(data) // wire.sample_bytes * 4
    assert one_by_one_wide(wide) == one_by_one(data, wire)


def one_by_one_wide(wide: bytearray) -> list[int]:
    return [int.from_bytes(wide[at : at + 4], "little", signed=True) for at in range(0, len(wide), 4)]


@every_wire
def test_widening_knows_every_edge_of_its_range(wire: Wire, make: Any) -> None:
    top = 1 << (wire.bits - 1)
    values = [-top, -top + 1, -257, -256, -255, -1, 0, 1, 127, 128, 255, 256, top - 1]
    assert one_by_one_wide(widen(make.pack(iter(values), wire), wire)) == values


@every_wire
@given(data=st.binary(max_size=60))
def test_a_torn_sample_at_the_end_never_grows_into_another_one(wire: Wire, data: bytes) -> None:
    """A driver gives whole frames; if one ever did not, what is whole still has to be right, or be refused."""
    whole = len(data) // wire.sample_bytes * wire.sample_bytes
    try:
        wide = widen(data, wire)
    except ValueError:
        assert whole != len(data)
    else:
        assert wide == widen(data[:whole], wire)


@given(rate_hz=rates, samples=st.integers(0, 192_000 * 3600 * 10))
def test_samples_come_back_from_their_microseconds(rate_hz: int, samples: int) -> None:
    sound = SoundFormat(rate_hz, 1, Wire.S16_LE)
    assert sound.samples(sound.us(samples)) == samples


@given(rate_hz=rates, duration_us=st.integers(0, 36_000_000_000))
def test_microseconds_come_back_from_their_samples_within_half_a_sample(rate_hz: int, duration_us: int) -> None:
    sound = SoundFormat(rate_hz, 1, Wire.S16_LE)
    assert abs(sound.us(sound.samples(duration_us)) - duration_us) <= 500_000 / rate_hz + 1


@pytest.mark.parametrize(
    ("wire", "channels", "frame_bytes", "bits"),
    [(Wire.S16_LE, 1, 2, 16), (Wire.S16_LE, 2, 4, 16), (Wire.S24_3LE, 2, 6, 24), (Wire.S32_LE, 2, 8, 24)],
)
def test_a_format_knows_its_bytes_and_its_bits(wire: Wire, channels: int, frame_bytes: int, bits: int) -> None:
    sound = SoundFormat(48_000, channels, wire)
    assert (sound.frame_bytes, sound.bits) == (frame_bytes, bits)
