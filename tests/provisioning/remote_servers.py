"""The clinic's servers for the tests: each a real one, reached as a box reaches it and as the clinic does.

In the bucket a box may do what `sotto-clinic policy` says and nothing more, and every version is kept.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from device.config import AnyRemote, S3Remote
from device.config import SftpRemote as Section
from device.remote import SILENCE_S, Remote
from device.remote_folder import MARK_NAME, FolderRemote
from device.remotes import remote_of
from device.s3_http import Body, Place, S3Http
from device.s3_listing import list_versions
from tests.provisioning.boxes import call
from tests.remote.ceph import HOST, Ceph, User
from tests.remote.certificates import Authority
from tests.remote.sftp_server import SftpServer

PLACE = {"name": "remote", "clinic": "-", "room": "-"}


class ClinicServer(Protocol):
    """A server that runs.

    ``box``: with a box's credentials; ``desk``: with the clinic's own; ``address``: what ``sotto-clinic`` is given.
    """

    box: Remote
    desk: Remote
    address: str
    box_may_erase: bool

    def moved_bytes(self) -> int | None:
        """How much has come to the clinic so far, on the wire; ``None`` where there is no wire."""

    def close(self) -> None:
        """Leave nothing behind."""


def box_at(section: AnyRemote) -> Remote:
    """A remote as a box with this section has it."""
    return remote_of(section, notes=None, utc=utc)


def toml_of(section: AnyRemote, path: Path) -> Path:
    """The file that the clinic has for this remote."""
    keys = section.model_dump(mode="json", exclude={"name", "clinic", "room"}, exclude_none=True)
    lines = (f"{key} = {value if isinstance(value, int) else repr(value)}" for key, value in keys.items())
    path.write_text("[remote]\n" + "\n".join(lines) + "\n")
    return path


class MountedFolder:
    """A share that is mounted here."""

    box_may_erase = True

    def __init__(self, folder: Path) -> None:
        (folder / MARK_NAME).touch()
        self.box: Remote = FolderRemote(folder)
        self.desk = self.box
        self.address = str(folder)

    def moved_bytes(self) -> int | None:
        return None

    def close(self) -> None:
        self.box.close()


class Sftp:
    """OpenSSH's server; between it and the clinic stands somebody who counts."""

    box_may_erase = True

    def __init__(self, folder: Path) -> None:
        self._server = SftpServer(folder)
        account = self._server.account
        self.box: Remote = self._server.maker()
        self.desk = self.box
        self._relay = Relay(account.port)
        section = Section(
            driver="sftp",
            **PLACE,
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

    def cut_next_after(self, more_bytes: int) -> None:
        """Break the clinic's connection once so much more has come."""
        self._relay.cut_after(more_bytes)

    def close(self) -> None:
        self.box.close()
        self._relay.close()
        self._server.close()


VERSIONED = (
    b'<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status>'
    b"</VersioningConfiguration>"
)


class Bucket:
    """A bucket of a real Ceph, with an owner whom nobody else needs: its policy lets a box's user and the desk's in."""

    box_may_erase = False

    def __init__(self, ceph: Ceph, authority: Authority, folder: Path) -> None:
        self._name = f"recordings-{os.urandom(4).hex()}"  # no two owners have a bucket of one name
        self._ca = folder / "ca.pem"
        self._ca.write_bytes(authority.pem)
        self._relay = Relay(ceph.port)
        users = [ceph.user(f"{role}{os.urandom(4).hex()}") for role in ("owner", "desk", "box")]
        owner, desk, box = (self._section(ceph.port, user, folder) for user in users)
        self.desk, self.box = remote_of(desk, notes=None, utc=utc), remote_of(box, notes=None, utc=utc)
        self.address = str(toml_of(self._section(self._relay.port, users[1], folder), folder / "remote.toml"))
        place = Place(HOST, ceph.port, "us-east-1", self._name, owner.credentials, self._ca)
        self.http = S3Http(place, silence_s=SILENCE_S, utc=utc)
        self.http.ask("PUT")
        self.http.ask("PUT", query={"versioning": ""}, body=Body.of(VERSIONED))
        self.http.ask(
            "PUT", query={"policy": ""}, body=Body.of(_policy(self._name, desk=users[1].name, box=users[2].name))
        )

    def _section(self, port: int, user: User, folder: Path) -> S3Remote:
        credentials = folder / f"{user.name}.toml"
        credentials.write_text(f'access_key = "{user.access_key}"\nsecret_key = "{user.secret_key}"\n')
        credentials.chmod(0o600)
        server = {"endpoint": f"https://{HOST}:{port}", "region": "us-east-1", "bucket": self._name, "ca": self._ca}
        return S3Remote(driver="s3", credentials=credentials, **server, **PLACE)

    def versions(self) -> int:
        """How much the bucket still keeps in secret."""
        return len(list(list_versions(self.http, "")))

    def moved_bytes(self) -> int | None:
        return self._relay.wait_for_all()

    def close(self) -> None:
        self.box.close()
        self.desk.close()
        self.http.close()
        self._relay.close()


def _policy(bucket: str, *, desk: str, box: str) -> bytes:
    """One policy with what `sotto-clinic policy` prints for each room and for the desk."""
    words = ("policy", "--bucket", bucket, "--principal")
    rooms = [(*words, f"arn:aws:iam:::user/{box}", "--clinic", "practice", "--room", f"room-{n}") for n in (3, 4)]
    printed = [call(*one).told for one in (*rooms, (*words, f"arn:aws:iam:::user/{desk}", "--desk"))]
    statements = [statement for one in printed for statement in one["Statement"]]
    return json.dumps(printed[0] | {"Statement": statements}).encode()


def utc() -> datetime:
    return datetime.now(UTC)


class Relay:
    """Passes connections on to a port of this machine, and counts what comes back."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._come_bytes = 0
        self._cut_at_bytes: int | None = None
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

    def cut_after(self, more_bytes: int) -> None:
        """Break the connection once so much more has come back; those after it hold."""
        self._cut_at_bytes = self._come_bytes + more_bytes

    def _count(self, size: int) -> None:
        self._come_bytes += size
        if self._cut_at_bytes is not None and self._come_bytes > self._cut_at_bytes:
            self._cut_at_bytes = None
            raise ConnectionError


def _pass_on(source: socket.socket, to: socket.socket, count: Callable[[int], None]) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            count(len(data))
            to.sendall(data)
    with contextlib.suppress(OSError):
        to.shutdown(socket.SHUT_WR)


KINDS: dict[str, Callable[[Path], ClinicServer]] = {"folder": MountedFolder, "sftp": Sftp}
