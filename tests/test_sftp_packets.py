"""SFTP as bytes: what comes in pieces is put together, and what is no SFTP is refused."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.sftp_packets import (
    LONGEST_BYTES,
    Answer,
    Attributes,
    Inbox,
    Kind,
    PacketError,
    Status,
    extensions,
    hello,
    long,
    number,
    request,
    text,
)

PACKETS = st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=300)))


@given(PACKETS, st.lists(st.integers(1, 50), min_size=1))
def test_packets_are_found_however_the_bytes_are_cut(packets: list[tuple[int, bytes]], steps: list[int]) -> None:
    stream = b"".join(struct.pack(">IB", 1 + len(body), kind) + body for kind, body in packets)
    inbox, found, at = Inbox(), [], 0
    while at < len(stream):
        step = steps[at % len(steps)]
        found += list(inbox.feed(stream[at : at + step]))
        at += step
    assert found == packets


@pytest.mark.parametrize("start", [b"Welcome to the clinic", struct.pack(">IB", 0, 1), struct.pack(">IB", 1 << 20, 1)])
def test_what_is_no_sftp_is_refused_at_once(start: bytes) -> None:
    if start[:4] == struct.pack(">I", LONGEST_BYTES):
        assert list(Inbox().feed(start)) == []
        start = struct.pack(">IB", LONGEST_BYTES + 1, 1)
    with pytest.raises(PacketError):
        list(Inbox().feed(start))


@given(st.integers(100, 106) | st.just(201), st.binary(max_size=60))
def test_an_answer_of_any_bytes_is_understood_or_refused(kind: int, body: bytes) -> None:
    """A server that is broken or means harm gets no other error out of it."""
    answer = Answer(kind, body)
    for ask in (
        lambda: answer.status,
        answer.text,
        answer.attributes,
        lambda: list(answer.entries()),
        answer.limits,
        answer.free_bytes,
    ):
        try:
            ask()
        except PacketError:
            continue


def test_requests_have_the_shape_of_the_draft() -> None:
    assert hello() == b"\0\0\0\x05\x01\0\0\0\x03"
    assert request(Kind.CLOSE, 7, text(b"ab")) == b"\0\0\0\x0b\x04\0\0\0\x07\0\0\0\x02ab"
    head = request(Kind.WRITE, 1, text(b"h"), long(5), number(3), following_bytes=3)
    assert int.from_bytes(head[:4], "big") == len(head) - 4 + 3


def test_attributes_are_read_whichever_of_them_are_there() -> None:
    everything = number(0x8000000F) + long(5) + number(1) + number(2) + number(0o40755) + number(3) + number(4)
    everything += number(1) + text(b"x@y") + text(b"z")
    listing = number(2) + text(b"f") + text(b"-rw f") + everything + text(b"g") + text(b"") + number(0)
    entries = list(Answer(Kind.NAME, listing).entries())
    assert entries == [(b"f", Attributes(5, 0o40755)), (b"g", Attributes(None, None))]
    assert entries[0][1].is_folder
    assert not entries[1][1].is_file


def test_what_a_server_says_beyond_the_statuses_of_version_3_is_a_failure() -> None:
    assert Answer(Kind.STATUS, number(31) + text(b"quota exceeded") + text(b"")).status is Status.FAILURE


def test_extensions_are_those_of_version_3_and_no_other() -> None:
    assert extensions(number(3) + text(b"a@b") + text(b"1")) == {b"a@b": b"1"}
    with pytest.raises(PacketError):
        extensions(number(2))
