"""What it costs to send a recording, beside the program that everybody trusts with it. ``make bench-sync`` prints it.

SFTP: our ``put`` and OpenSSH's ``sftp -f`` send the same file to the same ``sshd`` on loopback, one after the other,
several times. Both go through the same ``ssh`` with the same options, and both have the server sync the file when all
of it is there (``-f``; our ``put`` also each 256 MiB, and the folder). What is compared: seconds, and the CPU of all
processes, the server's too, of the client side alone, and the client side's memory at its peak.

S3: our ``put`` and ``rclone copyto`` in the same way, over TLS, to a Ceph of our own (``bench_sync_s3.py``).

Another remote joins by a ``Pair``: how each of the two sends the file once.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from device.remote_sftp import sftp_remote
from device.ssh_channel import Account, ssh_command
from tests.remote.servers import MIB, ROOT, known
from tests.remote.sftp_server import SftpServer

SILENCE_S = 60.0
NAME = "clinic/room/session.mp4.age"


@dataclass(frozen=True)
class Took:
    """One transfer: time, CPU of the sending side (its children too) and its largest process, CPU of the server."""

    seconds: float
    cpu_s: float
    peak_mib: float
    server_cpu_s: float


@dataclass(frozen=True)
class Pair:
    """One kind of server: the commands of both, which each send ``NAME`` anew, and what to do between two runs."""

    kind: str
    peer: str
    ours: list[str]
    theirs: list[str]
    server_cpu_s: Callable[[], float]
    held: Callable[[], dict[str, str]]
    forget: Callable[[], None]


def run(command: list[str], pair: Pair) -> Took:
    """Run a command to its end, and ask the kernel what it and its children took."""
    report = [sys.executable, "-m", "tests.bench_sync", "--watch", json.dumps(command)]
    before_s = pair.server_cpu_s()
    done = subprocess.run(report, check=True, stdout=subprocess.PIPE, cwd=ROOT)
    took = json.loads(done.stdout)
    return Took(**took, server_cpu_s=pair.server_cpu_s() - before_s)


def watch(command: list[str]) -> int:
    """Run a command in a process that has no other child, and print what it took."""
    start_s = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds, used = time.perf_counter() - start_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    took = {"seconds": seconds, "cpu_s": used.ru_utime + used.ru_stime, "peak_mib": used.ru_maxrss / 1024}
    print(json.dumps(took))
    return 0


def put_sftp(given: str) -> int:
    """Our side: one put. This is the measured program."""
    asked = json.loads(given)
    account = Account(asked["host"], asked["port"], asked["user"], Path(asked["key"]), asked["host_key"])
    remote = sftp_remote(account, folder=asked["folder"], silence_s=SILENCE_S)
    with Path(asked["file"]).open("rb") as file:
        remote.put(NAME, file)
    remote.close()
    return 0


@contextmanager
def sftp(folder: Path, file: Path, more: str) -> Iterator[Pair]:
    """OpenSSH's ``sftp`` beside ours."""
    server = SftpServer(folder / "sshd", more=more)
    account = server.account
    target = server.data / NAME
    target.parent.mkdir(parents=True)
    asked = {
        "host": account.host,
        "port": account.port,
        "user": account.user,
        "key": str(account.key),
        "host_key": account.host_key,
        "folder": str(server.data),
        "file": str(file),
    }
    batch = folder / "batch"
    batch.write_text(f"put -f {file} {target}\n")
    options = [word for word in ssh_command(account, silence_s=SILENCE_S) if word.startswith("-o")]
    theirs = ["sftp", "-F", "none", "-q", "-b", str(batch), *options, "-P", str(account.port), "-i", str(account.key)]

    def server_cpu_s() -> float:
        """Of the listener and of all that it served and waited for."""
        process = server.listener
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    try:
        yield Pair(
            kind="SFTP",
            peer="sftp -f",
            ours=[sys.executable, "-m", "tests.bench_sync", "--put-sftp", json.dumps(asked)],
            theirs=[*theirs, f"{account.user}@{account.host}"],
            server_cpu_s=server_cpu_s,
            held=server.held,
            forget=lambda: target.unlink(missing_ok=True),
        )
    finally:
        server.close()


