"""The wire between a box and its clinic server, for those who can touch it: bytes are counted, and it can be harmed.

It knows nothing of what passes through. Whoever listens at the other end is real.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

HOST: Final = "127.0.0.1"
_PIECE_BYTES: Final = 1 << 16
_LATE_S: Final = 10.0


def free_port() -> int:
    """A port on which nobody listens at this moment."""
    with socket.socket() as listening:
        listening.bind((HOST, 0))
        return int(listening.getsockname()[1])


class Wire:
    """Carries connections from a port of its own to a server's, until it is closed.

    ``server_port``: to where the next connection goes. ``sent_bytes``: what the box has sent, over all connections.
    ``silent``: connections stand, and nothing passes.
    """

    def __init__(self, server_port: int) -> None:
        self.server_port = server_port
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.port = free_port()
        self.sent_bytes = 0
        self.silent = False
        self._due_bytes: int | None = None
        self._then: Callable[[], None] = lambda: None
        self.done = threading.Event()  # whether what ``at`` was to do is done
        self.done.set()
        self.open()

    def open(self) -> None:
        """Listen, at the same port as ever."""
        self._listening = self.listening()
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def listening(self) -> socket.socket:
        """A socket on which somebody may come."""
        return socket.create_server((HOST, self.port), backlog=64)

    def at(self, sent_bytes: int, then: Callable[[], None]) -> None:
        """Have ``then`` done, once, when the box has sent so many bytes in all; before any more pass."""
        with self._lock:
            self.done.clear()
            self._due_bytes, self._then = sent_bytes, then

    def cut(self) -> None:
        """Break all connections that there are."""
        with self._lock:
            connections, self._connections = self._connections, set()
        for one in connections:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def fall_silent(self) -> None:
        """Carry nothing any more; nobody is told."""
        self.silent = True

    def speak(self) -> None:
        """Carry what comes from now on. What was lost stays lost, so nothing that stands is of any use."""
        self.silent = False
        self.cut()

    def close(self) -> None:
        """Nobody listens any more."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()
        for thread in self._threads:
            thread.join(_LATE_S)

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                box, _ = listening.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._carry, args=(box,), daemon=True)
            thread.start()
            self._threads = [*(one for one in self._threads if one.is_alive()), thread]

    def _carry(self, box: socket.socket) -> None:
        try:
            server = socket.create_connection((HOST, self.server_port), timeout=30)
        except OSError:
            box.close()
            return
        server.settimeout(None)
        with self._lock:
            self._connections |= {box, server}
        back = threading.Thread(target=self._pump, args=(server, box, False), daemon=True)
        back.start()
        self._pump(box, server, True)
        back.join()
        with self._lock:
            self._connections -= {box, server}
        box.close()
        server.close()

    def _pump(self, one: socket.socket, other: socket.socket, counted: bool) -> None:  # noqa: FBT001
        with suppress(OSError):
            while data := one.recv(_PIECE_BYTES):
                if self.silent:
                    continue
                if counted:
                    self._count(len(data))
                other.sendall(data)
        with suppress(OSError):
            other.shutdown(socket.SHUT_WR)

    def _count(self, passed: int) -> None:
        with self._lock:
            self.sent_bytes += passed
            due = self._due_bytes is not None and self.sent_bytes >= self._due_bytes
            if due:
                self._due_bytes = None
        if due:
            self._then()
            self.done.set()
