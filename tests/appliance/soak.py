"""Records for an hour in the emulated appliance: ``make appliance-soak SOAK=1h`` (as root).

Sotto's own service hears the same ten seconds of noise over and over, so that every sample that is missing, or there
twice, is found, marked or not. Time in which the guest does nothing is not waited for: on a machine that has nothing
else to do, an hour takes less than one.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.age.identities import generate_identity
from tests.appliance.box import Box, Recorded
from tests.appliance.build import build
from tests.appliance.vm import READY, Vm

_SCRIPT: Final = Path(__file__).parent / "scripts" / "hum.py"
_SEED: Final = 11
_RATE_HZ: Final = 48_000
_FRAME_BYTES: Final = 6
_KNOWN_BY_BYTES: Final = 100 * _FRAME_BYTES
_LONGEST_MIN: Final = 90
_LOOK_S: Final = 60
_MOST_GROWTH_MIB: Final = 6
_UNITS_S: Final = {"h": 3600, "m": 60, "s": 1}


@dataclass(frozen=True, slots=True)
class Look:
    """What the service held at one moment: resident memory, and open files."""

    at_s: float
    memory_mib: float
    files: int

    def __str__(self) -> str:
        return f"{self.memory_mib:.1f} MiB, {self.files} open files"


def duration_s(text: str) -> int:
    """``1h``, ``5m`` or ``90s`` in seconds."""
    return round(float(text[:-1]) * _UNITS_S[text[-1]])


def look(box: Box) -> Look:
    """Look at the service, from outside of it."""
    script = "p=$(systemctl show -P MainPID sotto-capture.service); grep VmRSS /proc/$p/status; ls /proc/$p/fd | wc -l"
    words = box.agent.sh(script).split()
    return Look(box.agent.monotonic_s(), int(words[1]) / 1024, int(words[3]))


def record(box: Box, seconds: int) -> tuple[str, list[Look]]:
    """Have a session recorded for so long; its id, and what the service held meanwhile."""
    box.agent.put("/run/hum.py", _SCRIPT.read_bytes())
    player = box.agent.start("/opt/sotto/bin/python", "/run/hum.py", str(_SEED))
    player.wait_for("playing")
    recording = box.begin()
    looks = [look(box)]
    started_s = time.monotonic()
    while (passed_s := looks[-1].at_s - looks[0].at_s) < seconds:
        print(f"{passed_s / 60:5.1f} min in {(time.monotonic() - started_s) / 60:5.1f}: {looks[-1]}", flush=True)
        box.agent.sh(f"sleep {min(_LOOK_S, seconds - passed_s):.3f}")
        looks.append(look(box))
        if player.poll() is not None:
            raise SystemExit(f"error: {player.wait().err.strip()}\nhint: give this machine less else to do")
    box.end()
    return recording, looks


def breaks(opened: Recorded) -> tuple[int, int]:
    """How many samples were compared with what was played, and in how many places it breaks off with no gap marked."""
    ring = noise_block() * 2
    length = len(ring) // 2
    marked = [(gap["start_sample"], gap["start_sample"] + gap["samples"]) for gap in opened.manifest["gaps"]]
    command = ["ffmpeg", "-v", "error", "-i", opened.mp4, "-map", "0:a", "-f", "s24le", "-c:a", "pcm_s24le", "-"]
    compared = found = 0
    place: int | None = None
    with subprocess.Popen(command, stdout=subprocess.PIPE) as decoder:
        assert decoder.stdout is not None
        while piece := decoder.stdout.read(length):
            if place is None:
                place = _end_in(ring, piece)
            samples = len(piece) // _FRAME_BYTES
            if place is None or piece != ring[place : place + len(piece)]:
                found += not any(start < compared + samples and compared < end for start, end in marked)
                place = _end_in(ring, piece)  # it goes on from wherever it ends
            compared += samples
            place = None if place is None else (place + len(piece)) % length
    return compared, found


def _end_in(ring: bytes, piece: bytes) -> int | None:
    """Where in the noise ``piece`` began, to go by its end."""
    at = ring.find(piece[-_KNOWN_BY_BYTES:])
    return None if at < 0 else (at + min(_KNOWN_BY_BYTES, len(piece)) - len(piece)) % (len(ring) // 2)


def noise_block() -> bytes:
    """What ``hum.py`` plays, as 24-bit samples."""
    noise = random.Random(_SEED).randbytes(10 * _RATE_HZ * 2 * 2)
    block = bytearray(len(noise) // 2 * 3)
    block[0::3], block[1::3] = noise[0::2], noise[1::2]
    block[2::3] = noise[1::2].translate(bytes(0xFF if top & 0x80 else 0 for top in range(256)))
    return bytes(block)


def soak(disk: Path, kernel: Path, folder: Path, seconds: int) -> bool:
    """Record, look, and print what was seen; whether all is well."""
    started_s = time.monotonic()
    with Vm(disk, kernel, snapshot=READY, hurried=True) as vm:
        box = Box(vm, generate_identity(post_quantum=False))
        box.install()
        box.configure(minutes=_LONGEST_MIN)
        box.start()
        box.until_state("idle")
        recording, looks = record(box, seconds)
        opened = box.opened(recording, folder)
    compared, unmarked = breaks(opened)
    first, last = looks[0], looks[-1]
    settled = looks[min(2, len(looks) - 1)]
    print(f"recorded           {opened.manifest['duration_us'] / 6e7:.1f} min, {opened.manifest['state']}")
    print(f"in                 {(time.monotonic() - started_s) / 60:.1f} min here, with boot and opening")
    marked, memory = len(opened.manifest["gaps"]), [point.memory_mib for point in (first, settled, last)]
    print(f"sound              {compared} samples compared; gaps: {unmarked} unmarked, {marked} marked")
    print("memory             {:.1f} MiB at first, {:.1f} soon, {:.1f} at last".format(*memory))
    print(f"open files         {first.files} at first, {last.files} at last")
    well = opened.manifest["state"] == "complete" and unmarked == 0 and not marked
    well = well and last.memory_mib - settled.memory_mib < _MOST_GROWTH_MIB and last.files <= first.files + 1
    print("well" if well else "NOT well")
    return well


def main() -> int:
    """Build what is missing, and soak."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--for", dest="seconds", type=duration_s, default="1h", help="1h, 5m, 90s (of the guest's time)")
    options = words.parse_args()
    if options.seconds > _LONGEST_MIN * 60 - 60:
        words.error(f"the longest session here has {_LONGEST_MIN} minutes")
    built = build()
    with tempfile.TemporaryDirectory(prefix="run-", dir=built) as beside, tempfile.TemporaryDirectory() as folder:
        disk = Path(shutil.copy(built / "ready" / "disk.qcow2", beside))
        return 0 if soak(disk, built / "kernel", Path(folder), options.seconds) else 1


if __name__ == "__main__":
    sys.exit(main())
