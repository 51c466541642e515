"""What it costs to close a long recording after a power cut. ``make bench-recovery`` prints it.

A recording of 1 GB is made of chunks that the box's own sealer seals, cut off in the middle of a chunk, and recovered
by a program of its own; beside it stock programs read the same file once. All find it in the page cache, having just
been written. Recovery reads the ledger (80 bytes for each 64 KiB) and the last fragment, so it should cost a small part
of reading it all, and hold no more than the ledger in memory. At last the recording is withdrawn, and a recovery erases
it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.age.identities import generate_identity
from device.capture.sealer import Sealer
from device.recording import CHUNK_BYTES, LEDGER_NAME, SESSION_NAME
from device.recording.manifest import RecordingState
from device.recovery import recover
from device.store import Store, read_manifest
from tests.support import manifest_of

CHUNK_US = 250_000
AT = "2026-03-02T10:00:00.000Z"


class Unsynced:
    """The two files of a recording as ``device.sealed_file`` lays them out, without a sync for each chunk."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / SESSION_NAME).open("wb")
        self._ledger = (folder / LEDGER_NAME).open("wb")

    def append(self, sealed: bytes, _closing: bytes, records: bytes) -> None:
        """Add sealed chunks; the closing is left out, as it is where the next chunk was begun."""
        self._ledger.write(records)
        self._file.write(sealed)

    def close(self) -> None:
        """Make everything durable."""
        for file in (self._ledger, self._file):
            file.flush()
            os.fsync(file.fileno())
            file.close()


def make_torn(store: Store, size_bytes: int) -> Path:
    """A recording of about that size that was cut off in its last chunk."""
    folder = store.new_folder()
    store.write_manifest(manifest_of(folder.name))
    sealer = Sealer([generate_identity(post_quantum=False).recipient()], Unsynced(folder), on_durable=lambda *_: None)
    chunk = random.Random(7).randbytes(CHUNK_BYTES)
    for number in range(size_bytes // CHUNK_BYTES):
        sealer.write(chunk, (number + 1) * CHUNK_US)
    sealer.close()
    os.truncate(folder / SESSION_NAME, (folder / SESSION_NAME).stat().st_size - CHUNK_BYTES // 3)
    return folder


def child(store: Path) -> int:
    """Recover, and print what it took: this is the measured program."""
    before = _proc("self/io")
    held_kib = _proc("self/status")["VmHWM"]
    start_s, cpu_s = time.perf_counter(), time.process_time()
    (found,) = recover(Store(store, device_key=Ed25519PrivateKey.generate()), at=AT)
    took = {
        "what": found.what,
        "seconds": time.perf_counter() - start_s,
        "cpu_s": time.process_time() - cpu_s,
        "grown_mib": (_proc("self/status")["VmHWM"] - held_kib) / 1024,
        "peak_mib": _proc("self/status")["VmHWM"] / 1024,
        "read_mib": (_proc("self/io")["rchar"] - before["rchar"]) / (1 << 20),
    }
    print(json.dumps(took))
    return 0


def _proc(name: str) -> dict[str, int]:
    lines = (line.split() for line in Path("/proc", name).read_text(encoding="ascii").splitlines())
    return {words[0].rstrip(":"): int(words[1]) for words in lines if len(words) > 1 and words[1].isdecimal()}


def timed(command: list[str | Path]) -> tuple[float, float]:
    """Seconds and CPU seconds of a stock program."""
    before, start_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start_s, used_s


def recovered(store: Path) -> dict[str, Any]:
    """What it took to recover a store, in a program of its own."""
    command = [sys.executable, "-m", "tests.bench_recovery", "--recover", store]
    took: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return took


def told(took: dict[str, Any]) -> str:
    """The figures of one recovery."""
    cost = f"{took['seconds']:7.2f} s   {took['cpu_s']:6.2f} s CPU   read {took['read_mib']:.1f} MiB"
    return f"{cost}   memory {took['peak_mib']:.0f} MiB, of which for this {took['grown_mib']:.1f}"


def measure(folder: Path, size_bytes: int) -> dict[str, Any]:
    """One recording of that size, closed; read by stock programs; and erased: what each took."""
    store = Store(Path(tempfile.mkdtemp(dir=folder)), device_key=Ed25519PrivateKey.generate())
    recording = make_torn(store, size_bytes)
    took = recovered(store.path)
    manifest, file = read_manifest(recording), recording / SESSION_NAME
    found = (took["what"], manifest.state, manifest.size_bytes)
    if found != ("closed", RecordingState.INTERRUPTED, file.stat().st_size):
        raise SystemExit(f"not recovered: {found}")
    measured: dict[str, Any] = {"mb": file.stat().st_size / 1e6, "chunks": manifest.chunks, "recovery": took}
    for name, command in (("sha256sum", ["sha256sum", file]), ("cat", ["cat", file])):
        seconds, cpu_s = timed(command)
        measured[name] = {"seconds": seconds, "cpu_s": cpu_s}
    store.mark_withdrawn(recording.name)
    took = recovered(store.path)
    if took["what"] != "erased" or recording.exists():
        raise SystemExit("not erased")
    return measured | {"withdrawn": took}


def tell(measured: dict[str, Any]) -> None:
    """The same as a person reads it."""
    print(f"{measured['mb']:7.0f} MB, {measured['chunks']} chunks:")
    print(f"  recovery      {told(measured['recovery'])}")
    for name in ("sha256sum", "cat"):
        one = measured[name]
        share = 100 * measured["recovery"]["seconds"] / one["seconds"]
        print(
            f"  {name:<13} {one['seconds']:7.2f} s   {one['cpu_s']:6.2f} s CPU   recovery takes {share:.0f} % of that"
        )
    print(f"  if withdrawn  {told(measured['withdrawn'])}")


def main() -> int:
    """Measure, for three sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes-mb", default="10,100,1000", help="of the recordings")
    parser.add_argument("--folder", type=Path, help="where to make them (default: the system's folder for such)")
    parser.add_argument("--recover", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if options.recover is not None:
        return child(options.recover)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        sizes = [int(size) * 1_000_000 for size in options.sizes_mb.split(",")]
        if options.json:
            print(json.dumps([measure(Path(name), size) for size in sizes]))
            return 0
        for size in sizes:
            tell(measure(Path(name), size))
    return 0


if __name__ == "__main__":
    sys.exit(main())
