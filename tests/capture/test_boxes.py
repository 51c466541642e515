"""Boxes: their sizes, and that the overheads which the muxer reckons with are the real ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.capture.boxes import (
    DELTA_FLAGS,
    FRAGMENT_OVERHEAD_BYTES,
    KEY_FLAGS,
    RUN_OVERHEAD_BYTES,
    RUN_SAMPLE_BYTES,
    PictureTrack,
    Run,
    SoundTrack,
    box,
    free,
    full_box,
    init_segment,
    movie_fragment,
)

SOUND = SoundTrack(48_000, 2, 24, bytes(34))
lines = st.tuples(st.integers(0, 100_000), st.integers(0, 1 << 31), st.sampled_from([KEY_FLAGS, DELTA_FLAGS]))


def test_a_box_says_its_own_size(read: Any) -> None:
    (whole,) = read.boxes(box(b"mdat", b"abc", b"de"))
    assert (whole.kind, whole.size, whole.payload) == (b"mdat", 13, b"abcde")


def test_a_full_box_starts_with_its_version_and_its_flags(read: Any) -> None:
    (whole,) = read.boxes(full_box(b"tfdt", 1, 0x20000, b"x"))
    assert whole.payload == b"\x01\x02\x00\x00x"


@pytest.mark.parametrize("size", [8, 9, 100, 65_536])
def test_padding_has_exactly_the_size_asked_for(size: int, read: Any) -> None:
    (whole,) = read.boxes(free(size))
    assert (whole.kind, len(free(size)), any(whole.payload)) == (b"free", size, False)


@given(samples=st.lists(st.lists(lines, max_size=30), min_size=1, max_size=2))
def test_the_overheads_are_what_a_fragment_really_needs(samples: list[list[tuple[int, int, int]]], read: Any) -> None:
    runs = [Run(track_id, 7, each) for track_id, each in enumerate(samples, start=1)]
    head = movie_fragment(3, runs)
    count = sum(len(each) for each in samples)
    assert len(head) == FRAGMENT_OVERHEAD_BYTES + RUN_OVERHEAD_BYTES * len(runs) + RUN_SAMPLE_BYTES * count
    media_bytes = int.from_bytes(head[-8:-4], "big") - 8
    assert media_bytes == sum(run.data_bytes for run in runs)


def kinds(read: Any, *tracks: Any) -> list[bytes]:
    (moov,) = [found for found in read.boxes(init_segment(*tracks)) if found.kind == b"moov"]
    return [found.payload[8:12] for found in moov.find(b"trak", b"mdia", b"hdlr")]


def test_an_init_segment_is_ftyp_and_moov_with_the_tracks_asked_for(read: Any) -> None:
    assert [found.kind for found in read.boxes(init_segment(SOUND, None))] == [b"ftyp", b"moov"]
    assert kinds(read, SOUND, None) == [b"soun"]
    assert kinds(read, SOUND, PictureTrack(1280, 720)) == [b"soun", b"vide"]


def test_every_track_of_an_init_segment_is_announced_as_fragmented(read: Any) -> None:
    moov = read.boxes(init_segment(SOUND, PictureTrack(1280, 720)))[1]
    announced = [found.payload[4:8] for found in moov.find(b"mvex", b"trex")]
    there = [found.payload[12:16] for found in moov.find(b"trak", b"tkhd")]
    assert announced == there == [b"\0\0\0\1", b"\0\0\0\2"]
