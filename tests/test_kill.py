"""kill -9 at any moment: the next start closes the file, and at most a second of sound is gone (promise P5).

The whole program is killed, as a power cut or the kernel would; a few rounds here, a hundred with ``make kill``.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from device.age.identities import KeyIdentity, generate_identity, identity_file

SOTTO = (sys.executable, "-m", "device")
RATE_HZ = 48_000


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a minute of full-scale 24-bit stereo noise: the most that a second of sound can weigh."""
    path = tmp_path_factory.mktemp("noise") / "noise.wav"
    data = random.Random(7).randbytes(30 * RATE_HZ * 6)
    head = b"WAVEfmt " + (16).to_bytes(4, "little") + b"\1\0\2\0" + RATE_HZ.to_bytes(4, "little")
    head += (RATE_HZ * 6).to_bytes(4, "little") + b"\6\0\x18\0data" + len(data).to_bytes(4, "little")
    path.write_bytes(b"RIFF" + (len(head) + len(data)).to_bytes(4, "little") + head + data)
    return path


def rehearse(store: Path, wav: Path, identity: KeyIdentity, presses: str, *more: str) -> list[str]:
    recipient = str(identity.recipient())
    place = ("--store", str(store), "--sound", str(wav), "--recipient", recipient)
    return [*SOTTO, "rehearse", *place, "--presses", presses, *more]


class Disk(threading.Thread):
    """How long this machine itself makes anybody wait: 64 KiB written and synced, again and again, beside a recording.

    What is on its way to a disk that keeps others waiting for half a second can be half a second more.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._path = folder / "probe"
        self._over = threading.Event()
        self.worst_s = 0.0

    def run(self) -> None:
        with self._path.open("wb", buffering=0) as file:
            while True:
                expected_s = time.monotonic() + 0.1
                over = self._over.wait(0.1)
                file.seek(0)
                file.write(bytes(1 << 16))
                os.fdatasync(file.fileno())
                self.worst_s = max(self.worst_s, time.monotonic() - expected_s)
                if over:
                    return

    def __enter__(self) -> Disk:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()


def kill_in_the_middle(command: list[str], store: Path, after_s: float) -> int:
    """Run until the file has its name and ``after_s`` more, then kill -9; the monotonic microsecond of the kill."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as program:
        begun_by_s = time.monotonic() + 30
        while not list(store.glob("*/session.mp4.age")):
            assert program.poll() is None
            if time.monotonic() > begun_by_s:
                program.kill()
                pytest.fail("the recording did not begin")
            time.sleep(0.005)
        time.sleep(after_s)
        killed_us = time.monotonic_ns() // 1000
        program.send_signal(signal.SIGKILL)
    return killed_us


def opened(folder: Path, identity: Path) -> bytes:
    """The sound as stock age and ffmpeg have it, neither of which may complain."""
    plain = subprocess.run(["age", "-d", "-i", identity, folder / "session.mp4.age"], check=True, capture_output=True)
    decode = ["ffmpeg", "-v", "warning", "-i", "-", "-map", "0:a", "-f", "s24le", "-"]
    done = subprocess.run(decode, check=True, capture_output=True, input=plain.stdout)
    complaints = done.stderr.decode().strip()
    empty = "Output file is empty" in complaints and not done.stdout
    # Killed before the first picture came: the track is there, and ffmpeg says that it found nothing in it.
    no_picture = "parameters for stream 1" in complaints and b"avc3" in plain.stdout and pictures(plain.stdout) == 0
    assert complaints == "" or empty or no_picture
    return done.stdout


def pictures(plain: bytes) -> int:
    """How many runs of pictures the fragments hold: track 2 in a track fragment header."""
    return plain.count(b"tfhd\x00\x02\x00\x00\x00\x00\x00\x02")


def round_of(number: int, tmp_path: Path, noise: Path, *, picture: bool) -> tuple[float, float]:
    """One recording, killed; the seconds of sound that were lost, and how long the disk kept others waiting."""
    store = tmp_path / f"store-{number}"
    store.mkdir()
    identity = generate_identity(post_quantum=False)
    key_file = tmp_path / f"key-{number}"
    key_file.write_text(identity_file(identity, datetime.now(UTC)))
    after_s = random.uniform(0.0, 3.0)
    more = ["--picture", "clock", "--size", "320x180"] if picture else []
    presses = f"0.1 consent, {'0.3 consent, ' * picture}0.5 record, 600 record"
    with Disk(tmp_path) as disk:
        killed_us = kill_in_the_middle(rehearse(store, noise, identity, presses, *more), store, after_s)
    subprocess.run(
        rehearse(store, noise, identity, "0.1 stop", "--speed", "20"), check=False, capture_output=True, timeout=60
    )
    (folder,) = [path for path in store.iterdir() if path.name != "erased"]
    assert not (folder / "session.ledger").exists()
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())["payload"]
    assert manifest["state"] == "interrupted"
    sound = opened(folder, key_file)
    assert noise.read_bytes()[-30 * RATE_HZ * 6 :].startswith(sound)
    assert len(sound) // 6 * 1_000_000 // RATE_HZ == manifest["duration_us"]
    # The press came before the first sample, so this counts a little too much.
    return (killed_us - manifest["started_monotonic_us"] - manifest["duration_us"]) / 1_000_000, disk.worst_s


def test_killed_at_any_moment_at_most_a_second_of_sound_is_lost(
    tmp_path: Path, noise: Path, rounds: int, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = [round_of(number, tmp_path, noise, picture=number % 3 == 2) for number in range(rounds)]
    lost_s = sorted(lost for lost, _ in seen)
    late = sum(lost > 1.0 for lost in lost_s)
    with capsys.disabled():
        print(f"\nkill -9: {rounds} rounds, sound lost {lost_s[0]:.2f} to {lost_s[-1]:.2f} s, ", end="")
        print(
            f"median {lost_s[rounds // 2]:.2f}, over a second {late}; the disk's worst {max(w for _, w in seen):.2f} s"
        )
    assert all(lost <= 1.0 + worst for lost, worst in seen)
