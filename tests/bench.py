"""What recording sound costs, beside what one would pipe together in a shell. ``make bench`` prints it.

Both sides hear the same 48 kHz 24-bit stereo speech in real time, in periods of 100 ms, in turn, and the median of the
pairs counts: machines are noisy, ratios less so. CPU is user and system time of every process on either side; ours
includes metering, ledger and a sync per chunk, but not the interpreter's start, which a box pays once a day.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from device.age.identities import generate_identity, identity_file
from device.capture.wav import Wav, read_wav

ROOT = Path(__file__).parent.parent
PERIOD_S = 0.1


def children_cpu_s() -> float:
    """CPU of every child that has ended so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def ours(folder: Path, wav: Path, recipient: str, seconds: float) -> tuple[float, float]:
    """CPU seconds and peak MiB of ``sotto rehearse`` for a recording of that length; 0 for the start alone."""
    store = Path(tempfile.mkdtemp(dir=folder))
    presses = f"0.1 consent, 0.3 record, {0.3 + seconds} record" if seconds else "0.1 stop"
    command = [sys.executable, "-m", "device", "rehearse", "--sound", wav, "--loop", "--store", store, "--json"]
    before = children_cpu_s()
    done = subprocess.run([*command, "--presses", presses, "--recipient", recipient], check=False, capture_output=True)
    return children_cpu_s() - before, json.loads(done.stdout)["peak_memory_mib"]


def theirs(folder: Path, wav: Wav, recipient: str, seconds: float) -> float:
    """CPU seconds of ``flac | age``, fed in real time by this process."""
    sound = wav.sound
    flac = ["flac", "--silent", "-5", "--no-md5-sum", "--force-raw-format", "--endian=little", "--sign=signed"]
    flac += [f"--channels={sound.channels}", f"--bps={sound.bits}", f"--sample-rate={sound.rate_hz}", "-c", "-"]
    before = children_cpu_s()
    with (
        (folder / "peer.age").open("wb") as sealed,
        subprocess.Popen(flac, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as encoder,
        subprocess.Popen(["age", "-r", recipient], stdin=encoder.stdout, stdout=sealed),
    ):
        if encoder.stdout is not None:
            encoder.stdout.close()
        feed(wav, seconds, encoder.stdin.fileno() if encoder.stdin else -1)
        if encoder.stdin is not None:
            encoder.stdin.close()
    return children_cpu_s() - before


def feed(wav: Wav, seconds: float, descriptor: int) -> None:
    """Write the sound as a microphone would deliver it."""
    period = int(wav.sound.rate_hz * PERIOD_S)
    with wav.path.open("rb") as file:
        start_s = time.monotonic()
        for number in range(round(seconds / PERIOD_S)):
            file.seek(wav.offset + number * period % (wav.samples - period) * wav.sound.frame_bytes)
            time.sleep(max(0.0, start_s + (number + 1) * PERIOD_S - time.monotonic()))
            os.write(descriptor, file.read(period * wav.sound.frame_bytes))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stereo = folder / "stereo.wav"
        subprocess.run(
            ["ffmpeg", "-v", "error", "-i", ROOT / "device/capture/room.wav", "-ac", "2", "-c:a", "pcm_s24le", stereo],
            check=True,
        )
        identity = generate_identity(post_quantum=False)
        (folder / "key").write_text(identity_file(identity, datetime.now(UTC)))
        run(folder, stereo, str(identity.recipient()), options.seconds, options.pairs)
    return 0


def run(folder: Path, stereo: Path, recipient: str, seconds: float, pairs: int) -> None:
    """Measure and print."""
    ratios, cores, peers, memory = [], [], [], []
    for _ in range(pairs):
        start_s, _ = ours(folder, stereo, recipient, 0)
        cpu_s, mib = ours(folder, stereo, recipient, seconds)
        peer_s = theirs(folder, read_wav(stereo), recipient, seconds)
        cores.append((cpu_s - start_s) / seconds)
        peers.append(peer_s / seconds)
        ratios.append((cpu_s - start_s) / peer_s)
        memory.append(mib)
    print(f"sound, live, {pairs} pairs of {seconds:.0f} s (median, and from to)")
    for name, values, unit in (
        ("sotto: of one core", [100 * value for value in cores], "%"),
        ("flac | age: of one core", [100 * value for value in peers], "%"),
        ("sotto / (flac | age)", ratios, "×"),
        ("sotto: peak memory", memory, "MiB"),
    ):
        print(f"  {name:<26}{statistics.median(values):8.2f} {unit}   ({min(values):.2f} to {max(values):.2f})")


if __name__ == "__main__":
    sys.exit(main())
