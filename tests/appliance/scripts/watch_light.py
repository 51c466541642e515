"""In the guest: looks at the room light and at the devices until it is told to stop, and says where they differ.

``watch_light.py LIGHT_LINE``; a look is two at the light, with one at the devices between them: only where both looks
at the light agree is it known what the devices were to be compared with. At its end it says how many ``looks`` there
were, and in milliseconds: ``apart`` (the longest time between two), ``dark`` (how long at most a device was open in the
dark) and ``lit`` (how long at most the light was on with every device closed).
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

light = os.open(sys.argv[1], os.O_RDONLY)
PCM = Path("/proc/asound/Mic/pcm1c/sub0/status")
# A second process in the unit is the camera's program.
PROCESSES = Path("/sys/fs/cgroup/system.slice/sotto-capture.service/cgroup.procs")
ends = threading.Event()


def is_lit() -> bool:
    return os.pread(light, 2, 0).startswith(b"1")


def text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # unplugged, or not started
        return ""


def devices() -> tuple[bool, bool]:
    """Whether one is open, and whether none is though all are there: an unplugged microphone leaves the light on."""
    microphone = text(PCM)
    has_program = text(PROCESSES).count("\n") > 1
    is_open = has_program or not (microphone or "closed").startswith("closed")
    return is_open, bool(microphone) and not is_open


signal.signal(signal.SIGTERM, lambda *_: ends.set())
looks, apart_ms = 0, 0.0
since = {"dark": None, "lit": None}
most = {"dark": 0.0, "lit": 0.0}
before = time.monotonic()
print("looking", flush=True)
while not ends.is_set():
    lit, (opened, closed), still = is_lit(), devices(), is_lit()
    now = time.monotonic()
    apart_ms = max(apart_ms, (now - before) * 1000)
    looks += 1
    differs = {"dark": opened and not lit and not still, "lit": lit and still and closed}
    for name, wrong in differs.items():
        if not wrong:
            since[name] = None
            continue
        since[name] = since[name] or before
        most[name] = max(most[name], (now - since[name]) * 1000)
    before = now
    time.sleep(0.002)
print(f"looks {looks} apart {apart_ms:.1f} dark {most['dark']:.1f} lit {most['lit']:.1f}", flush=True)
