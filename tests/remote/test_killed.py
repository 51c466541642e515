"""A sender that is killed, again and again: it goes on where it was, and the file is right. ``--rounds 50``: 1 GB."""

from __future__ import annotations

import os
import pickle
import random
import signal
import subprocess
import sys
from pathlib import Path

from device.recording import SESSION_NAME
from device.remote import MOST_AGAIN_BYTES
from tests.remote.servers import MIB, ROOT, Server, known, some_bytes
from tests.remote.uploader import Job, Run, run_of, upload

NAME = f"clinic/room-3/2026/11/000042-8k2ja63cjm/{SESSION_NAME}"
EACH_ROUND_BYTES = 20_000_000


def killed(job: Job, *, when_moved_bytes: int) -> Run:
    """Send, and kill the sender from outside once it was going to move that much; it may be quicker, and end."""
    command = [sys.executable, "-m", "tests.remote.uploader"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as sender:
        assert sender.stdin is not None
        assert sender.stdout is not None
        sender.stdin.write(pickle.dumps(job))
        sender.stdin.close()
        told, moved = b"", 0
        while moved < when_moved_bytes and (line := sender.stdout.readline()):
            told += line
            moved += int(line) if line[:1].isdigit() else 0
        os.kill(sender.pid, signal.SIGKILL)
        told += sender.stdout.read()
    return run_of(told)


def test_a_sender_that_is_killed_at_any_moment_goes_on_and_sends_little_again(
    server: Server, tmp_path: Path, rounds: int
) -> None:
    size = rounds * EACH_ROUND_BYTES
    path, chance = tmp_path / "source", random.Random()
    with path.open("wb") as file:
        for seed, at in enumerate(range(0, size, MIB)):
            file.write(some_bytes(min(MIB, size - at), seed))
    whole, job, moved = known(path.read_bytes()), Job(server.maker, NAME, path), 0
    for _ in range(rounds):
        # A share of the file each time, so that the kills are spread over it, from before its first byte.
        run = killed(job, when_moved_bytes=chance.randrange(2 * EACH_ROUND_BYTES))
        moved += run.moved_bytes
        assert server.held() in ({}, {NAME: whole})
        if server.held():
            break  # it was quicker than the kill
    last = upload(job)
    moved += last.moved_bytes
    print(f"{rounds} kills, {size / 1e6:.0f} MB: {(moved - size) / rounds / MIB:.1f} MiB sent again for each")
    assert moved <= size + rounds * MOST_AGAIN_BYTES
    assert server.held() == {NAME: whole}
    assert server.unfinished() == 0
