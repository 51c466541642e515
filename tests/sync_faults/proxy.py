"""A small TLS reverse proxy that stands before a real S3 server and does to requests and answers what a test wants.

What it does not touch passes through as it is, bytes and headers, so the signatures of both ends hold. The real server
behind it is asked over TLS, whatever certificate it shows: whom the box trusts is the proxy.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from tests.sync_faults.wire import HOST

_MOST_BYTES: Final = 64 << 20
_REASONS: Final = {100: "Continue", 200: "OK", 301: "Moved Permanently", 307: "Temporary Redirect", 503: "Slow Down"}


@dataclass
class Message:
    """A request or an answer: its first line, headers as they came, and all of its body."""

    first: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    keep_length: bool = False  # announce what was announced, however much is sent

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def method(self) -> str:
        return self.first.split()[0]

    @property
    def target(self) -> str:
        """Of a request: path and query."""
        return self.first.split()[1]

    @property
    def status(self) -> int:
        """Of an answer."""
        return int(self.first.split()[1])

    def head(self) -> bytes:
        lines = [self.first, *(f"{name}: {value}" for name, value in self.headers)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def answer(status: int, body: bytes = b"", **headers: str) -> Message:
    """An answer of the proxy's own."""
    given = [(name.replace("_", "-"), value) for name, value in headers.items()]
    first = f"HTTP/1.1 {status} {_REASONS.get(status, 'So')}"
    return Message(first, [*given, ("content-length", str(len(body)))], body)


Onward = Callable[[Message], Message]
"""Asks the real server."""

Mischief = Callable[[Message, Onward], Message]
"""What is done with a request; its answer."""


def honest(request: Message, onward: Onward) -> Message:
    """Nothing is done."""
    return onward(request)


class Proxy:
    """Listens with that certificate (PEM, with its key) before the server at ``server_port``; until it is closed."""

    def __init__(self, folder: Path, pem: bytes, server_port: int, *, port: int = 0) -> None:
        self.mischief: Mischief = honest
        self.asked: list[str] = []  # the first line of every request
        self._server_port = server_port
        self._folder = folder
        self._context = self._showing(pem)
        self._onward = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._onward.check_hostname = False
        self._onward.verify_mode = ssl.CERT_NONE
        self._listening = socket.create_server((HOST, port), backlog=64)
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def show(self, pem: bytes) -> None:
        """Another certificate, from the next connection on."""
        self._context = self._showing(pem)

    def _showing(self, pem: bytes) -> ssl.SSLContext:
        path = self._folder / "proxy.pem"
        path.write_bytes(pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError, ValueError), client:
            client.settimeout(120)
            with self._context.wrap_socket(client, server_side=True) as box, box.makefile("rwb") as file:
                while (request := _read(file, None)) is not None:
                    self.asked.append(request.first)
                    told = self.mischief(request, self._ask)
                    file.write(told.head())
                    if request.method != "HEAD":
                        file.write(told.body)
                    file.flush()
                    if told.keep_length or told.header("connection") == "close":
                        return

    def _ask(self, request: Message) -> Message:
        """One connection for each request: this is a test, not a server."""
        raw = socket.create_connection((HOST, self._server_port), timeout=120)
        with self._onward.wrap_socket(raw) as server, server.makefile("rwb") as file:
            file.write(request.head() + request.body)
            file.flush()
            told = _read(file, request.method)
        if told is None:
            raise OSError("the server hung up")
        return told


def _read(file: BinaryIO, asked: str | None) -> Message | None:
    """A request, or the answer to one that was ``asked``; all of it. ``None``: nobody says anything any more."""
    first = file.readline(1 << 16).decode("latin-1").strip()
    if not first:
        return None
    message = Message(first)
    while line := file.readline(1 << 16).decode("latin-1").strip():
        name, _, value = line.partition(":")
        message.headers.append((name.strip(), value.strip()))
    if asked is None and (message.header("expect") or "").lower() == "100-continue":
        file.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        file.flush()
        message.headers = [one for one in message.headers if one[0].lower() != "expect"]
    if asked is not None and message.status == 100:
        return _read(file, asked)
    if asked == "HEAD" or (asked is not None and message.status in {204, 304}):
        return message
    if (message.header("transfer-encoding") or "").lower() == "chunked":
        message.body = _chunks(file)
        message.headers = [one for one in message.headers if one[0].lower() != "transfer-encoding"]
        message.headers.append(("content-length", str(len(message.body))))
    else:
        length = min(int(message.header("content-length") or 0), _MOST_BYTES)
        message.body = file.read(length)
        if len(message.body) != length:
            return None  # it hung up in the middle; nobody is asked to wait for the rest
    return message


def _chunks(file: BinaryIO) -> bytes:
    body = b""
    while length := int(file.readline(64).split(b";")[0], 16):
        body += file.read(length)
        file.readline(4)
    while file.readline(1 << 12).strip():
        pass
    return body
