"""Connections to servers, kept from one request to the next: to a far one a new one costs two round trips, by TLS.

One idle connection is kept for each server. Whoever takes it has it alone until it is given back.
"""

from __future__ import annotations

import ssl
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import Final
from urllib.parse import SplitResult

TIMEOUT_S: Final = 30.0

_Server = tuple[str, str]


class Connections:
    """Those that are idle."""

    def __init__(self) -> None:
        self._idle: dict[_Server, HTTPConnection] = {}

    def take(self, address: SplitResult, *, timeout_s: float = TIMEOUT_S) -> HTTPConnection:
        """The idle connection to that server, or one that is not opened yet (its ``sock`` is ``None``).

        The server may have closed an idle one meanwhile, which only the next request shows.
        """
        return self._idle.pop(address[:2], None) or connect(address, timeout_s=timeout_s)

    def give_back(self, address: SplitResult, connection: HTTPConnection, response: HTTPResponse | None) -> None:
        """Let go of a connection after its last ``response``; it is kept where that was read to its end."""
        # One that was only closed may have left bytes on the way, which the next answer would begin with.
        open_still = connection.sock is not None and response is not None and response.length == 0
        if open_still and self._idle.setdefault(address[:2], connection) is connection:
            return
        if response is not None:  # where the server keeps no connection, the answer alone holds the socket
            response.close()
        connection.close()

    def close(self) -> None:
        """Close all that are idle."""
        while self._idle:
            self._idle.popitem()[1].close()


def connect(address: SplitResult, *, timeout_s: float = TIMEOUT_S) -> HTTPConnection:
    """A connection to the server of that address, not opened yet; certificates are verified."""
    host, port = address.hostname or "", address.port
    if address.scheme == "https":
        return HTTPSConnection(host, port, timeout=timeout_s, context=ssl.create_default_context())
    return HTTPConnection(host, port, timeout=timeout_s)
