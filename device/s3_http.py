"""Requests to one bucket of an S3 server over TLS: signed, streamed, and answered in our words.

The standard library's HTTP moves the bytes: nothing is tried again here, no redirect is followed, and neither the
environment nor anybody's home is asked for credentials, proxies or names of servers (docs/decisions/0007-s3.md).
Connections are kept for the next request and may be used by two threads, one request each.
"""

from __future__ import annotations

import hashlib
import http.client
import io
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from device.errors import RemoteError
from device.s3_answers import error_code
from device.s3_credentials import read_credentials
from device.s3_errors import nonsense, refusal, told_as_ours
from device.s3_signing import NOTHING_SHA256, Request, signed

_MOST_BYTES: Final = 8 << 20  # of an answer that is not a file: the largest is a page of a list
_WORTH_ASKING_BYTES: Final = 256 << 10  # a body as long is sent only once the server said that it wants it
_GO_AHEAD_S: Final = 2.0
_AT_ONCE_BYTES: Final = 64 << 10  # handed to TLS together: as much has to move before a server counts as silent
_HEAD_MOST_BYTES: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class Place:
    """Which bucket of which server, and who asks. Both files are read anew whenever they are needed."""

    host: str
    port: int
    region: str
    bucket: str
    credentials: Path
    ca: Path | None

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 443 else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent along: its length, its SHA-256 (hex), and the bytes, which are made when they are needed."""

    size_bytes: int
    sha256: str
    pieces: Callable[[], Iterable[bytes]]

    @classmethod
    def of(cls, text: bytes) -> Body:
        """Something short."""
        return cls(len(text), hashlib.sha256(text).hexdigest(), lambda: (text,))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Names of headers in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class S3Http:
    """A bucket. All methods raise what ``device/remote.py`` allows, and nothing else."""

    def __init__(self, place: Place, *, silence_s: float, utc: Callable[[], datetime]) -> None:
        self._place = place
        self._silence_s = silence_s
        self._utc = utc
        self._lock = threading.Lock()
        self._idle: list[http.client.HTTPSConnection] = []
        self._says_go_ahead = True

    def ask(
        self,
        method: str,
        key: str = "",
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        also: frozenset[int] = frozenset(),
    ) -> Answer:
        """One request and its whole answer. Statuses in ``also`` are answers, too; any other but 2xx is raised."""
        with self.answer(method, key, query=query, headers=headers, body=body) as response:
            text = _whole(response)
            told = Answer(response.status, _headers(response), text)
        if 200 <= told.status < 300 or told.status in also:
            return told
        raise refusal(told.status, error_code(told.body), told.headers.get("retry-after"))

    @contextmanager
    def answer(
        self,
        method: str,
        key: str = "",
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        """One request, and its answer to be read. What is left unread costs the connection, and nothing else."""
        place = self._place
        who = read_credentials(place.credentials)
        path = f"/{place.bucket}/{key}" if key else f"/{place.bucket}"
        hashed = body.sha256 if body else NOTHING_SHA256
        said = {"host": place.authority, **(headers or {})}
        request = Request(method, path, query or {}, said, hashed)
        lines = signed(request, who, region=place.region, now=self._utc())
        connection = self._kept() or self._made()
        keep = False
        try:
            response = self._exchange(connection, request, lines, body)
            yield response
            keep = response.isclosed() and not response.will_close
        finally:
            if keep:
                with self._lock:
                    self._idle.append(connection)
            else:
                connection.close()

    def close(self) -> None:
        """Let every connection go; the next request makes its own."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
        self._says_go_ahead = True

    # -- connections ---------------------------------------------------------------------------------------------------

    def _kept(self) -> http.client.HTTPSConnection | None:
        """One that the server has not hung up on in the meantime."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if connection.sock is not None and not _said_something(connection.sock):
                return connection
            connection.close()

    def _made(self) -> http.client.HTTPSConnection:
        context = _trust(self._place.ca)
        connection = http.client.HTTPSConnection(
            self._place.host, self._place.port, timeout=self._silence_s, context=context
        )
        with told_as_ours():
            connection.connect()
        return connection

    # -- one request ---------------------------------------------------------------------------------------------------

    def _exchange(
        self, connection: http.client.HTTPSConnection, request: Request, lines: Mapping[str, str], body: Body | None
    ) -> http.client.HTTPResponse:
        asks = body is not None and body.size_bytes >= _WORTH_ASKING_BYTES and self._says_go_ahead
        with told_as_ours():
            connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
            for name, text in lines.items():
                connection.putheader(name, text)
            if body is not None or request.method in {"PUT", "POST"}:
                connection.putheader("content-length", str(body.size_bytes if body is not None else 0))
            if asks:
                connection.putheader("expect", "100-continue")
            connection.endheaders()
            refused = self._refused(connection, request.method) if asks else None
        if refused is not None:
            return refused
        heard = all(_send(connection, piece) for piece in body.pieces()) if body is not None else True
        with told_as_ours():
            response = connection.getresponse()
        response.will_close = response.will_close or not heard
        return response

    def _refused(self, connection: http.client.HTTPSConnection, method: str) -> http.client.HTTPResponse | None:
        """The answer of a server that does not even want the body (RFC 9110, section 10.1.1); ``None``: it wants it."""
        sock, head = connection.sock, b""
        sock.settimeout(min(_GO_AHEAD_S, self._silence_s))
        try:
            while b"\r\n\r\n" not in head and len(head) < _HEAD_MOST_BYTES:
                piece = sock.recv(4096)
                if not piece:
                    break
                head += piece
        except TimeoutError:
            if head:
                raise
            self._says_go_ahead = False
            return None
        finally:
            sock.settimeout(self._silence_s)
        if head.startswith(b"HTTP/1.1 100"):
            head = head.partition(b"\r\n\r\n")[2]
            if not head:
                return None
        response = http.client.HTTPResponse(_Begun(sock, head), method=method)  # type: ignore[arg-type]  # is read only
        response.begin()
        response.will_close = True
        return response


def _said_something(sock: socket.socket) -> bool:
    """Whether there is anything to be read, were it only its end. ``select`` knows no file beyond the 1024th."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


