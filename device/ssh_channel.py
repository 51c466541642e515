"""A channel to a server's SFTP through OpenSSH's ``ssh``: a process of its own, which the system keeps up to date.

Nothing of the user's or the machine's SSH counts (no configuration, agent, known hosts), the server's key is the one
that was agreed on, and nobody is asked for a password. On the command line stand names and public keys only. When this
process ends, however it does, ``ssh`` finds its input closed and ends, too.
"""

from __future__ import annotations

import fcntl
import math
import os
import select
import subprocess
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.errors import RemoteAwayError, RemoteError, SottoError
from device.ssh_reasons import fell_silent, reason

_ALIAS: Final = "clinic"  # under this name the server's key is known, whatever its address is called
_PIPE_BYTES: Final = 1 << 20
_MOST_SAID_BYTES: Final = 1 << 14
_MOST_AT_ONCE: Final = 64  # of the 1024 (IOV_MAX) that the kernel takes
_END_S: Final = 2.0
_DRAIN_MS: Final = 2  # what a full pipe holds lasts some 5 ms at 200 MB/s: it does not run dry meanwhile


@dataclass(frozen=True, slots=True)
class Account:
    """Who logs in where, by which private key, and the one key by which the server is known (``ssh-ed25519 AAAA…``)."""

    host: str
    port: int
    user: str
    key: Path
    host_key: str


def ssh_command(account: Account, *, silence_s: float) -> list[str]:
    """What is run. The server's key comes by a command, because any file of ours would be left behind by a kill."""
    alive_s = max(1, math.ceil(silence_s / 3))
    kind = account.host_key.split()[0]
    options = (
        f"HostKeyAlgorithms={'rsa-sha2-512,rsa-sha2-256' if kind == 'ssh-rsa' else kind}",
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        "UserKnownHostsFile=/dev/null",
        "GlobalKnownHostsFile=/dev/null",
        f"KnownHostsCommand=/bin/echo {_ALIAS} {account.host_key}",
        f"HostKeyAlias={_ALIAS}",
        "UpdateHostKeys=no",
        "VerifyHostKeyDNS=no",
        "CheckHostIP=no",
        "PreferredAuthentications=publickey",
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        "ClearAllForwardings=yes",
        "ForwardAgent=no",
        "PermitLocalCommand=no",
        "ControlMaster=no",
        "ControlPath=none",
        "Compression=no",  # what is sealed cannot be made smaller
        "LogLevel=INFO",  # at ERROR it keeps some of its reasons to itself
        f"ConnectTimeout={max(1, math.ceil(silence_s))}",
        f"ServerAliveInterval={alive_s}",
        "ServerAliveCountMax=3",
    )
    named = ["-p", str(account.port), "-l", account.user, "-i", str(account.key)]
    return ["ssh", "-F", "none", "-T", *(f"-o{option}" for option in options), *named, "-s", "--", account.host, "sftp"]


class SshChannel:
    """Bytes out and in. One thread uses it. After any error it is over."""

    def __init__(self, command: list[str], *, silence_s: float) -> None:
        self._silence_s = silence_s
        self._out: deque[memoryview] = deque()
        self._said = bytearray()
        self._heard = False
        self._over = False
        self._draining = False
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
        pipe = subprocess.PIPE
        try:
            self._ssh = subprocess.Popen(  # noqa: S603  # no shell, and each word is ours or was checked
                command, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, env=environment, start_new_session=True
            )
        except FileNotFoundError as problem:
            raise RemoteError("OpenSSH's ssh is not installed on this box", "install openssh-client") from problem
        except OSError as problem:
            raise RemoteAwayError(
                "this box has no room now for one more process", "it is tried again by itself"
            ) from problem
        self._in_fd, self._out_fd, self._err_fd = (
            file.fileno() for file in (self._ssh.stdin, self._ssh.stdout, self._ssh.stderr) if file is not None
        )
        os.set_blocking(self._in_fd, False)
        for descriptor in (self._in_fd, self._out_fd):
            with suppress(OSError):  # more than the machine allows one user: it works in smaller steps
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._poll = select.poll()
        self._poll.register(self._out_fd, select.POLLIN)
        self._poll.register(self._err_fd, select.POLLIN)

    def send(self, *parts: bytes | memoryview) -> None:
        """Have these sent as soon as there is room; ``receive`` does it."""
        if self._over:
            return  # and ``receive`` says so
        if not self._out:
            self._poll.register(self._in_fd, select.POLLOUT)
        self._out.extend(memoryview(part) for part in parts if part)

    def receive(self) -> bytes:
        """Send what waits, until something comes in.

        Raises:
            RemoteAwayError: no byte moved for too long, or the connection broke.
            RemoteError: it was refused.
        """
        if self._over:  # a read that somebody goes on with after the connection is gone
            raise reason(b"", None)
        until_s = time.monotonic() + self._silence_s
        while True:
            left_s = until_s - time.monotonic()
            ready = dict(self._poll.poll(_DRAIN_MS if self._draining else max(0, math.ceil(left_s * 1000))))
            self._drained()
            if not ready and left_s <= 0:
                self.close(at_once=True)
                raise fell_silent()
            if self._err_fd in ready and not self._listen():
                self._poll.unregister(self._err_fd)
            if self._in_fd in ready and self._write():
                until_s = time.monotonic() + self._silence_s
            if self._out_fd in ready:
                if data := os.read(self._out_fd, _PIPE_BYTES):
                    self._heard = True
                    return data
                raise self._ended()

    def close(self, *, at_once: bool = False) -> None:
        """End it; what waits to be sent is not sent any more. May be repeated."""
        self._over = True
        for file in (self._ssh.stdin, self._ssh.stdout, self._ssh.stderr):
            if file is not None:
                file.close()
        try:
            self._ssh.wait(0 if at_once else _END_S)
        except subprocess.TimeoutExpired:
            self._ssh.kill()
            self._ssh.wait()

    def _write(self) -> bool:
        """Hand on as much as there is room for; whether that was anything."""
        try:
            done = os.writev(self._in_fd, [self._out[at] for at in range(min(_MOST_AT_ONCE, len(self._out)))])
        except BlockingIOError:
            return False
        except BrokenPipeError:  # it has ended: why is told where its output ends
            self._out.clear()
            self._poll.unregister(self._in_fd)
            return False
        while done and done >= len(self._out[0]):
            done -= len(self._out.popleft())
        if done:
            self._out[0] = self._out[0][done:]
        self._poll.unregister(self._in_fd)
        self._draining = bool(self._out)
        return True

    def _drained(self) -> None:
        """Look for room again. Looked at once, each few KiB that ``ssh`` took would be filled up: 16,000 times a GB."""
        if self._draining:
            self._draining = False
            self._poll.register(self._in_fd, select.POLLOUT)

    def _listen(self) -> bool:
        """Keep the beginning of what ``ssh`` says and let the rest go, or it would wait; whether there is more."""
        data = os.read(self._err_fd, _MOST_SAID_BYTES)
        self._said += data[: _MOST_SAID_BYTES - len(self._said)]
        return bool(data)

    def _ended(self) -> SottoError:
        """Why it did. What it says last may come after its output has ended."""
        ear = select.poll()
        ear.register(self._err_fd, select.POLLIN)
        until_s = time.monotonic() + _END_S
        while (left_s := until_s - time.monotonic()) > 0 and ear.poll(math.ceil(left_s * 1000)) and self._listen():
            pass
        self.close()
        return reason(bytes(self._said), None if self._heard else self._ssh.returncode)
