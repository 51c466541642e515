"""Those who hold connections to a server and let it wait: idle, slow to ask, slow to read."""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count

from tests.front.nginx_server import HOST, PATIENCE_S, Nginx

_DRIP_S = 1.0


@dataclass
class Crowd:
    """Connections that are held on purpose. A hundred at most come from one address, as from a hundred computers."""

    nginx: Nginx
    held: list[socket.socket] = field(default_factory=list)
    drips: list[tuple[ssl.SSLSocket, Iterator[bytes]]] = field(default_factory=list)
    sent_away: int = 0
    _silent: list[socket.socket] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    def _plain(self) -> socket.socket:
        source = f"127.0.{1 + next(self._numbers) // 20}.1"  # some twenty of them each
        made = socket.create_connection((HOST, self.nginx.port), timeout=PATIENCE_S, source_address=(source, 0))
        self.held.append(made)
        return made

    def _secured(self) -> ssl.SSLSocket:
        made = self.nginx.trust.wrap_socket(self._plain(), server_hostname=HOST)
        self.held.append(made)
        return made

    def idle(self, number: int) -> None:
        """Nothing is said at all; who is sent away comes again, so that there are always as many."""
        self._silent += [self._plain() for _ in range(number)]

    def silent_behind_tls(self, number: int) -> None:
        """Nothing is said once TLS stands."""
        for _ in range(number):
            self._secured()

    def slow_headers(self, number: int) -> None:
        """A request whose header never ends."""
        for _ in range(number):
            made = self._secured()
            made.sendall(f"GET / HTTP/1.1\r\nHost: {self.nginx.netloc}\r\n".encode())
            self.drips.append((made, (f"X-{line}: 1\r\n".encode() for line in count())))

    def slow_bodies(self, number: int, path: str) -> None:
        """A form of which a letter comes now and then."""
        for _ in range(number):
            made = self._secured()
            head = f"POST {path} HTTP/1.1\r\nHost: {self.nginx.netloc}\r\nContent-Length: 60000\r\n"
            made.sendall(f"{head}Content-Type: application/x-www-form-urlencoded\r\n\r\n".encode())
            self.drips.append((made, (b"a" for _ in count())))

    def slow_readers(self, number: int, path: str, headers: dict[str, str]) -> None:
        """Somebody who asks for a large file, and reads none of it."""
        told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        for _ in range(number):
            made = self._secured()
            made.sendall(f"GET {path} HTTP/1.1\r\nHost: {self.nginx.netloc}\r\n{told}\r\n".encode())

    def still_there(self) -> int:
        """How many the server has not sent away yet."""
        held = {made.fileno() for made in self.held if made.fileno() >= 0}
        return len(held) - len(_gone(held))

    def drip(self, over: threading.Event) -> None:
        """Go on, a little a second, until it is over."""
        while not over.wait(_DRIP_S):
            for made, pieces in list(self.drips):
                try:
                    made.sendall(next(pieces))
                except OSError:
                    self.drips.remove((made, pieces))
            gone = _gone({made.fileno() for made in self._silent})
            self._silent = [made for made in self._silent if made.fileno() not in gone]
            self.sent_away += len(gone)
            with suppress(OSError):
                self.idle(len(gone))

    def close(self) -> None:
        for made in self.held:
            with suppress(OSError):
                made.close()


def _gone(numbers: set[int]) -> set[int]:
    """Of these sockets, by their numbers, those whose other end is closed."""
    looks = select.poll()
    for number in numbers:
        looks.register(number, select.POLLRDHUP)
    return {number for number, _ in looks.poll(0)}


@contextmanager
def crowd(nginx: Nginx) -> Iterator[Crowd]:
    """A crowd that drips until this ends."""
    made, over = Crowd(nginx), threading.Event()
    thread = threading.Thread(target=made.drip, args=[over])
    thread.start()
    try:
        yield made
    finally:
        over.set()
        thread.join(PATIENCE_S)
        made.close()


@dataclass
class Asking:
    """How long normal requests took, one after the other, for as long as it went on."""

    took_s: list[float] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)

    def ask(self, nginx: Nginx, paths: tuple[str, ...], headers: dict[str, str], *, for_s: float, least: int) -> None:
        """Ask for one after the other, each on a connection of its own: for that long, and that often at least."""
        until_s = time.monotonic() + for_s
        while time.monotonic() < until_s or len(self.took_s) < least:
            for path in paths:
                began_s = time.monotonic()
                status, _, _ = nginx.ask(path, **headers)
                self.took_s.append(time.monotonic() - began_s)
                self.statuses.add(status)
            time.sleep(0.2)
