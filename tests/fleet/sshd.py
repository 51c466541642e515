"""A clinic that is OpenSSH's own server, as Debian configures it for connections that are not logged in yet."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from device.remote import Remote
from device.remote_sftp import sftp_remote
from device.ssh_channel import Account
from tests.fleet.clinics import Asked, clinic_of
from tests.remote.sftp_server import PATIENCE_S, SSHD, free_port, make_key

# No MaxStartups: OpenSSH's default, 10:30:100, is what is looked at.
_CONFIG: Final = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_ed25519
PidFile none
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
LogLevel VERBOSE
Subsystem sftp internal-sftp
"""


class SshdClinic:
    """One account and a key for each box; what is held is a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._data.mkdir(parents=True)
        self._host_key = make_key(folder / "host_ed25519")
        (folder / "keys").mkdir()
        self._allowed = [make_key(folder / "keys" / "clinic")]
        self._write_allowed()
        self._port = free_port()
        (folder / "sshd_config").write_text(_CONFIG.format(port=self._port, folder=folder))
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self._sshd: subprocess.Popen[bytes] | None = None
        self.start()

    def _write_allowed(self) -> None:
        (self._folder / "authorized_keys").write_text("".join(f"{key}\n" for key in self._allowed))

    @property
    def _user(self) -> str:
        return pwd.getpwuid(os.getuid()).pw_name

    def places(self, boxes: Sequence[str]) -> dict[str, dict[str, Any]]:
        found = {}
        for box in boxes:
            key = self._folder / "keys" / box
            if not key.exists():
                self._allowed.append(make_key(key))
            facts = {"driver": "sftp", "name": "clinic", "clinic": clinic_of(box), "room": box, "host": "127.0.0.1"}
            who = {"port": self._port, "user": self._user, "key": str(key), "host_key": self._host_key}
            found[box] = {**facts, **who, "folder": str(self._data)}
        self._write_allowed()
        return found

    def remotes(self) -> Iterator[Remote]:
        account = Account("127.0.0.1", self._port, self._user, self._folder / "keys" / "clinic", self._host_key)
        yield sftp_remote(account, folder=str(self._data))

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            command = [SSHD, "-D", "-e", "-f", self._folder / "sshd_config"]
            self._sshd = subprocess.Popen(command, stderr=log, stdin=subprocess.DEVNULL)
        until_s = time.monotonic() + PATIENCE_S
        while not self._answers():
            if self._sshd.poll() is not None or time.monotonic() > until_s:
                raise RuntimeError((self._folder / "log").read_text())
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self._port), 5) as probe:
                return probe.recv(4) == b"SSH-"
        except OSError:
            return False

    def end(self) -> None:
        """The listener; who is served already is served on."""
        if self._sshd is not None:
            self._sshd.send_signal(signal.SIGKILL)
            self._sshd.wait()
            self._sshd = None

    def mend(self) -> int:
        return 0

    def fill(self) -> None:
        raise RuntimeError("a folder is not filled here")

    make_room = fill

    def asked(self, since_s: float) -> Asked:
        """Connections that were let in, and those that were dropped before they could say who they are."""
        lines = (self._folder / "log").read_text(errors="replace").splitlines()
        told = Counter(word for line in lines for word in ("Accepted publickey", "drop connection") if word in line)
        return Asked(methods=told)

    def cpu_s(self) -> float:
        return 0.0

    def close(self) -> None:
        self.end()
