"""Run in a unit's place, with all that the unit may and may not do: says what it could do, a word a line."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path


def opens(path: str, flags: int = os.O_RDONLY) -> Callable[[], None]:
    return lambda: os.close(os.open(path, flags))


def inet() -> None:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()


def write_store() -> None:
    Path("/var/lib/sotto/store/probe").write_bytes(b"probe")
    Path("/var/lib/sotto/store/probe").unlink()


ATTEMPTS: dict[str, Callable[[], None]] = {
    "inet-socket": inet,
    "sound-card": opens("/dev/snd/controlC0", os.O_RDWR),
    "gpio": opens("/dev/gpiochip0", os.O_RDWR),
    "store-read": lambda: list(Path("/var/lib/sotto/store").iterdir()),
    "store-write": write_store,
    "device-key": opens("/var/lib/sotto/device.key"),
    "page-certificate": opens("/etc/sotto/tls/page.pem"),
    "page-key": opens("/etc/sotto/tls/page.key"),
    "people": lambda: list(Path("/var/lib/sotto-web").iterdir()),
    "home": lambda: list(Path("/root").iterdir()),
    "kernel-log": opens("/dev/kmsg"),
    "etc-write": opens("/etc/sotto/probe", os.O_WRONLY | os.O_CREAT),
}

for name, attempt in ATTEMPTS.items():
    try:
        attempt()
    except OSError:
        continue
    print(name, flush=True)
print("probed", flush=True)
sys.exit(0)
