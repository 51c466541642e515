"""A process of its own that sends one file, tells how many bytes it moved, and can be killed at any byte.

``python -m tests.remote.uploader``: a pickled ``Job`` on standard input; on standard output a line for each piece, and
at the end ``True`` or ``False``, what ``put`` answered.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.remote.servers import ROOT, Maker


@dataclass(frozen=True)
class Job:
    """What to send, and after how many bytes to die (``None``: not)."""

    maker: Maker
    name: str
    path: Path
    die_after_bytes: int | None = None
    replace: bool = False


@dataclass(frozen=True)
class Run:
    """What became of it: the bytes it was going to move, and the answer; ``None``: it died."""

    moved_bytes: int
    answer: bool | None


def upload(job: Job) -> Run:
    """Send a file in a process of its own."""
    command = [sys.executable, "-m", "tests.remote.uploader"]
    run = subprocess.run(command, input=pickle.dumps(job), stdout=subprocess.PIPE, cwd=ROOT, check=False)
    assert run.returncode in {0, -signal.SIGKILL}, run.returncode
    return run_of(run.stdout)


def run_of(stdout: bytes) -> Run:
    """What an uploader told before it ended. Its last line may be cut."""
    *pieces, last = stdout.split(b"\n")
    answer = {b"True": True, b"False": False}.get(
        pieces.pop() if pieces and not last and pieces[-1][:1].isalpha() else b""
    )
    return Run(sum(map(int, pieces)), answer)


def main() -> None:
    job: Job = pickle.load(sys.stdin.buffer)  # noqa: S301  # from the test beside it
    moved_bytes = 0

    def pace(length: int) -> None:
        nonlocal moved_bytes
        if job.die_after_bytes is not None and moved_bytes >= job.die_after_bytes:
            os.kill(os.getpid(), signal.SIGKILL)
        moved_bytes += length
        os.write(1, b"%d\n" % length)

    with job.path.open("rb") as file:
        answer = job.maker().put(job.name, file, replace=job.replace, pace=pace)
    os.write(1, b"%r\n" % answer)


if __name__ == "__main__":
    main()
