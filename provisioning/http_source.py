"""A recording behind an http(s) address, read with single ranges over one connection (RFC 9110, section 14).

Certificates are verified; a redirect is followed on the same host only, and never from https back to http.
"""

from __future__ import annotations

import io
import re
import ssl
from collections.abc import Iterator
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from provisioning.connections import TIMEOUT_S, Connections
from provisioning.errors import NoRangeError, UnreachableError, UsageError
from provisioning.source import RawStream

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS: Final = 5
_CONTENT_RANGE: Final = re.compile(r"bytes (?:([0-9]{1,18})-([0-9]{1,18})|\*)/([0-9]{1,18})")
_PIECE_BYTES: Final = 1 << 20


class HttpSource:
    """A file behind an address. ``token``: what signs each request (``provisioning/box_login.py``).

    ``connections``: those that are kept beyond this file; else its connection is closed with it.

    Raises:
        UsageError: that is no address that can be read.
    """

    def __init__(
        self,
        address: str,
        *,
        token: str | None = None,
        timeout_s: float = TIMEOUT_S,
        connections: Connections | None = None,
    ) -> None:
        self._address = checked(address)
        self._token = token
        self._token_for = self._address[:2]  # no other server is ever shown it, wherever we are redirected to
        self._timeout_s = timeout_s
        self._connections = connections
        self._connection: HTTPConnection | None = None
        self._response: HTTPResponse | None = None
        self._size_bytes: int | None = None
        self._tag: str | None = None
        self.bytes_read = 0

    def size_bytes(self) -> int | None:
        return self._size_bytes

    def read_at(self, offset: int, size: int) -> bytes:
        if self._size_bytes is not None:
            size = min(size, self._size_bytes - offset)
        if size <= 0:
            return b""
        with self._get({"Range": f"bytes={offset}-{offset + size - 1}"}) as response:
            if response.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                self._note_version(response)
                self.close()
                return b""
            if response.status != HTTPStatus.PARTIAL_CONTENT:
                self.close()  # the whole file is on its way: nobody reads it
                raise NoRangeError(
                    "the server sends whole files only, so no slice can be taken from it",
                    "download the recording and open the slice from the file, or open all of it",
                )
            length = self._note_version(response, offset=offset, most=size)
            return self._body(response, length)

    def stream(self) -> io.BufferedReader:
        response = self._get({})
        self._size_bytes = response.length

        def read(size: int) -> bytes:
            return self._body(response, size, whole=False)

        return RawStream(read).buffered()

    def pieces(self, start: int, end: int | None) -> Iterator[bytes]:
        """The bytes from ``start`` up to ``end`` by one request; none where the file is no longer than ``start``."""
        last = "" if end is None else str(end - 1)
        if end is not None and end <= start:
            return
        with self._get({"Range": f"bytes={start}-{last}"} if start or end is not None else {}) as response:
            if response.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                self.close()
                return
            if (response.status == HTTPStatus.PARTIAL_CONTENT) != bool(start or end is not None):
                self.close()
                raise NoRangeError("the server sends whole files only", "fetch it with another program")
            if response.status == HTTPStatus.PARTIAL_CONTENT:
                self._note_version(response, offset=start, most=1 << 62 if end is None else end - start)
            while piece := self._body(response, _PIECE_BYTES, whole=False):
                yield piece
        self.close()

    def read_all(self, most_bytes: int) -> bytes | None:
        """A small file as a whole; ``None`` where there is none.

        Raises:
            UnreachableError: it cannot be read, or is larger than ``most_bytes``.
        """
        with self._get({}, missing_ok=True) as response:
            if response.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
                self.close()
                return None
            data = self._body(response, most_bytes + 1, whole=False)
            while (more := self._body(response, most_bytes + 1 - len(data), whole=False)) and len(data) <= most_bytes:
                data += more
        if len(data) > most_bytes:
            raise UnreachableError("what the server sends is far too large", "check the address")
        return data

    def close(self) -> None:
        if self._connections is not None and self._connection is not None:
            self._connections.give_back(self._address, self._connection, self._response)
            self._response = self._connection = None
        self._drop()

    def _drop(self) -> None:
        # Where the server keeps no connection, the answer alone holds the socket.
        if self._response is not None:
            self._response.close()
        if self._connection is not None:
            self._connection.close()
        self._response = self._connection = None

    def _get(self, headers: dict[str, str], *, missing_ok: bool = False) -> HTTPResponse:
        """The answer to one request, redirects followed; whatever is no success is raised."""
        for _ in range(_MOST_REDIRECTS):
            response = self._answer(headers)
            if response.status not in _REDIRECTS:
                if response.status < 300 or response.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                    return response
                if missing_ok and response.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
                    return response
                self.close()
                raise _refused(response.status)
            self._follow(response.headers.get("Location", ""))
        raise UnreachableError("the server redirects in circles", "check the address")

    def _answer(self, headers: dict[str, str]) -> HTTPResponse:
        path = self._address.path + (f"?{self._address.query}" if self._address.query else "")
        if self._connection is None:
            self._connection = (self._connections or Connections()).take(self._address, timeout_s=self._timeout_s)
        connection, self._response = self._connection, None
        fresh = connection.sock is None
        try:
            connection.request("GET", path, headers={**headers, **self._shown()})
            self._response = connection.getresponse()
        except (OSError, HTTPException) as problem:
            self._drop()
            # A server may close an idle connection at any time; that is no failure until a fresh one fails too.
            if not fresh and isinstance(problem, ConnectionError):
                return self._answer(headers)
            raise self._unreachable(problem) from problem
        return self._response

    def _shown(self) -> dict[str, str]:
        if self._token is None or self._address[:2] != self._token_for:
            return {}
        return {"Authorization": f"Bearer {self._token}"}

    def _follow(self, location: str) -> None:
        target = urlsplit(urljoin(self._address.geturl(), location))
        downgraded = self._address.scheme == "https" and target.scheme != "https"
        if target.hostname != self._address.hostname or target.scheme not in {"http", "https"} or downgraded:
            raise UnreachableError(
                f"the server points to another place: {target.scheme}://{target.hostname}",
                "if you trust that place, give its address",
            )
        self.close()
        self._address = target

    def _note_version(self, response: HTTPResponse, *, offset: int = -1, most: int = 0) -> int:
        """Check that this is the range asked for, of the same file as before; the number of bytes in it."""
        match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if match is None:
            raise UnreachableError("the server does not say which part it sends", "download the recording first")
        size_bytes, tag = int(match[3]), response.headers.get("ETag")
        if self._size_bytes not in {None, size_bytes} or (self._tag and self._tag != tag):
            raise UnreachableError("the recording changed while it was read", "wait until it has ended, then try again")
        self._size_bytes, self._tag = size_bytes, tag
        if offset < 0:
            return 0
        first, length = int(match[1] or -1), int(match[2] or -1) + 1 - int(match[1] or -1)
        if first != offset or length != min(most, size_bytes - offset):
            raise UnreachableError("the server sent another part than was asked for", "download the recording first")
        return length

    def _body(self, response: HTTPResponse, size: int, *, whole: bool = True) -> bytes:
        try:
            data = response.read(size)
        except (OSError, HTTPException) as problem:
            raise self._unreachable(problem) from problem
        self.bytes_read += len(data)
        if (whole and len(data) != size) or (size and not data and response.length):
            raise self._unreachable(IncompleteRead(data))
        return data

    def _unreachable(self, problem: Exception) -> UnreachableError:
        self._drop()
        return unreachable(self._address, problem)


def unreachable(address: SplitResult, problem: Exception) -> UnreachableError:
    """Why a server could not be read, in our words."""
    place = address.hostname
    if isinstance(problem, ssl.SSLCertVerificationError):
        return UnreachableError(
            f"the certificate of {place} is not to be trusted: {problem.verify_message}",
            "have the clinic's certificate authority installed here, or name its file in SSL_CERT_FILE",
        )
    reason = "no answer" if isinstance(problem, TimeoutError) else getattr(problem, "strerror", None) or "it broke off"
    return UnreachableError(f"{place} cannot be read: {reason}", "check the address and the network, and try again")


def checked(address: str) -> SplitResult:
    """An address in its parts.

    Raises:
        UsageError: that is no address that can be read.
    """
    try:
        parts = urlsplit(address)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username is not None:
        raise UsageError("this is not an address that can be read", "write it like https://box.example/recordings/…")
    return parts


def _refused(status: int) -> UnreachableError:
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return UnreachableError("there is no recording at this address", "check the address")
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return UnreachableError(
            f"the server does not let you read this recording ({status})", "ask whoever keeps it to share it with you"
        )
    return UnreachableError(f"the server answers with an error ({status})", "try again later, or ask its admin")