def measure(pair: Pair, size: int, pairs: int, expected: str) -> dict[str, Any]:
    """Both in turn, each time the other one first; each one's transfers."""
    ours: list[Took] = []
    theirs: list[Took] = []
    for number in range(pairs + 1):
        order = [(ours, pair.ours), (theirs, pair.theirs)]
        for took, command in order if number % 2 else reversed(order):
            pair.forget()
            os.sync()  # what the one before it left to be written is not this one's to wait for
            took.append(run(command, pair))
            if pair.held() != {NAME: expected}:
                raise SystemExit(f"{command[0]} did not send the file")
    del ours[0], theirs[0]  # the first pair warms up
    took = {"ours": [asdict(one) for one in ours], "theirs": [asdict(one) for one in theirs]}
    return {"kind": pair.kind, "peer": pair.peer, "size_bytes": size, **took}


def tell(told: dict[str, Any]) -> None:
    """The same as a person reads it."""
    size, peer = told["size_bytes"], told["peer"]
    ours, theirs = ([Took(**one) for one in told[side]] for side in ("ours", "theirs"))
    print(f"{told['kind']}, {size / 1e6:.0f} MB, {len(ours)} pairs, medians:")
    for name, took in (("put", ours), (peer, theirs)):
        speed = size / 1e6 / median(one.seconds for one in took)
        all_cpu_s = median(one.cpu_s + one.server_cpu_s for one in took)
        print(
            f"  {name:<10} {speed:6.1f} MB/s   {median(one.cpu_s for one in took):5.2f} s CPU, with the server "
            f"{all_cpu_s:5.2f}   memory {max(one.peak_mib for one in took):.0f} MiB"
        )
    ratios = sorted(their.seconds / our.seconds for our, their in zip(ours, theirs, strict=True))
    cpu = median((our.cpu_s / their.cpu_s) for our, their in zip(ours, theirs, strict=True))
    spread = " ".join(f"{ratio:.2f}" for ratio in ratios)
    print(f"  put is {100 * median(ratios):.0f} % as fast as {peer} ({spread}), at {cpu:.2f} times its CPU")


def main() -> int:
    """Measure, or be a part of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size-mb", type=int, default=1000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--only", choices=("sftp", "s3"), help="this kind of server alone")
    parser.add_argument("--sshd", default="", help="lines for the server's configuration (Ciphers …)")
    parser.add_argument("--watch", help=argparse.SUPPRESS)
    parser.add_argument("--put-sftp", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    asked = parser.parse_args()
    if asked.watch:
        return watch(json.loads(asked.watch))
    if asked.put_sftp:
        return put_sftp(asked.put_sftp)
    with tempfile.TemporaryDirectory(prefix="sotto-bench-") as given:
        folder = Path(given)
        folder.chmod(0o755)
        (folder / "sshd").mkdir()
        file = folder / "source"
        size = asked.size_mb * 1_000_000
        with file.open("wb") as source:
            for left in range(size, 0, -MIB):
                source.write(os.urandom(min(MIB, left)))
        expected, told = known(file.read_bytes()), []
        if asked.only != "s3":
            with sftp(folder, file, asked.sshd) as pair:
                told.append(measure(pair, size, asked.pairs, expected))
        if asked.only != "sftp":
            from tests.bench_sync_s3 import s3  # it knows this module

            with s3(folder, file) as pair:
                told.append(measure(pair, size, asked.pairs, expected))
    if asked.json:
        print(json.dumps(told))
        return 0
    for one in told:
        tell(one)
    return 0


if __name__ == "__main__":
    sys.exit(main())