class _Begun(io.RawIOBase):
    """A socket of whose answer the beginning was read already."""

    def __init__(self, sock: Any, head: bytes) -> None:
        self._sock, self._head = sock, head

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:
        if not self._head:
            return int(self._sock.recv_into(room))
        count = min(len(room), len(self._head))
        room[:count], self._head = self._head[:count], self._head[count:]
        return count


def _send(connection: http.client.HTTPSConnection, piece: bytes) -> bool:
    """Send a piece; ``False``: the server listens no longer, and may have said why."""
    view = memoryview(piece)
    with told_as_ours():
        try:
            for start in range(0, len(view), _AT_ONCE_BYTES):
                connection.send(view[start : start + _AT_ONCE_BYTES])
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return False
    return True


def _whole(response: http.client.HTTPResponse) -> bytes:
    with told_as_ours():
        text = response.read(_MOST_BYTES + 1)
        if response.length:  # short of what was announced
            raise http.client.IncompleteRead(text, response.length)
    if len(text) > _MOST_BYTES:
        raise nonsense()
    return text


def _headers(response: http.client.HTTPResponse) -> dict[str, str]:
    return {name.lower(): text for name, text in response.getheaders()}


def _trust(ca: Path | None) -> ssl.SSLContext:
    """Whom to believe: the certificates in ``ca``, or those of the system."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca is None:
        context.load_default_certs()
        return context
    try:
        context.load_verify_locations(cafile=ca)
    except OSError:  # an SSLError is one
        raise RemoteError(
            "the certificates that the remote is to be known by cannot be read",
            "see that the file that remote.ca names is there, in PEM, and readable for sync",
        ) from None
    return context
