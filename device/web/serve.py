"""The server under the page: waitress, on this computer only. The only home of that library."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from waitress import wasyncore  # type: ignore[import-untyped]  # waitress ships no types
from waitress.server import create_server  # type: ignore[import-untyped]  # waitress ships no types

from device.errors import AdminError, ConfigError

if TYPE_CHECKING:
    from flask import Flask

_THREADS: Final = 8
_MOST_REQUEST_BYTES: Final = 128 * 1024  # a clip that somebody's program has sealed


class PageServer:
    """Listens from construction on; ``run`` answers until ``stop``. ``address`` says where, also for port 0."""

    def __init__(self, app: Flask, *, host: str, port: int) -> None:
        """Listen.

        Raises:
            ConfigError: ``host`` is not this computer's own address.
            AdminError: nothing can listen there, mostly because something else does.
        """
        if not _is_loopback(host):
            raise ConfigError(
                f"web.host = {host!r}: the page listens on this computer only", 'set it to "127.0.0.1" or "::1"'
            )
        self._sockets: dict[int, Any] = {}
        self._forgotten: dict[int, Any] = {}
        self._server = create_server(
            app,
            map=self._sockets,
            sockets=[_listen(host, port)],
            threads=_THREADS,
            ident=None,
            max_request_body_size=_MOST_REQUEST_BYTES,
        )
        shown = f"[{host}]" if ":" in host else host
        self.address = f"http://{shown}:{self._server.effective_port}/"

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


def serve(app: Flask, host: str, port: int, on_listening: Callable[[str], None]) -> None:
    """Serve the page until the process is told to exit. ``on_listening`` is handed its address once it answers there.

    Raises:
        ConfigError, AdminError: as ``PageServer``.
    """
    server = PageServer(app, host=host, port=port)
    on_listening(server.address)
    server.run()


def _listen(host: str, port: int) -> socket.socket:
    """Our own socket: where waitress cannot listen, it leaves its threads and its pipe behind."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as problem:
        raise AdminError(
            f"the page cannot listen on port {port}: {problem.strerror}",
            "stop what listens there, or set web.port to another one",
        ) from problem


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
