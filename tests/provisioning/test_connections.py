"""Connections that are kept: one serves for many requests, and none is used again that something was left in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from provisioning.connections import Connections
from provisioning.errors import UnreachableError
from provisioning.http_source import HttpSource
from tests.support import PATIENCE_S

CONTENT = bytes(range(200))


class Server(ThreadingHTTPServer):
    """Keeps connections, and counts them."""

    daemon_threads = True
    connected = 0
    hangs_up = False

    def get_request(self) -> tuple[object, object]:  # type: ignore[override]
        self.connected += 1
        return super().get_request()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/file"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE_S

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT)
        assert isinstance(self.server, Server)
        self.close_connection = self.server.hangs_up  # without having said so

    def log_message(self, *_told: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join(timeout=PATIENCE_S)


def read(server: Server, connections: Connections | None, *, most_bytes: int = 1000) -> bytes | None:
    with closing(HttpSource(server.address, connections=connections)) as source:
        return source.read_all(most_bytes)


def test_one_connection_serves_for_many_files(server: Server) -> None:
    with closing(Connections()) as connections:
        assert [read(server, connections) for _ in range(5)] == [CONTENT] * 5
    assert server.connected == 1


def test_without_any_that_are_kept_each_file_has_its_own(server: Server) -> None:
    assert [read(server, None) for _ in range(3)] == [CONTENT] * 3
    assert server.connected == 3


def test_what_was_not_read_to_its_end_is_never_taken_for_the_next_answer(server: Server) -> None:
    with closing(Connections()) as connections:
        with pytest.raises(UnreachableError, match="too large"):
            read(server, connections, most_bytes=10)
        assert read(server, connections) == CONTENT
    assert server.connected == 2


def test_an_idle_connection_that_the_server_closed_is_no_failure(server: Server) -> None:
    server.hangs_up = True
    with closing(Connections()) as connections:
        assert [read(server, connections) for _ in range(3)] == [CONTENT] * 3
    assert server.connected == 3


def test_two_files_at_once_have_two_connections_and_one_stays(server: Server) -> None:
    with closing(Connections()) as connections:
        one, other = (HttpSource(server.address, connections=connections) for _ in range(2))
        assert [one.read_all(1000), other.read_all(1000)] == [CONTENT, CONTENT]
        one.close()
        other.close()
        assert read(server, connections) == CONTENT
        assert server.connected == 2
