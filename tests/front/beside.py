"""nginx alone, beside the one with the page behind it; and how much either takes."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.front.nginx_server import HOST, Nginx, nginx
from tests.remote.certificates import Authority
from tests.sync_faults.box import proc_text

PIECE_BYTES = 1 << 18
WALL = "/alone/"


@contextmanager
def alone(folder: Path, authority: Authority, root: Path) -> Iterator[Nginx]:
    """nginx with the same configuration, but that everybody gets every file of ``root``, and there is no page."""
    folder.mkdir()
    given = socket.create_server((HOST, 0))

    def opened(config: str) -> str:
        return config.replace("location /sealed/ {\n            internal;", f"location {WALL} {{")

    with nginx(folder, authority, store=root, page=folder / "no.sock", listening=given, change=opened) as made:
        yield made


def read_all(front: Nginx, path: str, headers: dict[str, str]) -> tuple[float, int]:
    """Read an answer to its end: seconds from the request on, and bytes."""
    with front.talking() as connection:
        connection.connect()
        buffer, began_s, size_bytes = memoryview(bytearray(PIECE_BYTES)), time.perf_counter(), 0
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        while count := answer.readinto(buffer):
            size_bytes += count
        return time.perf_counter() - began_s, size_bytes


def cpu_s(pid: int) -> float:
    """The processor's time that a process has used so far (proc(5))."""
    after_name = proc_text(pid, "stat").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")
