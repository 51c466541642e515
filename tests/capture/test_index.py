"""The end mark: what goes in comes out, within one chunk, and nothing that is no end mark is taken for one."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.recording import CHUNK_BYTES
from device.recording.index import Entries, Entry, Index, parse_index

ROOM = CHUNK_BYTES - 8  # what leaves room for the padding's own head
counts = st.integers(0, (1 << 32) - 1)
longs = st.integers(0, (1 << 64) - 1)
entries = st.builds(
    Entry, chunk=counts, start_us=st.integers(0, (1 << 31) - 1).map(lambda ms: ms * 1000), key=st.booleans()
)
indexes = st.builds(
    Index,
    rate_hz=counts,
    samples=longs,
    duration_us=longs,
    gaps=st.lists(st.tuples(longs, longs), max_size=20).map(tuple),
    entries=st.lists(entries, max_size=50).map(tuple),
)


@given(index=indexes)
def test_an_end_mark_says_again_what_was_put_in(index: Index) -> None:
    box = index.box()
    assert int.from_bytes(box[:4], "big") == len(box) <= ROOM
    assert parse_index(box) == index
    assert parse_index(box + bytes(CHUNK_BYTES - len(box))) == index


def test_a_start_is_rounded_down_to_the_millisecond() -> None:
    index = Index(48_000, 1, 1, entries=(Entry(1, 1_999, key=True),))
    read = parse_index(index.box())
    assert read is not None
    assert read.entries == (Entry(1, 1_000, key=True),)


@pytest.mark.parametrize("every", [1, 3])
def test_ten_hours_are_thinned_to_places_where_a_slice_can_start(every: int) -> None:
    whole = tuple(Entry(n + 1, n * 750_000, key=n % every == 0) for n in range(10 * 3600 * 4 // 3))
    box = Index(48_000, 1, 1, entries=whole).box()
    assert len(box) <= ROOM
    read = parse_index(box)
    assert read is not None
    assert read.entries[0] == whole[0]
    assert set(read.entries) <= {entry for entry in whole if entry.key}
    steps = {two.chunk - one.chunk for one, two in zip(read.entries, read.entries[1:], strict=False)}
    assert len(steps) == 1
    assert 36_000_000_000 - read.entries[-1].start_us < 30_000_000
    assert len(read.entries) > 4000


def test_as_many_entries_as_fit_are_all_kept() -> None:
    most = (ROOM - 24 - 32) // 8
    for count in (most, most + 1):
        whole = tuple(Entry(n + 1, n * 1000, key=True) for n in range(count))
        box = Index(48_000, 1, 1, entries=whole).box()
        read = parse_index(box)
        assert read is not None
        assert len(box) <= ROOM
        assert (read.entries == whole) == (count == most)


@pytest.mark.parametrize("keys", [0, 3])
def test_a_long_recording_whose_camera_hardly_ever_worked_has_an_end_mark(keys: int) -> None:
    """Half an hour of noise has more fragments than fit; without one key picture there was nothing to thin them to."""
    whole = tuple(Entry(n + 1, n * 230_000, key=n < keys) for n in range(9000))
    box = Index(48_000, 1, 1, entries=whole).box()
    assert len(box) <= ROOM
    read = parse_index(box)
    assert read is not None
    assert len(read.entries) > 4000  # every half second of it can still be found


def test_more_gaps_than_fit_are_left_to_the_manifest() -> None:
    gaps = tuple((n * 100, 10) for n in range(5000))
    whole = tuple(Entry(n + 1, n * 750_000, key=True) for n in range(20_000))
    box = Index(48_000, 1, 1, gaps=gaps, entries=whole).box()
    assert len(box) <= ROOM
    read = parse_index(box)
    assert read is not None
    assert read.gaps == gaps[:1000]
    assert len(read.entries) > 3000


@given(data=st.binary(max_size=2000))
def test_bytes_of_no_meaning_are_no_end_mark(data: bytes) -> None:
    assert parse_index(data) is None


@given(index=indexes, data=st.data())
def test_a_damaged_end_mark_never_raises(index: Index, data: st.DataObject) -> None:
    box = bytearray(index.box())
    for _ in range(data.draw(st.integers(1, 4))):
        box[data.draw(st.integers(24, len(box) - 1))] = data.draw(st.integers(0, 255))
    parse_index(bytes(box))


@given(index=indexes, data=st.data())
def test_an_end_mark_that_was_cut_is_none(index: Index, data: st.DataObject) -> None:
    box = index.box()
    assert parse_index(box[: data.draw(st.integers(0, len(box) - 1))]) is None


def test_an_end_mark_of_a_later_version_is_not_guessed_at() -> None:
    box = bytearray(Index(48_000, 1, 1).box())
    box[24] = 2
    assert parse_index(bytes(box)) is None


def test_the_entries_of_a_long_session_take_some_bytes_each_also_when_the_end_mark_is_written() -> None:
    """Eight hours of them were objects for a moment, eight megabytes in all, when the session ended."""
    whole = [Entry(n + 1, n * 750_000, key=n % 3 == 0) for n in range(8 * 3600 * 4 // 3)]
    told = Index(48_000, 1, 1, gaps=((1, 2),), entries=tuple(whole)).box()
    tracemalloc.start()
    try:
        entries = Entries()
        for one in whole:
            entries.add(one.chunk, one.start_us, key=one.key)
        box = Index(48_000, 1, 1, gaps=((1, 2),), entries=entries).box()
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert box == told
    assert peak_bytes < 30 * len(whole)


@given(st.lists(entries, max_size=50))
def test_entries_are_what_was_added(added: list[Entry]) -> None:
    kept = Entries()
    for one in added:
        kept.add(one.chunk, one.start_us, key=one.key)
    assert list(kept) == added
    assert kept[1:-1:2] == tuple(added[1:-1:2])
    assert Index(48_000, 1, 1, entries=kept).box() == Index(48_000, 1, 1, entries=tuple(added)).box()
