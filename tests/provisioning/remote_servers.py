"""The clinic's servers for the tests: each a real one, reached as a box reaches it and as the clinic does."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from device.config import SftpRemote as Section
from device.remote import Remote
from device.remote_folder import MARK_NAME, FolderRemote
from device.remote_sftp import sftp_remote
from device.ssh_channel import Account
from tests.remote.sftp_server import SftpServer


class ClinicServer(Protocol):
    """A server that runs. ``remote``: with a box's credentials; ``address``: what ``sotto-clinic`` is given."""

    remote: Remote
    address: str

    def moved_bytes(self) -> int | None:
        """How much has come to the clinic so far, on the wire; ``None`` where there is no wire."""

    def close(self) -> None:
        """Leave nothing behind."""


def box_at(section: Section) -> Remote:
    """A remote as a box with this section has it."""
    account = Account(section.host, section.port, section.user, section.key, section.host_key)
    return sftp_remote(account, folder=section.folder)


def toml_of(section: Section, path: Path) -> Path:
    """The file that the clinic has for this remote."""
    keys = section.model_dump(mode="json", exclude={"name", "clinic", "room"}, exclude_none=True)
    lines = (f"{key} = {value if isinstance(value, int) else repr(value)}" for key, value in keys.items())
    path.write_text("[remote]\n" + "\n".join(lines) + "\n")
    return path


class MountedFolder:
    """A share that is mounted here."""

    def __init__(self, folder: Path) -> None:
        (folder / MARK_NAME).touch()
        self.remote: Remote = FolderRemote(folder)
        self.address = str(folder)

    def moved_bytes(self) -> int | None:
        return None

    def close(self) -> None:
        self.remote.close()


class Sftp:
    """OpenSSH's server; between it and the clinic stands somebody who counts."""

    def __init__(self, folder: Path) -> None:
        self._server = SftpServer(folder)
        account = self._server.account
        self.remote: Remote = self._server.maker()
        self._relay = Relay(account.port)
        section = Section(
            driver="sftp",
            name="remote",
            clinic="-",
            room="-",
            host="127.0.0.1",
            port=self._relay.port,
            user=account.user,
            key=account.key,
            host_key=account.host_key,
            folder=str(self._server.data),
        )
        self.address = str(toml_of(section, folder / "remote.toml"))

    def moved_bytes(self) -> int | None:
        return self._relay.wait_for_all()

    def close(self) -> None:
        self.remote.close()
        self._relay.close()
        self._server.close()


class Relay:
    """Passes connections on to a port of this machine, and counts what comes back."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._come_bytes = 0
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def wait_for_all(self) -> int:
        """All that came, once every connection has ended."""
        for thread in self._threads:
            thread.join()
        return self._come_bytes

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()
        self.wait_for_all()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(near,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, near: socket.socket) -> None:
        with near, socket.create_connection(("127.0.0.1", self._to)) as far:
            out = threading.Thread(target=_pass_on, args=(near, far, lambda _size: None))
            out.start()
            _pass_on(far, near, self._count)
            out.join()

    def _count(self, size: int) -> None:
        self._come_bytes += size


def _pass_on(source: socket.socket, to: socket.socket, count: Callable[[int], None]) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            count(len(data))
            to.sendall(data)
    with contextlib.suppress(OSError):
        to.shutdown(socket.SHUT_WR)


KINDS: dict[str, Callable[[Path], ClinicServer]] = {"folder": MountedFolder, "sftp": Sftp}
