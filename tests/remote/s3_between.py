"""Somebody between box and S3 server, who passes on what both say, or changes it; and counts what the box sends."""

from __future__ import annotations

import http.client
import http.server
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.remote.ceph import HOST, PATIENCE_S

_HOP = {"connection", "transfer-encoding", "expect", "content-length", "keep-alive"}


@dataclass
class Heard:
    """One request on its way. ``cut``: of the answer only so many bytes of the body are passed on."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def sends_part(self) -> bool:
        return self.method == "PUT" and "partNumber=" in self.target

    @property
    def completes(self) -> bool:
        return self.method == "POST" and "uploadId=" in self.target


@dataclass
class Reply:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None


PassOn = Callable[[Heard], Reply]
Rule = Callable[[Heard, PassOn], Reply]


def honest(heard: Heard, pass_on: PassOn) -> Reply:
    return pass_on(heard)


class Between:
    """``rule`` may be set anew at any time. ``heard``: first lines of all requests so far."""

    def __init__(self, port: int, pem: bytes, folder: Path) -> None:
        self.rule: Rule = honest
        self.body_bytes = 0
        self.heard: list[str] = []
        self._to_port = port
        self._lock = threading.Lock()
        path = folder / "between.pem"
        path.write_bytes(pem)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(path)
        self._server = http.server.ThreadingHTTPServer((HOST, 0), type("Handler", (_Handler,), {"between": self}))
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a box that is killed hangs up
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    @property
    def endpoint(self) -> str:
        return f"https://{HOST}:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def count(self, length: int) -> None:
        with self._lock:
            self.body_bytes += length

    def pass_on(self, heard: Heard) -> Reply:
        """What the real server says to it."""
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        made = http.client.HTTPSConnection(HOST, self._to_port, timeout=PATIENCE_S, context=trusting)
        with closing(made) as connection:
            connection.putrequest(heard.method, heard.target, skip_host=True, skip_accept_encoding=True)
            for name, text in heard.headers.items():
                if name.lower() not in _HOP:
                    connection.putheader(name, text)
            connection.putheader("content-length", str(len(heard.body)))
            connection.endheaders(heard.body)
            response = connection.getresponse()
            headers = {name: text for name, text in response.getheaders() if name.lower() not in _HOP}
            headers["content-length"] = response.getheader("content-length", "")
            return Reply(response.status, response.read(), headers)


class _Handler(http.server.BaseHTTPRequestHandler):
    between: Between
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        self.request = self.between.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        super().finish()
        self.request.close()

    def log_message(self, *_: object) -> None: ...

    def _answer(self) -> None:
        self.between.heard.append(self.requestline)
        heard = Heard(self.command, self.path, dict(self.headers.items()), self._body())
        reply = self.between.rule(heard, self.between.pass_on)
        self.send_response_only(reply.status)
        for name, text in reply.headers.items():
            if name.lower() != "content-length":
                self.send_header(name, text)
        announced = reply.headers.get("content-length") if self.command == "HEAD" else None
        self.send_header("content-length", announced or str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body[: reply.cut])
        if reply.cut is not None:
            self.close_connection = True

    def _body(self) -> bytes:
        left, pieces = int(self.headers.get("content-length") or 0), []
        while left:
            piece = self.rfile.read1(min(left, 1 << 16))
            if not piece:
                raise ConnectionResetError
            self.between.count(len(piece))
            left -= len(piece)
            pieces.append(piece)
        return b"".join(pieces)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _answer  # noqa: N815  # http.server's words


@contextmanager
def between(port: int, pem: bytes, folder: Path) -> Iterator[Between]:
    made = Between(port, pem, folder)
    try:
        yield made
    finally:
        made.close()
