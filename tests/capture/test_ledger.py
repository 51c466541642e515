"""The ledger: whatever a cut or a flipped bit did to it, what is read back is what was written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.errors import DamagedError
from device.recording.ledger import CLOSING_BYTES, RECORD_BYTES, Record, digest_of, encode_head, parse_ledger

HEADER = b"age-encryption.org/v1\n and all that follows"
HEAD_BYTES = len(encode_head(HEADER))
digests = st.binary(min_size=32, max_size=32)
closings = st.one_of(st.just(bytes(CLOSING_BYTES)), st.binary(min_size=CLOSING_BYTES, max_size=CLOSING_BYTES))
lines = st.tuples(digests, closings, st.integers(0, (1 << 64) - 1), st.booleans())


def records(said: list[tuple[bytes, bytes, int, bool]]) -> tuple[Record, ...]:
    return tuple(
        Record(chunk=number, digest=digest, closing=closing, end_us=end_us, ends=ends)
        for number, (digest, closing, end_us, ends) in enumerate(said)
    )


def encode(written: tuple[Record, ...]) -> bytes:
    return encode_head(HEADER) + b"".join(record.encode() for record in written)


THREE = records([(bytes([n]) * 32, bytes([n, 1]) * 12, n * 1000, n == 2) for n in range(3)])


@given(said=st.lists(lines, max_size=20))
def test_a_ledger_says_again_what_was_put_in(said: list[tuple[bytes, bytes, int, bool]]) -> None:
    written = records(said)
    ledger = parse_ledger(encode(written))
    assert tuple(ledger.records) == written
    assert ledger.payload_offset == len(HEADER)


def test_a_ledger_cut_anywhere_ends_at_its_last_whole_record() -> None:
    data = encode(THREE)
    for cut in range(len(data) + 1):
        if cut < HEAD_BYTES:
            with pytest.raises(DamagedError):
                parse_ledger(data[:cut])
        else:
            assert tuple(parse_ledger(data[:cut]).records) == THREE[: (cut - HEAD_BYTES) // RECORD_BYTES]


def test_a_cut_filled_up_with_zeros_ends_there_too() -> None:
    """What a file system may show after a power cut: the length is there, the bytes are not."""
    data = encode(THREE)
    for cut in range(HEAD_BYTES, len(data) + 1):
        filled = data[:cut] + bytes(len(data) - cut + 3 * RECORD_BYTES)
        read = tuple(parse_ledger(filled).records)
        assert read in (THREE[: (cut - HEAD_BYTES) // RECORD_BYTES], THREE[: (cut - HEAD_BYTES) // RECORD_BYTES + 1])
        assert read == THREE[: len(read)]


def test_one_flipped_bit_ends_the_ledger_before_it() -> None:
    data = encode(THREE)
    for place in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << place % 8
        if place // 8 < HEAD_BYTES:
            with pytest.raises(DamagedError):
                parse_ledger(bytes(flipped))
        else:
            assert tuple(parse_ledger(bytes(flipped)).records) == THREE[: (place // 8 - HEAD_BYTES) // RECORD_BYTES]


def test_a_record_out_of_its_place_ends_the_ledger() -> None:
    lines = [record.encode() for record in THREE]
    for order, left in (((1, 0, 2), 0), ((0, 2, 1), 1), ((0, 0, 1), 1)):
        assert tuple(parse_ledger(encode_head(HEADER) + b"".join(lines[n] for n in order)).records) == THREE[:left]


@settings(max_examples=200)
@given(data=st.binary(max_size=300))
def test_bytes_of_no_meaning_are_no_ledger(data: bytes) -> None:
    with pytest.raises(DamagedError) as caught:
        parse_ledger(data)
    assert caught.value.hint


@given(data=st.binary(max_size=300))
def test_bytes_of_no_meaning_behind_a_head_are_no_records(data: bytes) -> None:
    assert tuple(parse_ledger(encode_head(HEADER) + data).records) == ()


def test_only_a_record_with_a_closing_closes() -> None:
    open_end = Record(0, bytes(32), bytes(CLOSING_BYTES), 0)
    assert not open_end.closes
    assert THREE[1].closes


def test_the_digest_depends_on_every_digest_and_their_order() -> None:
    one, two = b"1" * 32, b"2" * 32
    assert len({digest_of(iter(each)) for each in ([], [one], [two], [one, two], [two, one])}) == 5


def test_records_are_made_one_at_a_time_and_parts_of_them_are_records_again() -> None:
    read = parse_ledger(encode(THREE)).records
    assert (len(read), read[0], read[-1], tuple(read[1:]), tuple(read[:None])) == (
        3,
        THREE[0],
        THREE[2],
        THREE[1:],
        THREE,
    )
    assert tuple(read[2:1]) == ()
    assert read[0] is not read[0]
    with pytest.raises(IndexError):
        read[3]
    with pytest.raises(ValueError, match="order"):
        read[::-1]
