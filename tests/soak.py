"""A session of hours in minutes: does anything grow? ``make soak HOURS=3`` prints what was seen, and fails if so.

The real program runs at many times the speed; its memory and its open files are read from the kernel while it does.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from device.age.identities import generate_identity, identity_file

ROOT = Path(__file__).parent.parent
SPEED = 400
MOST_MIB = 120
# Not as ``python -m device``: a program that forbids its core dumps shows its open files to root alone (proc(5)).
PROGRAM = "import sys; from device.cli import main; sys.exit(main())"
MOST_GROWTH_MIB = 6


def sample(pid: int) -> tuple[float, int] | None:
    """Resident memory in MiB and open files of a process, or ``None`` once it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        return None
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return (int(found[1]) / 1024, files) if found else None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=1)
    parser.add_argument("--picture", action="store_true", help="with picture, which takes much longer")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return soak(Path(folder), options.hours, picture=options.picture)


def soak(folder: Path, hours: float, *, picture: bool) -> int:
    """Run and look; 0 where nothing grew and nothing was lost."""
    identity = generate_identity(post_quantum=True)
    (folder / "key").write_text(identity_file(identity, datetime.now(UTC)))
    (folder / "store").mkdir()
    consents = "0.5 consent, 0.7 consent" if picture else "0.5 consent"
    presses = f"{consents}, 1 record, {1 + hours * 3600} record"
    command = [sys.executable, "-c", PROGRAM, "rehearse", "--sound", str(ROOT / "device/capture/room.wav"), "--loop"]
    command += ["--presses", presses, "--max-length", "480", "--recipient", str(identity.recipient()), "--json"]
    command += ["--store", str(folder / "store"), "--speed", str(SPEED), *(["--picture", "clock"] if picture else [])]
    seen: list[tuple[float, int]] = []
    with (folder / "out").open("wb") as out, subprocess.Popen(command, stdout=out) as program:
        while (now := sample(program.pid)) is not None and program.poll() is None:
            seen.append(now)
            time.sleep(0.25)
    outcome = json.loads((folder / "out").read_bytes())
    return verdict(outcome, seen)


def verdict(outcome: dict, seen: list[tuple[float, int]]) -> int:
    """Print what was seen; 1 where something grew, was lost or did not end well."""
    quarter = len(seen) // 4
    early, late = max(mib for mib, _ in seen[quarter : quarter * 2]), max(mib for mib, _ in seen[quarter * 3 :])
    files = [count for _, count in seen[quarter:]]
    recorded_s = sum(recording["duration_us"] for recording in outcome["recordings"]) / 1e6
    gaps = sum(len(recording["gaps"]) for recording in outcome["recordings"])
    states = {recording["state"] for recording in outcome["recordings"]}
    peak = max(mib for mib, _ in seen)
    print(f"recorded           {recorded_s / 3600:.2f} h in {outcome['wall_s']:.0f} s, {outcome['cpu_s']:.0f} s of CPU")
    print(f"recordings         {len(outcome['recordings'])}, {', '.join(sorted(states))}, {gaps} gaps")
    print(f"memory             peak {peak:.1f} MiB; second quarter {early:.1f}, last quarter {late:.1f}")
    print("memory in steps    " + " ".join(f"{seen[len(seen) * step // 12][0]:.1f}" for step in range(12)))
    print(f"open files         {min(files)} to {max(files)}")
    well = states == {"complete"} and gaps == 0 and peak < MOST_MIB and late - early < MOST_GROWTH_MIB
    print("well" if well else "NOT well")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
