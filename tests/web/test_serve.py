"""The server itself, on a real port, with a real client."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from device.errors import AdminError, ConfigError
from device.web.serve import PageServer, address_of, listen_here
from tests.web.conftest import Box
from tests.web.published import add_recording
from tests.web.visitors import begin, cookie, the_therapist

SEALED = bytes(range(256)) * 40_000


@contextmanager
def serving(box: Box, host: str = "127.0.0.1") -> Iterator[str]:
    listening = listen_here(host, 0)
    address = address_of(listening)
    server = PageServer(box.app(), listening)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield address
    finally:
        server.stop()
        thread.join(timeout=120)
    assert not thread.is_alive()


def signed_in(box: Box) -> dict[str, str]:
    """The header of the browser of the therapist whose the recordings are."""
    return cookie(begin(box.people, the_therapist(box.people)))


@contextmanager
def talking(address: str) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=120)
    try:
        yield connection
    finally:
        connection.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_it_answers_on_this_computer(box: Box, host: str) -> None:
    with serving(box, host) as address, talking(address) as connection:
        connection.request("GET", "/", headers=signed_in(box))
        answer = connection.getresponse()
        assert answer.status == 200
        assert "Server" not in answer.headers
        assert b"There is no recording yet." in answer.read()
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection(urlsplit(address).netloc).connect()


def test_slices_over_the_wire_are_exact_and_the_connection_goes_on(box: Box) -> None:
    recording_id, known = add_recording(box.store, sealed=SEALED), signed_in(box)
    with serving(box) as address, talking(address) as connection:
        for header, wanted in (
            (None, SEALED),
            ("bytes=65536-131071", SEALED[65_536:131_072]),
            ("bytes=-7", SEALED[-7:]),
            ("bytes=0-0", SEALED[:1]),
        ):
            connection.request(
                "GET",
                f"/recordings/{recording_id}/session.mp4.age",
                headers=known | ({"Range": header} if header else {}),
            )
            answer = connection.getresponse()
            assert answer.read() == wanted
            assert answer.headers["Content-Length"] == str(len(wanted))
        connection.request("HEAD", f"/recordings/{recording_id}/session.mp4.age", headers=known)
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Content-Length"], answer.read()) == (200, str(len(SEALED)), b"")
        connection.request("GET", "/", headers={"Host": "evil.example"})
        assert connection.getresponse().status == 421


def test_readers_that_stall_do_not_hold_up_the_page(box: Box) -> None:
    recording_id, known = add_recording(box.store, sealed=SEALED), signed_in(box)
    with serving(box) as address, talking(address) as reader:
        stalled = [http.client.HTTPConnection(urlsplit(address).netloc) for _ in range(20)]
        for connection in stalled:
            connection.request("GET", f"/recordings/{recording_id}/session.mp4.age", headers=known)
        reader.request("GET", "/status.json")
        assert reader.getresponse().status == 200
        for connection in stalled:
            connection.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.org", ""])  # noqa: S104  # to be refused
def test_it_listens_to_nobody_else(box: Box, host: str) -> None:
    with pytest.raises(ConfigError, match="this computer only"):
        listen_here(host, 0)


def test_a_port_that_is_taken_is_said_in_words(box: Box) -> None:
    with serving(box) as address:
        port = urlsplit(address).port
        assert port is not None
        with pytest.raises(AdminError, match=f"cannot listen on port {port}") as caught:
            listen_here("127.0.0.1", port)
        assert "web.port" in caught.value.hint
