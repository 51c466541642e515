"""What the page costs behind nginx, beside nginx alone. ``make bench-page`` prints it.

A download: a sealed recording through the page (which looks who asks, has it noted, and lets nginx send it), and the
same file from a second nginx with the same TLS and nothing in front of it; one after the other, several times. Each is
read by the same program here, which takes part of the machine too. What the page and its nginx hold in memory is what
the kernel says was most of it at any time.

Where other work takes the processor, too, seconds tell little; the CPU that each side's servers used tells the same.

Lists: ``tests/bench_page_lists.py``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from device.recording import SESSION_NAME
from tests.bench_page_lists import add_whole, lists
from tests.front.beside import WALL, alone, cpu_s, read_all
from tests.front.nginx_server import Nginx
from tests.front.whole_box import WholeBox, record_large, whole_box
from tests.remote.certificates import Authority
from tests.sync_faults.box import Box, peak_mib


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size-mb", type=int, default=1000)
    parser.add_argument("--recordings", type=int, default=2000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--starts", type=int, default=3, help="of the page, for each list and each way to look first")
    options = parser.parse_args()

    def fill(box: Box, mark: str) -> None:
        record_large(box, mark, options.size_mb * 1_000_000)
        for _ in range(options.recordings - 1):
            add_whole(box.store, mark)

    subprocess.run([Path(__file__).parent / "tools" / "fetch-nginx"], check=True, stdout=subprocess.DEVNULL)
    authority = Authority()
    with (
        tempfile.TemporaryDirectory() as folder,
        whole_box(Path(folder), authority, before=fill) as whole,
        alone(Path(folder) / "alone", authority, whole.box.store.path) as beside,
    ):
        told = {
            "download": download(whole, beside, options.pairs),
            "lists": lists(whole, beside, 5 * options.pairs, starts=options.starts),
        }
    sys.stdout.write(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
