"""What the page costs behind nginx, beside nginx alone. ``make bench-page`` prints it.

A download: a sealed recording through the page (which looks who asks, has it noted, and lets nginx send it), and the
same file from a second nginx with the same TLS and nothing in front of it; one after the other, several times. Each is
read by the same program here, which takes part of the machine too. What the page and its nginx hold in memory is what
the kernel says was most of it at any time.

Where other work takes the processor, too, seconds tell little; the CPU that each side's servers used tells the same.

A list: of so many recordings, through nginx, to the last byte: as a page and as JSON; beside it the same bytes as a
file from nginx alone.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from device.recording import SESSION_NAME
from tests.front.nginx_server import HOST, Nginx, nginx
from tests.front.whole_box import WholeBox, record_large, whole_box
from tests.remote.certificates import Authority
from tests.sync_faults.box import Box, peak_mib, proc_text
from tests.web.published import add_recording

PIECE_BYTES = 1 << 18
WALL = "/alone/"


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


@contextmanager
def alone(folder: Path, authority: Authority, root: Path) -> Iterator[Nginx]:
    """nginx with the same configuration, but that everybody gets every file of ``root``, and there is no page."""
    folder.mkdir()
    given = socket.create_server((HOST, 0))

    def opened(config: str) -> str:
        return config.replace("location /sealed/ {\n            internal;", f"location {WALL} {{")

    with nginx(folder, authority, store=root, page=folder / "no.sock", listening=given, change=opened) as made:
        yield made


def pairs(number: int, ours: Callable[[], float], theirs: Callable[[], float]) -> dict[str, float]:
    """Both, one after the other, so often; the medians in seconds, and how many times as fast theirs was."""
    took = [(ours(), theirs()) for _ in range(number)]
    here, there = (median(each) for each in zip(*took, strict=True))
    return {"ours_s": here, "nginx_s": there, "part": median(theirs_s / ours_s for ours_s, theirs_s in took)}


def download(whole: WholeBox, beside: Nginx, number: int) -> dict[str, object]:
    """A recording as often as that from each."""
    recording_id = whole.box.store.ids()[0]
    path, at_wall = f"/recordings/{recording_id}/{SESSION_NAME}", f"{WALL}{recording_id}/{SESSION_NAME}"
    before_mib = {"page": peak_mib(whole.page.pid), "nginx": max(map(peak_mib, whole.nginx.workers()))}
    size_bytes = whole.box.path(recording_id).stat().st_size

    def took(front: Nginx, way: str) -> float:
        seconds, read_bytes = read_all(front, way, whole.known)
        assert read_bytes == size_bytes
        return seconds

    def cpu_of(pids: list[int], front: Nginx, way: str) -> float:
        before_s = sum(map(cpu_s, pids))
        took(front, way)
        return sum(map(cpu_s, pids)) - before_s

    took(beside, at_wall)  # the file is in the kernel's memory from here on, for both
    told = pairs(number, lambda: took(whole.nginx, path), lambda: took(beside, at_wall))
    cpu = pairs(
        number,
        lambda: cpu_of([whole.page.pid, *whole.nginx.workers()], whole.nginx, path),
        lambda: cpu_of(beside.workers(), beside, at_wall),
    )
    after_mib = {"page": peak_mib(whole.page.pid), "nginx": max(map(peak_mib, whole.nginx.workers()))}
    speeds = {f"{name}_mb_s": size_bytes / 1e6 / told[f"{name}_s"] for name in ("ours", "nginx")}
    return {
        "mb": size_bytes / 1e6,
        **told,
        **speeds,
        "cpu": cpu,
        "peak_mib_before": before_mib,
        "peak_mib_after": after_mib,
    }


def lists(whole: WholeBox, beside: Nginx, number: int) -> dict[str, object]:
    """The list of all recordings, as a page and for programs."""
    told: dict[str, object] = {"recordings": len(whole.box.store.ids())}
    for name, path in (("page", "/"), ("programs", "/api/v1/recordings?limit=2000")):
        with whole.nginx.talking() as connection:
            connection.request("GET", path, headers=whole.known)
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, body
        (whole.box.store.path / f"bench-{name}.bytes").write_bytes(body)
        took = pairs(
            number,
            lambda path=path: read_all(whole.nginx, path, whole.known)[0],  # type: ignore[misc]  # mypy knows no types for defaults of a lambda
            lambda name=name: read_all(beside, f"{WALL}bench-{name}.bytes", {})[0],  # type: ignore[misc]
        )
        told[name] = {"bytes": len(body), **took}
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size-mb", type=int, default=1000)
    parser.add_argument("--recordings", type=int, default=2000)
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()

    def fill(box: Box, mark: str) -> None:
        record_large(box, mark, options.size_mb * 1_000_000)
        for _ in range(options.recordings - 1):
            add_recording(box.store, sealed=b"sealed", therapist=mark)

    subprocess.run([Path(__file__).parent / "tools" / "fetch-nginx"], check=True, stdout=subprocess.DEVNULL)
    authority = Authority()
    with (
        tempfile.TemporaryDirectory() as folder,
        whole_box(Path(folder), authority, before=fill) as whole,
        alone(Path(folder) / "alone", authority, whole.box.store.path) as beside,
    ):
        told = {
            "download": download(whole, beside, options.pairs),
            "list": lists(whole, beside, max(options.pairs, 3)),
        }
    sys.stdout.write(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
