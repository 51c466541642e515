"""OpenSSH's own server on a port of loopback: Debian's ``sshd`` with a configuration, keys and a folder of the test."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from device.remote import SILENCE_S, Remote
from device.remote_sftp import sftp_remote
from device.ssh_channel import Account
from tests.remote.servers import known

SSHD = Path("/usr/sbin/sshd")
PATIENCE_S = 60.0
CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/{host_key}
PidFile none
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AllowUsers {user}
Banner {folder}/banner
MaxStartups 100
Subsystem sftp {sftp}
{more}
"""
SAYS = "these are the words of the server"


@dataclass(frozen=True)
class SftpMaker:
    account: Account
    folder: str

    def __call__(self, *, silence_s: float = SILENCE_S) -> Remote:
        return sftp_remote(self.account, folder=self.folder, silence_s=silence_s)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_key(path: Path, kind: str = "ed25519") -> str:
    """A key pair; the public one as it stands in known_hosts."""
    command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", path]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return " ".join(path.with_name(path.name + ".pub").read_text().split()[:2])


class SftpServer:
    """``sftp``: what ``Subsystem sftp`` says; ``more``: lines at the end of the configuration."""

    freezes = True

    def __init__(self, folder: Path, *, sftp: str = "internal-sftp", more: str = "") -> None:
        self._folder = folder
        self.data = folder / "data"
        self.data.mkdir(parents=True, exist_ok=True)
        self._sftp, self._more = sftp, more
        self.host_key = make_key(folder / "host_ed25519")
        self.uses_host_key = "host_ed25519"
        user = pwd.getpwuid(os.getuid()).pw_name
        (folder / "authorized_keys").write_text(make_key(folder / "box") + "\n")
        (folder / "banner").write_text(f"{SAYS}\nPermission denied (publickey).\n")
        self.account = Account("127.0.0.1", free_port(), user, folder / "box", self.host_key)
        self.maker = SftpMaker(self.account, str(self.data))
        private = (folder / "box").read_text().splitlines()[2]
        self.secrets: tuple[str, ...] = (private, SAYS, self.host_key.split()[1], "127.0.0.1", str(folder))
        self._sshd: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        if self._sshd is not None:
            return
        config = self._folder / "sshd_config"
        config.write_text(
            CONFIG.format(
                port=self.account.port,
                folder=self._folder,
                host_key=self.uses_host_key,
                user=self.account.user,
                sftp=self._sftp,
                more=self._more,
            )
        )
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd does not start without it, as root
        log = (self._folder / "log").open("ab")
        self._sshd = subprocess.Popen([SSHD, "-D", "-e", "-f", config], stderr=log, start_new_session=True)
        log.close()
        until_s = time.monotonic() + PATIENCE_S
        while not self._answers():
            assert self._sshd.poll() is None, (self._folder / "log").read_text()
            assert time.monotonic() < until_s, "sshd does not answer"
            time.sleep(0.02)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.account.port), 5) as probe:
            return probe.recv(4) == b"SSH-"
        return False

    def everybody(self) -> list[int]:
        """The listener and every process that serves a connection: sshd gives each a session of its own."""
        if self._sshd is None:
            return []
        found, queue = [], [self._sshd.pid]
        while queue:
            one = queue.pop()
            found.append(one)
            with contextlib.suppress(OSError):
                queue += [int(child) for child in Path(f"/proc/{one}/task/{one}/children").read_text().split()]
        return found

    def _signal(self, what: signal.Signals) -> None:
        for process in self.everybody():  # the listener first: it starts no more of them
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, what)

    @property
    def listener(self) -> int:
        """The process that serves."""
        assert self._sshd is not None
        return self._sshd.pid

    def kill(self) -> None:
        if self._sshd is not None:
            everybody = self.everybody()
            self._signal(signal.SIGSTOP)
            for process in {*everybody, *self.everybody()}:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            self._sshd.wait()
            self._sshd = None

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _files(self) -> Iterator[tuple[str, Path]]:
        for path in self.data.rglob("*"):
            if path.is_file():
                yield str(path.relative_to(self.data)), path

    def held(self) -> dict[str, str]:
        return {name: known(path.read_bytes()) for name, path in self._files() if not path.name.startswith(".")}

    def unfinished(self) -> int:
        return sum(1 for _, path in self._files() if path.name.startswith("."))

    def damage(self, name: str, at: int) -> None:
        with (self.data / name).open("r+b") as file:
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 1]))

    def strangers(self) -> Iterator[tuple[str, Remote]]:
        other_host, other_box = self._folder / "other_host", self._folder / "other_box"
        if not other_host.exists():
            make_key(other_box)
            make_key(other_host)
        other_key = " ".join(other_host.with_suffix(".pub").read_text().split()[:2])
        yield "host_key", SftpMaker(replace(self.account, host_key=other_key), str(self.data))()
        yield "authorized_keys", SftpMaker(replace(self.account, key=other_box), str(self.data))()
        yield "authorized_keys", SftpMaker(replace(self.account, user="nobody-here"), str(self.data))()
        yield "chmod 600", SftpMaker(replace(self.account, key=self._folder / "no-such-key"), str(self.data))()

    def close(self) -> None:
        self.kill()
