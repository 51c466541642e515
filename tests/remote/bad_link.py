"""A bad link between two network namespaces that the test makes itself: late, lossy, or cut.

Many kernels have no netem, so the packets go through this process: a TUN device at each end, and in between a heap of
packets that wait for their time. What runs at an end is real: `ssh`, `sshd`, TLS, the kernel's own TCP.

    near (10.99.0.1)  ── tun ──  delay, loss  ── tun ──  far (10.99.0.2)

It needs root and /dev/net/tun; `why_not` says what is missing. Run as a program, this file is one end: it makes the
device in the namespace that it was started in, hands it over, and keeps the namespace until its standard input ends.
"""

from __future__ import annotations

import array
import fcntl
import heapq
import os
import random
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

NEAR: Final = "10.99.0.1"
FAR: Final = "10.99.0.2"
_TUNSETIFF: Final = 0x400454CA  # linux/if_tun.h
_IFF_TUN: Final = 0x0001
_IFF_NO_PI: Final = 0x1000
_DEVICE: Final = "sotto0"
_MTU: Final = 1500


def why_not() -> str | None:
    """Why there can be no bad link on this machine; ``None`` where there can."""
    if os.geteuid() != 0:
        return "making network namespaces needs root"
    if not Path("/dev/net/tun").exists():
        return "there is no /dev/net/tun"
    tried = subprocess.run(
        ["unshare", "-n", "ip", "tuntap", "add", "dev", _DEVICE, "mode", "tun"], capture_output=True, check=False
    )
    return None if tried.returncode == 0 else "this machine lets nobody make network namespaces or devices"


@dataclass
class Weather:
    """How the link is now; may be changed while it runs. ``loss``: 0 to 1, of each packet; ``delay_s``: one way."""

    delay_s: float = 0.0
    loss: float = 0.0
    cut: bool = False


class _End:
    """One end: a namespace of its own with a TUN device in it."""

    def __init__(self, address: str, peer: str) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        command = [sys.executable, __file__, address, peer, str(theirs.fileno())]
        self.process = subprocess.Popen(
            ["unshare", "-n", *command], stdin=subprocess.PIPE, pass_fds=[theirs.fileno()], close_fds=True
        )
        theirs.close()
        with ours:
            ours.settimeout(20)
            _, ancillary, _, _ = ours.recvmsg(1, socket.CMSG_SPACE(4))
        assert ancillary, "that end handed no device over"
        self.device = array.array("i", ancillary[0][2])[0]

    def enter(self, command: list[str]) -> list[str]:
        """The same command, in this end's namespace."""
        return ["nsenter", "--net", f"--target={self.process.pid}", *command]

    def close(self) -> None:
        os.close(self.device)
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(20)


class BadLink:
    """A link as bad as its ``weather``, until the ``with`` ends."""

    def __init__(self, weather: Weather | None = None, *, seed: int = 1) -> None:
        self.weather = Weather() if weather is None else weather
        self.lost = 0
        self.carried = 0
        self._chance = random.Random(seed)
        self._near = _End(NEAR, FAR)
        self._far = _End(FAR, NEAR)
        self._waiting: list[tuple[float, int, int, bytes]] = []
        self._wake, self._waker = os.pipe()
        self._thread = threading.Thread(target=self._carry, name="bad link", daemon=True)
        self._thread.start()

    def __enter__(self) -> BadLink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._waker)
        self._thread.join()
        os.close(self._wake)
        self._near.close()
        self._far.close()

    def near(self, command: list[str]) -> list[str]:
        """The command as it is run at the box's end."""
        return self._near.enter(command)

    def far(self, command: list[str]) -> list[str]:
        """The command as it is run at the server's end."""
        return self._far.enter(command)

    def _carry(self) -> None:
        near, far = self._near.device, self._far.device
        other = {near: far, far: near}
        number = 0
        while True:
            left_s = max(0.0, self._waiting[0][0] - time.monotonic()) if self._waiting else None
            ready, _, _ = select.select([near, far, self._wake], [], [], left_s)
            if self._wake in ready:
                return
            for device in ready:
                number += 1
                self._take(os.read(device, _MTU), other[device], number)
            self._hand_over()

    def _take(self, packet: bytes, to: int, number: int) -> None:
        if self.weather.cut or self._chance.random() < self.weather.loss:
            self.lost += 1
            return
        heapq.heappush(self._waiting, (time.monotonic() + self.weather.delay_s, number, to, packet))

    def _hand_over(self) -> None:
        while self._waiting and self._waiting[0][0] <= time.monotonic():
            _, _, to, packet = heapq.heappop(self._waiting)
            os.write(to, packet)
            self.carried += 1


def _be_one_end(address: str, peer: str, handed_to: int) -> None:
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH", _DEVICE.encode(), _IFF_TUN | _IFF_NO_PI))
    for words in (
        f"link set {_DEVICE} up mtu {_MTU}",
        f"addr add {address} peer {peer} dev {_DEVICE}",
        "link set lo up",
    ):
        subprocess.run(["ip", *words.split()], check=True)
    with socket.socket(fileno=handed_to) as channel:
        channel.sendmsg([b"."], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [device]))])
    sys.stdin.read()


if __name__ == "__main__":
    _be_one_end(sys.argv[1], sys.argv[2], int(sys.argv[3]))
