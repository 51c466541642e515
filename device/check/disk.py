"""How fast the store takes what a recording gives it: chunks, each made durable before the next.

The file loses its name as soon as it is made, so nothing can be left behind, whatever happens to this program.
"""

from __future__ import annotations

import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.check.decibels import percentile
from device.check.finding import Findings, bad, good, look
from device.durable import write_all
from device.recording import CHUNK_BYTES
from device.store import store_error

_MOST_BYTES: Final = 16 << 20
_LEAST_RECORDS: Final = 4
_KEEP_FREE_BYTES: Final = 64 << 20
_SLOW_S: Final = 0.5  # a power cut costs what is not durable: a second at most is promised (P5)
_SPARE: Final = 2.0


@dataclass(frozen=True, slots=True)
class DiskFigures:
    """How long each record took until it was durable: seconds, and all of them together."""

    records_s: tuple[float, ...]

    @property
    def bytes_per_s(self) -> float:
        """How fast that was."""
        return len(self.records_s) * CHUNK_BYTES / max(1e-9, sum(self.records_s))


def measure_disk(store: Path, *, seconds: float) -> DiskFigures:
    """Write for about so long, and at most 16 MiB.

    Raises:
        StoreError: it cannot be written to, or is full.
    """
    record, taken = os.urandom(CHUNK_BYTES), []
    try:
        path = store / f".probe-{secrets.token_hex(4)}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            path.unlink()
            began_s = time.monotonic()
            for number in range(_MOST_BYTES // CHUNK_BYTES):
                before_s = time.monotonic()
                if before_s - began_s > seconds and number >= _LEAST_RECORDS:
                    break
                write_all(descriptor, record, number * CHUNK_BYTES)
                os.fdatasync(descriptor)
                taken.append(time.monotonic() - before_s)
        finally:
            os.close(descriptor)
    except OSError as problem:
        raise store_error(problem, "its speed cannot be measured") from problem
    return DiskFigures(tuple(taken))


def judge_disk(disk: DiskFigures, *, needed_bytes_per_s: int) -> Findings:
    """Whether that keeps up with a recording of ``needed_bytes_per_s``, and with how much to spare."""
    worst_s, median_s = max(disk.records_s), percentile(disk.records_s, 0.5)
    figures = {
        "bytes_per_s": round(disk.bytes_per_s),
        "needed_bytes_per_s": needed_bytes_per_s,
        "median_ms": round(median_s * 1000, 2),
        "worst_ms": round(worst_s * 1000, 2),
        "records": len(disk.records_s),
    }
    what = (
        f"{disk.bytes_per_s / 1000:,.0f} kB/s of the {needed_bytes_per_s / 1000:.0f} needed; "
        f"durable in {median_s * 1000:.1f} ms, at worst {worst_s * 1000:.0f} ms"
    )
    if disk.bytes_per_s < needed_bytes_per_s:
        return [bad("disk", f"{what}: too slow", "use a faster card or disk for the store", **figures)]
    if disk.bytes_per_s < _SPARE * needed_bytes_per_s or worst_s > _SLOW_S:
        hint = "nothing is lost in a recording, but little is to spare: use a faster card or disk for the store"
        return [look("disk", what, hint, **figures)]
    return [good("disk", what, **figures)]


def judge_room(free_bytes: int, *, session_bytes: int) -> Findings:
    """How many whole sessions fit."""
    sessions = free_bytes // session_bytes
    figures = {"free_bytes": free_bytes, "session_bytes": session_bytes, "sessions": sessions}
    if sessions < 1:
        hint = "free room on the store, or let the box finish its sync; until then it does not record"
        return [bad("free room", "none for a whole session of sound", hint, **figures)]
    what = f"for {sessions} sessions of sound of the greatest length"
    if sessions < 5:
        return [look("free room", what, "free room on the store, or use a larger card or disk", **figures)]
    return [good("free room", what, **figures)]


def has_room_to_measure(free_bytes: int) -> bool:
    """Whether a measurement would not take the last of it."""
    return free_bytes > _MOST_BYTES + _KEEP_FREE_BYTES
