"""Clinic servers for a whole box: real ones, each over a wire that a test can harm, and what they really hold."""

from __future__ import annotations

import hashlib
import io
import threading
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from device.errors import RemoteAbsentError
from device.recording import SESSION_NAME
from tests.remote.ceph import Ceph, User
from tests.remote.certificates import Authority
from tests.remote.s3_server import S3Server, write_credentials
from tests.remote.sftp_server import SftpServer, make_key
from tests.sync_faults.proxy import Proxy
from tests.sync_faults.wire import HOST, Wire


class Clinic(Protocol):
    """A clinic server that a test may harm. ``secrets``: texts that nothing of the box may ever show."""

    wire: Wire
    secrets: tuple[str, ...]

    def lines(self) -> str:
        """What [remote] says of it."""

    def kill(self) -> None:
        """As when somebody pulls the plug."""

    def start(self) -> None:
        """Serve what is held, at the same place as before."""

    def sha256(self, name: str) -> str | None:
        """What is really held under a name."""

    def damage(self, name: str) -> None:
        """Turn one bit of it."""

    def drop(self, name: str) -> None:
        """Lose it."""


class SftpClinic:
    """OpenSSH's own server."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.server = SftpServer(folder / "sshd")
        self.folder = folder
        self.wire = Wire(self.server.account.port)
        self._one_at_a_time = threading.Lock()  # the wire kills, the test starts again
        self.key = folder / "box_key"
        self.own_key()
        body = self.key.read_text().splitlines()
        self.secrets = (body[2], body[-2])

    @property
    def data(self) -> Path:
        return self.server.data

    def lines(self, *, host: str = HOST, host_key: str = "") -> str:
        account = self.server.account
        told = {
            "driver": "sftp",
            "host": host,
            "user": account.user,
            "key": str(self.key),
            "host_key": host_key or account.host_key,
            "folder": str(self.server.data),
        }
        return _toml(told) + f"\nport = {self.wire.port}"

    def own_key(self) -> None:
        """The key that the server knows."""
        self._give(self.server.account.key)

    def wrong_key(self) -> None:
        """A key that the server does not know."""
        path = self.folder / "stranger"
        if not path.exists():
            make_key(path)
        self._give(path)

    def _give(self, key: Path) -> None:
        self.key.unlink(missing_ok=True)
        self.key.write_bytes(key.read_bytes())
        self.key.chmod(0o600)
        self.wire.cut()

    def other_host_key(self) -> str:
        """As it would stand in known_hosts, of a server that is none."""
        path = self.folder / "other_host"
        return make_key(path) if not path.exists() else " ".join(path.with_suffix(".pub").read_text().split()[:2])

    def change_host_key(self) -> None:
        """The server was set up anew, or it is another one."""
        if not (self.folder / "sshd" / "another").exists():
            make_key(self.folder / "sshd" / "another")
        self._serve_with("another")

    def own_host_key(self) -> None:
        """The server is what it was."""
        self._serve_with("host_ed25519")

    def _serve_with(self, host_key: str) -> None:
        self.server.kill()
        self.server.uses_host_key = host_key
        self.server.start()

    def kill(self) -> None:
        with self._one_at_a_time:
            self.server.kill()
            self.wire.cut()

    def start(self) -> None:
        with self._one_at_a_time:
            self.server.start()

    def _path(self, name: str) -> Path:
        return self.server.data / name

    def sha256(self, name: str) -> str | None:
        if not self._path(name).exists():
            return None
        with self._path(name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def names(self) -> list[str]:
        """The recordings that are held, as somebody sees who looks at the disk."""
        found = (path for path in self.server.data.rglob(SESSION_NAME) if path.is_file())
        return [str(path.relative_to(self.server.data)) for path in found]

    def damage(self, name: str) -> None:
        self.server.damage(name, self._path(name).stat().st_size // 2)

    def drop(self, name: str) -> None:
        self._path(name).unlink()

    def close(self) -> None:
        self.wire.close()
        self.server.close()


class S3Clinic:
    """A bucket of Ceph's object gateway; the box reaches it through a ``proxy``, and that over the wire."""

    def __init__(self, ceph: Ceph, authority: Authority, folder: Path) -> None:
        folder.mkdir()
        self.folder, self.authority = folder, authority
        self.server = S3Server(ceph, authority, folder)
        self.proxy = Proxy(folder, authority.issue(HOST), ceph.port)
        self.wire = Wire(self.proxy.port)
        self._one_at_a_time = threading.Lock()  # the wire kills, the test starts again
        self.credentials, self.ca = folder / "box.toml", folder / "box_ca.pem"
        self.own_credentials()
        self.own_ca()
        self.secrets = (self.server.user.secret_key, self.server.user.access_key)

    def own_credentials(self) -> None:
        """The box has its own."""
        self._give(self.server.user)

    def wrong_credentials(self) -> None:
        """The box has a secret key that is not its user's."""
        user = self.server.user
        self._give(replace(user, secret_key="wrong-" + user.secret_key[6:]))

    def _give(self, user: User) -> None:
        write_credentials(self.credentials, user)
        self.wire.cut()

    def own_ca(self) -> None:
        """The box trusts the clinic's authority."""
        self.ca.write_bytes(self.authority.pem)
        self.wire.cut()

    def wrong_ca(self) -> None:
        """The box trusts another one."""
        self.ca.write_bytes(Authority().pem)
        self.wire.cut()

    def show(self, pem: bytes) -> None:
        """The server has another certificate."""
        self.proxy.show(pem)
        self.wire.cut()

    def own_certificate(self) -> None:
        """The server has a good one."""
        self.show(self.authority.issue(HOST))

    def lines(self, *, host: str = HOST) -> str:
        told = {
            "driver": "s3",
            "endpoint": f"https://{host}:{self.wire.port}",
            "region": "us-east-1",
            "bucket": self.server.bucket,
            "credentials": str(self.credentials),
            "ca": str(self.ca),
        }
        return _toml(told)

    def kill(self) -> None:
        with self._one_at_a_time:
            self.server.kill()
            self.wire.cut()

    def start(self) -> None:
        with self._one_at_a_time:
            self.server.start()

    def straight(self) -> None:
        """No proxy: the box talks to the gateway itself."""
        self.wire.server_port = self.server.ceph.port
        self.wire.cut()

    def quota(self, most_bytes: int | None) -> None:
        """The server's admin allows the box's user so much."""
        uid = f"--uid={self.server.user.name}"
        if most_bytes is not None:
            self.server.ceph.admin("quota", "set", "--quota-scope=user", uid, f"--max-size={most_bytes}")
        self.server.ceph.admin("quota", "disable" if most_bytes is None else "enable", "--quota-scope=user", uid)

    def sha256(self, name: str) -> str | None:
        remote = self.server.maker()
        digest = hashlib.sha256()
        try:
            for piece in remote.read(name):
                digest.update(piece)
        except RemoteAbsentError:
            return None
        finally:
            remote.close()
        return digest.hexdigest()

    def damage(self, name: str) -> None:
        """A copy with one bit turned takes its place; the proxy and the box know nothing of it."""
        remote = self.server.maker()
        data = bytearray(b"".join(remote.read(name)))
        data[len(data) // 2] ^= 1
        remote.put(name, io.BytesIO(data), replace=True)
        remote.close()

    def drop(self, name: str) -> None:
        folder, _, last = name.rpartition("/")
        self.server.rclone("operations/deletefile", fs=f"s3:{self.server.bucket}/{folder}", remote=last)

    def close(self) -> None:
        self.wire.close()
        self.proxy.close()
        self.server.close()


def _toml(told: dict[str, str]) -> str:
    return "\n".join(f'{key} = "{value}"' for key, value in told.items())
