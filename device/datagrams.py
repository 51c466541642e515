"""Short messages between the processes of one box, over local sockets; and how such a socket is made."""

from __future__ import annotations

import os
import pwd
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from device.errors import AdminError

PAGE_USER: Final = "sotto-web"  # as in systemd/sysusers.d
SYNC_USER: Final = "sotto-sync"
_MOST_BYTES: Final = 4096
_PEER: Final = struct.Struct("3i")  # struct ucred: process, user, group


def send_datagram(data: bytes, path: Path) -> None:
    """Hand one datagram to a local socket.

    Raises:
        AdminError: nobody listens there.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as client:
        try:
            client.connect(str(path))
            client.send(data)
        except OSError as problem:
            raise AdminError("the capture service does not answer", "start it, or look into its log") from problem


def somebody_listens(path: Path) -> bool:
    """Whether a living process listens at a local socket; nothing is sent to it.

    Raises:
        AdminError: this user may not ask.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as client:
        try:
            client.connect(str(path))
        except PermissionError as problem:
            raise AdminError(
                "this user may not ask whether the capture service runs", "run this as the service's user"
            ) from problem
        except OSError:
            return False  # no such name, or one that a process left behind
    return True


def bound_socket(path: Path, kind: socket.SocketKind) -> socket.socket:
    """A local socket at ``path`` that this user and its group may use; what stood there before is gone.

    Raises:
        AdminError: no socket can be made there.
    """
    made = socket.socket(socket.AF_UNIX, kind | socket.SOCK_CLOEXEC)
    try:
        path.unlink(missing_ok=True)
        made.bind(str(path))
        path.chmod(0o660)
    except OSError as problem:
        made.close()
        reason = problem.strerror or problem
        raise AdminError(f"{path.name} cannot be made: {reason}", "check the folder that box.run names") from problem
    return made


def user_of(client: socket.socket) -> int:
    """Who opened this connection, as the kernel knows it (unix(7))."""
    _, user, _ = _PEER.unpack(client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
    return int(user)


def users_named(name: str) -> frozenset[int]:
    """Who may ask: that user, where this machine has one, and our own: on a developer's machine both are the same."""
    own = {os.geteuid()}
    try:
        return frozenset({*own, pwd.getpwnam(name).pw_uid})
    except KeyError:
        return frozenset(own)


class DatagramServer:
    """Hands every datagram that reaches a local socket to ``handle``, in a thread of its own, until it is closed."""

    def __init__(self, path: Path, handle: Callable[[bytes], None]) -> None:
        """Listen at ``path``; what stood there before is gone.

        Raises:
            AdminError: no socket can be made there.
        """
        self._path = path
        self._handle = handle
        self._socket = bound_socket(path, socket.SOCK_DGRAM)
        self._closing = False
        self._thread = threading.Thread(target=self._serve, name=path.stem, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self._closing:
            data = self._socket.recv(_MOST_BYTES)
            if data and not self._closing:
                self._handle(data)

    def close(self) -> None:
        """Stop listening and take the socket's name away."""
        self._closing = True
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            client.sendto(b"", os.fspath(self._path))
        self._thread.join()
        self._socket.close()
        self._path.unlink(missing_ok=True)


class ConnectionServer:
    """Hands every connection to a local socket to ``serve``, one after the other, in a thread of its own."""

    def __init__(
        self, path: Path, kind: socket.SocketKind, serve: Callable[[socket.socket], None], *, waiting: int
    ) -> None:
        """Listen at ``path``; what stood there before is gone. ``waiting``: how many may wait for their turn.

        ``serve`` is lent each connection, which is closed when it returns.

        Raises:
            AdminError: no socket can be made there.
        """
        self._path = path
        self._serve = serve
        self._socket = bound_socket(path, kind)
        self._socket.listen(waiting)
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=path.stem, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._closing:
            try:
                client, _ = self._socket.accept()
            except OSError:
                if self._closing:
                    return
                raise
            with client:
                self._serve(client)

    def close(self) -> None:
        """Stop listening and take the socket's name away."""
        self._closing = True
        self._socket.shutdown(socket.SHUT_RDWR)  # wakes whoever accepts
        self._thread.join()
        self._socket.close()
        self._path.unlink(missing_ok=True)
