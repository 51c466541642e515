"""The far end of a bad link, in its own namespace: whoever connects there is handed on through a socket of the disk.

``python -m tests.sync_faults.far_end ADDRESS PORT SOCKET``; a socket with a path is the one thing that both share.
"""

from __future__ import annotations

import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path

from tests.sync_faults.wire import Wire


def hand_on(listening: socket.socket, path: str) -> None:
    """Connect each who comes with the socket at ``path``."""
    while True:
        client, _ = listening.accept()
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.connect(path)
        for one, other in ((client, server), (server, client)):
            threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(1 << 16):
            other.sendall(data)
    with suppress(OSError):
        other.shutdown(socket.SHUT_WR)


class Gate(Wire):
    """The near side of it: who comes through the socket at ``path`` gets to a port of this machine."""

    def __init__(self, path: Path, port: int) -> None:
        self._path = path
        super().__init__(port)

    def listening(self) -> socket.socket:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        made.bind(str(self._path))
        made.listen(64)
        return made


if __name__ == "__main__":
    address, port, path = sys.argv[1:]
    with socket.create_server((address, int(port))) as server:
        sys.stdout.write("listening\n")
        sys.stdout.flush()
        hand_on(server, path)
