"""The socket on which the page finds what a framing check sees: it tells, and it never listens."""

from __future__ import annotations

import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from device.errors import AdminError
from device.stills import STALE_AFTER_MS, STILL_NAME, Still, StillServer, fetch_still

LARGE = Still(bytes(range(256)) * 4000, 1999)  # more than a socket holds at once
Serve = Callable[..., None]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start a server in the folder of the test."""
    with ExitStack() as servers:

        def start(latest: Callable[[], Still | None]) -> None:
            servers.enter_context(closing(StillServer(tmp_path / STILL_NAME, latest)))

        yield start


@pytest.mark.parametrize("still", [Still(b"\xff\xd8 a still \xff\xd9", 0), LARGE], ids=["small", "large"])
def test_a_still_comes_as_it_is(tmp_path: Path, serve: Serve, still: Still) -> None:
    serve(lambda: still)
    assert [fetch_still(tmp_path) for _ in range(3)] == [still] * 3


def test_where_there_is_none_there_is_nothing(tmp_path: Path, serve: Serve) -> None:
    assert fetch_still(tmp_path) is None
    assert fetch_still(tmp_path / "nowhere") is None
    serve(lambda: None)
    assert fetch_still(tmp_path) is None


def test_an_old_still_is_none(tmp_path: Path, serve: Serve) -> None:
    serve(lambda: Still(b"old", STALE_AFTER_MS))
    assert fetch_still(tmp_path) is None


@pytest.mark.parametrize("data", [b"", b"Stil", b"Stil\0\0\0\5\0\0\0\0four", b"Else\0\0\0\4\0\0\0\0four"])
def test_what_is_cut_short_or_something_else_is_none(tmp_path: Path, data: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(tmp_path / STILL_NAME))
        server.listen()

        def answer() -> None:
            client, _ = server.accept()
            with client:
                client.sendall(data)

        answering = threading.Thread(target=answer)
        answering.start()
        assert fetch_still(tmp_path) is None
        answering.join()


def test_nothing_can_be_asked_there(tmp_path: Path, serve: Serve) -> None:
    """Whatever is sent, the answer is the same still; so it is no second way to say something to capture."""
    sent = threading.Event()

    def latest() -> Still:
        assert sent.wait(30)
        return Still(b"still", 7)

    serve(latest)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(str(tmp_path / STILL_NAME))
        client.send(b'{"ask": "stop"}')
        sent.set()
        assert client.recv(100).endswith(b"still")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client, pytest.raises(OSError, match="wrong type"):
        client.connect(str(tmp_path / STILL_NAME))


def test_whoever_connects_and_does_not_look_keeps_nobody_waiting_for_long(tmp_path: Path, serve: Serve) -> None:
    serve(lambda: LARGE)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as idler:
        idler.connect(str(tmp_path / STILL_NAME))
        until_s = time.monotonic() + 30
        while fetch_still(tmp_path) is None:
            assert time.monotonic() < until_s


def test_others_of_the_machine_may_not_connect_and_the_name_goes_with_the_server(tmp_path: Path) -> None:
    server = StillServer(tmp_path / STILL_NAME, lambda: None)
    assert stat.S_IMODE((tmp_path / STILL_NAME).stat().st_mode) == 0o660
    server.close()
    assert list(tmp_path.iterdir()) == []
    with closing(StillServer(tmp_path / STILL_NAME, lambda: LARGE)):
        assert fetch_still(tmp_path) == LARGE


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(AdminError, match="cannot be made") as caught:
        StillServer(tmp_path / "nowhere" / STILL_NAME, lambda: None)
    assert caught.value.hint
