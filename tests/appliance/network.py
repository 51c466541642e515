"""A wire between a box and its clinic: a network of its own, which nothing else of this machine is in.

At one end is the box's Ethernet, at the other the clinic's desk and server, which are programs of this machine in a
network namespace. Nothing else is reachable from there.
"""

from __future__ import annotations

import os
import subprocess
from types import TracebackType
from typing import Final, Self

DESK: Final = "192.0.2.1"
BOX: Final = "192.0.2.7"
NETWORK: Final = "192.0.2.0/24"
_TAP: Final = "wire"


class Wire:
    """The network, for as long as the ``with`` lasts."""

    def __init__(self) -> None:
        self._name = f"sotto-way-{os.getpid()}"

    @property
    def at_desk(self) -> tuple[str, ...]:
        """What stands before a command that is to run at the clinic's end."""
        return ("ip", "netns", "exec", self._name)

    @property
    def nic(self) -> tuple[str, ...]:
        """The box's end, in QEMU's words."""
        wire = f"tap,id=wire,ifname={_TAP},script=no,downscript=no"
        return ("-netdev", wire, "-device", "virtio-net-pci,netdev=wire,mac=02:50:77:6f:00:07")

    def __enter__(self) -> Self:
        _ip("netns", "add", self._name)
        inside = ("-n", self._name)
        _ip(*inside, "tuntap", "add", "dev", _TAP, "mode", "tap")
        _ip(*inside, "addr", "add", f"{DESK}/24", "dev", _TAP)
        for link in ("lo", _TAP):
            _ip(*inside, "link", "set", link, "up")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        _ip("netns", "delete", self._name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
