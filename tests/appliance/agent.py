"""The tests' hands inside the guest: the host's end of ``guest/usr/local/lib/appliance/agent.py``."""

from __future__ import annotations

import base64
import json
import select
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_PIECE_BYTES: Final = 1 << 16  # the port hands over a page at a time
_POLL_S: Final = 0.3  # of the guest's time; each costs it some
PATIENCE_S: Final = 300.0
# For what writes much: the guest's time, which in a hurried guest runs on while a busy machine keeps its disk waiting.
SLOW_DISK_S: Final = 3600.0


class GuestError(RuntimeError):
    """Something did not work in the guest."""


@dataclass(frozen=True, slots=True)
class Done:
    """A command that ended. ``rc`` is None when its time was up and it was killed."""

    command: list[str]
    rc: int | None
    out: str
    err: str

    def checked(self) -> str:
        """What it printed; it must have succeeded."""
        if self.rc != 0:
            raise GuestError(f"{' '.join(self.command)}: {self.rc}\n{self.out[-3000:]}\n{self.err[-3000:]}")
        return self.out


class Agent:
    """Speaks to one guest, one request at a time. ``alive`` raises when the guest can no longer answer."""

    def __init__(self, path: Path, *, alive: Callable[[], None]) -> None:
        self._alive = alive
        self._socket = _connected(path, alive)
        self._received = b""
        self._asked = time.monotonic_ns()  # a guest restored from a snapshot may still owe an answer to others

    def ask(self, what: str, *, patience_s: float = PATIENCE_S, **more: Any) -> dict[str, Any]:
        """Ask for something and wait for the answer.

        Raises:
            GuestError: it failed there, or there was no answer in ``patience_s``.
        """
        self._asked += 1
        self._socket.sendall(b"\n" + json.dumps({"id": self._asked, "ask": what, **more}).encode() + b"\n")
        until_s = time.monotonic() + patience_s
        while (answer := json.loads(self._line(until_s))).get("id") != self._asked:
            pass
        if "error" in answer:
            raise GuestError(f"{what}: {answer['error']}")
        return dict(answer)

    def run(self, *command: str, given: bytes = b"", timeout_s: float = PATIENCE_S) -> Done:
        """Run a command to its end."""
        asked = {"command": command, "given": base64.b64encode(given).decode(), "timeout_s": timeout_s}
        told = self.ask("run", patience_s=timeout_s + PATIENCE_S, **asked)
        out, err = (base64.b64decode(told[name]).decode(errors="replace") for name in ("out", "err"))
        return Done(list(command), told["rc"], out, err)

    def sh(self, script: str, *, timeout_s: float = PATIENCE_S) -> str:
        """Run lines of shell, which must succeed; what they printed."""
        return self.run("sh", "-euc", script, timeout_s=timeout_s).checked()

    def start(self, *command: str) -> Running:
        """Start a command that goes on by itself."""
        log = f"/run/appliance-{self._asked}"
        told = self.ask("start", command=command, out=f"{log}.out", err=f"{log}.err")
        return Running(self, list(command), told["pid"], log)

    def put(self, path: str, data: bytes) -> None:
        """Write a file there."""
        for at in range(0, max(len(data), 1), _PIECE_BYTES):
            piece = base64.b64encode(data[at : at + _PIECE_BYTES]).decode()
            self.ask("put", path=path, data=piece, more=at > 0)

    def get(self, path: str) -> bytes:
        """Read a file there."""
        data = bytearray()
        while piece := base64.b64decode(self.ask("get", path=path, at=len(data), most=_PIECE_BYTES)["data"]):
            data += piece
        return bytes(data)

    def monotonic_s(self) -> float:
        """The guest's monotonic clock, at some moment between question and answer."""
        return float(self.ask("clock")["monotonic_s"])

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _line(self, until_s: float) -> bytes:
        while b"\n" not in self._received:
            if select.select([self._socket], [], [], 0.2)[0]:
                self._received += self._heard()
            self._alive()
            if time.monotonic() > until_s:
                raise GuestError("the guest did not answer in time")
        line, self._received = self._received.split(b"\n", 1)
        return line

    def _heard(self) -> bytes:
        try:
            data = self._socket.recv(1 << 16)
        except ConnectionError:
            data = b""
        if not data:
            self._alive()
            raise GuestError("the guest hung up")
        return data


@dataclass(frozen=True, slots=True)
class Running:
    """A command that goes on in the guest."""

    agent: Agent
    command: list[str]
    pid: int
    log: str

    def poll(self) -> int | None:
        """Its exit code, or None while it runs."""
        rc = self.agent.ask("poll", pid=self.pid)["rc"]
        return None if rc is None else int(rc)

    def out(self) -> str:
        """What it printed so far."""
        return self.agent.get(f"{self.log}.out").decode(errors="replace")

    def signal(self, number: int = signal.SIGTERM) -> None:
        """Send it, and all it started, a signal."""
        self.agent.ask("signal", pid=self.pid, signal=int(number))

    def wait_for(self, text: str, *, patience_s: float = PATIENCE_S) -> str:
        """Wait until it has printed ``text``; all that it printed."""
        until_s = time.monotonic() + patience_s
        while text not in (out := self.out()):
            if self.poll() is not None or time.monotonic() > until_s:
                raise GuestError(f"{self.command[0]} never said {text!r}:\n{out}\n{self._err()}")
            self.agent.sh(f"sleep {_POLL_S}")
        return out

    def wait(self, *, patience_s: float = PATIENCE_S) -> Done:
        """Wait for its end."""
        until_s = time.monotonic() + patience_s
        while (rc := self.poll()) is None:
            if time.monotonic() > until_s:
                raise GuestError(f"{self.command[0]} never ended:\n{self.out()}\n{self._err()}")
            self.agent.sh(f"sleep {_POLL_S}")
        return Done(self.command, rc, self.out(), self._err())

    def _err(self) -> str:
        return self.agent.get(f"{self.log}.err").decode(errors="replace")


def _connected(path: Path, alive: Callable[[], None]) -> socket.socket:
    while True:
        alive()
        link = socket.socket(socket.AF_UNIX)
        try:
            link.connect(str(path))
        except OSError:
            link.close()
            time.sleep(0.02)
        else:
            return link
