"""The server under the page: waitress, on this computer or for nginx alone. The only home of that library."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from waitress import wasyncore  # type: ignore[import-untyped]  # waitress ships no types
from waitress.server import create_server  # type: ignore[import-untyped]  # waitress ships no types

from device.datagrams import bound_socket
from device.errors import AdminError, ConfigError
from device.web.front import MOST_BODY_BYTES

if TYPE_CHECKING:
    from flask import Flask

    from device.web.fleet.app import Wsgi

_THREADS: Final = 8
_WAITING: Final = 256
# Beyond these waitress would put what is to be sent, or was received, into a file (promise P4).
_MEMORY_BYTES: Final = 64 * 1024 * 1024
# nginx is the only one who connects by the socket. It says by TLS, and from where.
_BEHIND_NGINX: Final = {
    "url_scheme": "https",
    "trusted_proxy": "localhost",
    "trusted_proxy_headers": {"x-forwarded-for"},
}


class PageServer:
    """Answers on a socket that listens already, from ``run`` until ``stop``."""

    def __init__(self, app: Flask | Wsgi, listening: socket.socket) -> None:
        """Get ready. ``listening``: of ``listen_here`` or ``listen_for_nginx``; it is this server's from now on."""
        self._sockets: dict[int, Any] = {}
        self._forgotten: dict[int, Any] = {}
        self._server = create_server(
            app,
            map=self._sockets,
            sockets=[listening],
            threads=_THREADS,
            connection_limit=_WAITING,
            asyncore_use_poll=True,
            ident=None,
            max_request_body_size=MOST_BODY_BYTES,
            inbuf_overflow=_MEMORY_BYTES,
            outbuf_overflow=_MEMORY_BYTES,
            **(_BEHIND_NGINX if listening.family == socket.AF_UNIX else {}),
        )

    def run(self) -> None:
        """Answer until ``stop`` is called, or the process is told to exit; then nothing listens any more."""
        try:
            self._server.run()
        finally:
            # Threads first: one that still answers would speak to the loop through a pipe that is no longer there.
            self._server.task_dispatcher.shutdown()
            for channel in list(self._server.active_channels.values()):
                channel.handle_close()  # closes the file of a download under way, too
            wasyncore.close_all({**self._forgotten, **self._sockets})

    def stop(self) -> None:
        """End ``run``, from any thread, also before it began."""
        self._server.trigger.pull_trigger(self._forget)

    def _forget(self) -> None:
        """In the loop's own thread: with nothing left to watch it ends. (An exception raised here would be dropped.)"""
        self._forgotten = dict(self._sockets)
        self._sockets.clear()


def listen_here(host: str, port: int) -> socket.socket:
    """Listen on this computer, in plain.

    Raises:
        ConfigError: ``host`` is not this computer's own address.
        AdminError: nothing can listen there, mostly because something else does.
    """
    if not _is_loopback(host):
        raise ConfigError(
            f"web.host = {host!r}: without nginx the page listens on this computer only",
            'set it to "127.0.0.1" or "::1"',
        )
    try:  # our own socket: where waitress cannot listen, it leaves its threads and its pipe behind
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as problem:
        raise AdminError(
            f"the page cannot listen on port {port}: {problem.strerror}",
            "stop what listens there, or set web.port to another one",
        ) from problem


def listen_for_nginx(path: Path) -> socket.socket:
    """Listen at a local socket that this user and its group may use.

    Raises:
        AdminError: no socket can be made there.
    """
    listening = bound_socket(path, socket.SOCK_STREAM)
    listening.listen(_WAITING)
    return listening


def address_of(listening: socket.socket) -> str:
    """Where a browser on this computer finds what listens here; also for port 0."""
    host, port, *_ = listening.getsockname()
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/"


def serve(app: Flask | Wsgi, listening: socket.socket, on_listening: Callable[[], None]) -> None:
    """Serve the page until the process is told to exit. ``on_listening`` is called once it answers."""
    server = PageServer(app, listening)
    on_listening()
    server.run()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
