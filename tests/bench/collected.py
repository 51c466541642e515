"""Rows: what the benchmarks of recovery, of sync and of the page measure already, run as their own programs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from tests.bench.figures import Row
from tests.bench.material import ROOT
from tests.bench.setting import Setting

_MB = 1e6


def _told(*words: str) -> Any:
    done = subprocess.run([sys.executable, "-m", *words], check=True, stdout=subprocess.PIPE, cwd=ROOT)
    return json.loads(done.stdout)


def recovery(setting: Setting) -> Iterator[Row]:
    """Closing a recording that a cut left open, per GB; and its memory."""
    setting.say("recovery")
    small, large = (10, 50) if setting.short else (20, 400)
    sizes = ",".join([str(small), *[str(large)] * setting.pairs])
    first, *others = _told("tests.bench_recovery", "--sizes-mb", sizes, "--json")
    gb = [one["mb"] / 1e3 for one in others]
    ours = tuple(one["recovery"]["seconds"] / size for one, size in zip(others, gb, strict=True))
    theirs = tuple(one["sha256sum"]["seconds"] / size for one, size in zip(others, gb, strict=True))
    yield Row("recovery/time", "a recording closed after a cut", "s/GB", ours, theirs, "sha256sum")
    grown = tuple(one["recovery"]["grown_mib"] * 1024**2 / _MB for one in others)
    start = first["recovery"]["grown_mib"] * 1024**2 / _MB
    beside = f"of {small} MB"
    yield Row("recovery/memory", f"memory for that, of {large} MB", "MB", grown, (start,) * len(grown), beside)


def sync(setting: Setting) -> Iterator[Row]:
    """Sending a recording, beside OpenSSH's sftp; and rclone, where the server for that is unpacked already."""
    kinds = ["sftp"] + ["s3"] * (ROOT / ".cache/ceph").exists()
    for kind in kinds:
        setting.say(f"sync: {kind}")
        size = "60" if setting.short else "100"
        (told,) = _told("tests.bench_sync", "--only", kind, "--size-mb", size, "--pairs", str(setting.pairs), "--json")
        mb = told["size_bytes"] / _MB
        for name, says, figure in (("time", "sent", "seconds"), ("cpu", "sent, CPU of this side", "cpu_s")):
            ours, theirs = (tuple(one[figure] / mb * 1000 for one in told[side]) for side in ("ours", "theirs"))
            yield Row(f"sync/{kind}-{name}", f"{told['kind']}: {says}", "s/GB", ours, theirs, told["peer"])
        peaks = (tuple(one["peak_mib"] * 1024**2 / _MB for one in told[side]) for side in ("ours", "theirs"))
        yield Row(f"sync/{kind}-memory", f"{told['kind']}: memory of this side", "MB", *peaks, told["peer"])
    if "s3" not in kinds:
        yield Row("sync/s3-time", "S3: sent", "s/GB", skipped="tests/tools/fetch-ceph unpacks the server for it first")


def page(setting: Setting) -> Iterator[Row]:
    """A download and a list through the page, beside nginx alone."""
    setting.say("page")
    size, recordings = ("60", "100") if setting.short else ("120", "200")
    words = ("--size-mb", size, "--recordings", recordings, "--pairs", str(setting.pairs), "--starts", "1")
    told = _told("tests.bench_page", *words)
    down = told["download"]
    gb = down["mb"] / 1e3
    note = f"medians of {setting.pairs} pairs"
    took, beside = down["ours_s"] / gb, down["nginx_s"] / gb
    yield Row("page/download", "a recording downloaded", "s/GB", (took,), (beside,), "nginx alone", note=note)
    cpu = down["cpu"]
    took, beside = cpu["ours_s"] / gb, cpu["nginx_s"] / gb
    yield Row("page/cpu", "CPU of page and nginx for that", "s/GB", (took,), (beside,), "nginx alone", note=note)
    listed = told["lists"]["list"]
    yield Row("page/list", f"list of {recordings}, again", "ms", (listed["again"]["wall_ms"],), note=note)
