"""The still of a framing check on its way from capture to the page: one local socket that tells and never listens.

Whoever connects is told the latest still, or nothing, and the connection is closed. Not one byte is read from it, so
nothing can be asked here. The still is in memory only, on both sides (ARCHITECTURE, P4).
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import Final

from device.datagrams import ConnectionServer

STILL_NAME: Final = "framing.sock"
STALE_AFTER_MS: Final = 2000
_HEAD: Final = Struct(">4sII")  # and then so many bytes of JPEG, taken so many milliseconds ago
_MAGIC: Final = b"Stil"
_MOST_BYTES: Final = 2 << 20
_PATIENCE_S: Final = 1.0
_WAITING: Final = 4


@dataclass(frozen=True, slots=True)
class Still:
    """A picture that is looked at and gone: JPEG, taken ``age_ms`` ago."""

    jpeg: bytes
    age_ms: int


class StillServer(ConnectionServer):
    """Tells everybody who connects the still that ``latest`` has at that moment, in a thread of its own."""

    def __init__(self, path: Path, latest: Callable[[], Still | None]) -> None:
        """Listen at ``path``; what stood there before is gone.

        Raises:
            AdminError: no socket can be made there.
        """
        self._latest = latest
        super().__init__(path, socket.SOCK_STREAM, self._tell, waiting=_WAITING)

    def _tell(self, client: socket.socket) -> None:
        still = self._latest()
        if still is None:
            return
        client.settimeout(_PATIENCE_S)
        try:
            client.sendall(_HEAD.pack(_MAGIC, len(still.jpeg), still.age_ms) + still.jpeg)
        except OSError:
            return  # whoever asked is gone, or does not look


def fetch_still(run: Path) -> Still | None:
    """The latest still of the framing check, or ``None`` where there is none, for whatever reason."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as client:
            client.settimeout(_PATIENCE_S)
            client.connect(str(run / STILL_NAME))
            told = _read_all(client)
    except OSError:
        return None
    if len(told) < _HEAD.size:
        return None
    (magic, size, age_ms), jpeg = _HEAD.unpack_from(told), told[_HEAD.size :]
    whole = magic == _MAGIC and len(jpeg) == size
    return Still(jpeg, age_ms) if whole and age_ms < STALE_AFTER_MS else None


def _read_all(client: socket.socket) -> bytes:
    parts: list[bytes] = []
    while sum(map(len, parts)) <= _MOST_BYTES and (part := client.recv(1 << 16)):
        parts.append(part)
    return b"".join(parts)
