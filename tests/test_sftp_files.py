"""What OpenSSH's server never does and the draft allows: short answers, answers in any order, refusals."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import pytest

from device.errors import RemoteAwayError, RemoteError, RemoteFullError
from device.sftp_files import SftpFiles
from device.sftp_packets import Inbox, Kind, Status, number, request, text
from device.sftp_session import SftpSession

CONTENT = bytes(range(256)) * 40
Answering = Callable[[int, int, bytes], bytes]


class Peer:
    """The other end of a channel: ``answering`` has the kind, the number and the rest of each request."""

    def __init__(self, answering: Answering, *, backwards: bool = False) -> None:
        self._answering, self._backwards = answering, backwards
        self._inbox, self._waiting = Inbox(), deque[bytes]()

    def send(self, *parts: bytes | memoryview) -> None:
        for kind, body in self._inbox.feed(b"".join(parts)):
            hello = kind == Kind.INIT
            found = (
                request(Kind.VERSION, 3) if hello else self._answering(kind, int.from_bytes(body[:4], "big"), body[4:])
            )
            (self._waiting.appendleft if self._backwards else self._waiting.append)(found)

    def receive(self) -> bytes:
        return self._waiting.popleft()

    def close(self, *, at_once: bool = False) -> None:
        self._waiting.clear()


def files(answering: Answering, *, backwards: bool = False) -> SftpFiles:
    session = SftpSession(Peer(answering, backwards=backwards))
    session.begin()
    return SftpFiles(session)


def short_reads(kind: int, asked: int, body: bytes) -> bytes:
    """A file of which each read gives a third of what was asked for."""
    assert kind == Kind.READ
    start, length = int.from_bytes(body[5:13], "big"), int.from_bytes(body[13:17], "big")
    data = CONTENT[start : start + max(1, length // 3)]
    return request(Kind.DATA, asked, text(data)) if data else request(Kind.STATUS, asked, number(Status.EOF))


@pytest.mark.parametrize(("start", "length"), [(0, 10), (0, len(CONTENT)), (9_999, 5_000), (len(CONTENT), 1), (5, 0)])
def test_a_server_that_answers_with_less_than_asked_is_asked_for_the_rest(start: int, length: int) -> None:
    assert files(short_reads).read_at(b"h", start, length) == CONTENT[start : start + length]


def test_answers_are_told_apart_by_their_number_in_whatever_order_they_come() -> None:
    there = files(lambda _, asked, body: request(Kind.DATA, asked, text(body[5:13])), backwards=True)
    asked = [there.send_read(b"h", start, 8) for start in range(5)]
    assert [there.rest(one, b"h", start, 8) for start, one in enumerate(asked)] == [
        start.to_bytes(8, "big") for start in range(5)
    ]


def refusing(status: int) -> SftpFiles:
    return files(lambda _, asked, __: request(Kind.STATUS, asked, number(status), text(b"in its words"), text(b"")))


@pytest.mark.parametrize("status", [3, 4, 5, 8, 99])
def test_a_refusal_is_an_error_without_the_servers_words(status: int) -> None:
    with pytest.raises(RemoteError) as told:
        refusing(status).remove(b"x")
    assert "in its words" not in f"{told.value.what} {told.value.hint}"


@pytest.mark.parametrize("status", [6, 7])
def test_a_server_that_lost_its_own_connection_is_away(status: int) -> None:
    with pytest.raises(RemoteAwayError):
        refusing(status).remove(b"x")


def test_a_write_that_fails_for_no_reason_counts_as_no_room() -> None:
    there = refusing(4)
    with pytest.raises(RemoteFullError, match="takes no more"):
        there.must_have_written(there.session.ask(Kind.WRITE), folder=b"f", left_bytes=1)
    with pytest.raises(RemoteError) as told:
        there.remove(b"x")
    assert not isinstance(told.value, RemoteFullError)


def test_an_answer_that_is_too_short_for_its_number_ends_the_session() -> None:
    with pytest.raises(RemoteError, match="no SFTP"):
        files(lambda *_: b"\0\0\0\x02e!").remove(b"x")
