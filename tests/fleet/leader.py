"""Leads a fleet: issues recordings, starts the processes its boxes are in, kills some, and hears what they tell."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from device.status import LampStatus, PanelStatus, Status, publish
from device.words import Consent
from tests.fleet.clinics import Clinic
from tests.fleet.issue import Original, issue
from tests.fleet.pace import FleetClock
from tests.remote.servers import ROOT

_PUBLISH_S: Final = 1.0
_POLL_S: Final = 0.02
_MOST_UP: Final = 12  # boxes that do something at a time; with more the clock goes slower
_CONFIG: Final = """
[box]
name = "{box}"
device_key = "{folder}/device.key"
run = "{run}"
[store]
path = "{folder}/store"
[recipients]
keys = []
[microphone]
driver = "simulated"
wav = "/nowhere.wav"
[camera]
driver = "disabled"
[panel]
driver = "simulated"
[web]
state = "{folder}/web"
port = 0
[sync]
state = "{folder}/state"
start_jitter_s = {start_jitter_s}
[remote]
"""


@dataclass(frozen=True)
class Plan:
    """What a fleet is to do. ``arrivals_s``: for a box's number, when its recordings come, by the boxes' clock.

    ``speed``: of that clock. ``naive``: boxes that retry at a fixed interval, without any chance in it.
    """

    name: str
    boxes: int
    arrivals_s: Callable[[int], Sequence[float]]
    originals: Sequence[Original]
    speed: float
    workers: int = 2
    naive: bool = False
    start_jitter_s: int = 60


@dataclass
class Run:
    """A fleet under way, and at last what it told."""

    plan: Plan
    folder: Path
    clock: FleetClock
    boxes: list[str]
    events: list[dict[str, Any]] = field(default_factory=list)
    took_s: float = 0.0
    workers_cpu_s: float = 0.0
    server_cpu_s: float = 0.0
    restarts: int = 0
    mended: int = 0  # how often the server ended by itself


class Fleet:
    """Boxes in processes over one clinic. ``run`` is one fleet from its first box to its last."""

    def __init__(self, folder: Path, clinic: Clinic) -> None:
        self._folder = folder
        self._clinic = clinic
        self._run_folder = folder / "run"
        self._run_folder.mkdir()
        self._chance = random.Random(5)
        self._ending = threading.Event()
        self._publisher = threading.Thread(target=self._publish, daemon=True)
        self._publisher.start()
        self._workers: dict[int, subprocess.Popen[bytes]] = {}

    def close(self) -> None:
        self._ending.set()
        self._publisher.join()
        for worker in self._workers.values():
            worker.kill()
            worker.wait()

    def _publish(self) -> None:
        """What a capture service says that waits for a session. All boxes believe this one."""
        while True:
            publish(_idle(), self._run_folder)
            if self._ending.wait(_PUBLISH_S):
                return

    # -- a fleet from its first box to its last -----------------------------------------------------------------------

    def issue(self, plan: Plan) -> Run:
        """Everything that a plan needs, on disk; its clock stands still."""
        folder = self._folder / plan.name
        folder.mkdir()
        boxes = [f"box-{number:04d}" for number in range(plan.boxes)]
        places = self._clinic.places(boxes)
        for number, box in enumerate(boxes):
            place = folder / box
            issue(place, plan.originals, plan.arrivals_s(number), chance=self._chance)
            facts = {"box": box, "folder": place, "run": self._run_folder, "start_jitter_s": plan.start_jitter_s}
            remote = "".join(f"{key} = {json.dumps(text)}\n" for key, text in places[box].items())
            (place / "sotto.toml").write_text(_CONFIG.format(**facts) + remote)
        return Run(plan, folder, FleetClock.start(folder / "clock", speed=0.0), boxes)

    def run(
        self,
        run: Run,
        *,
        meanwhile: Callable[[Run], None] = lambda _run: None,
        patience_s: float = 900.0,
    ) -> Run:
        """Start it, lead it (``meanwhile`` is called many times a second), and wait until every box is done."""
        (self._run_folder / "sync").mkdir(exist_ok=True)
        began_s, cpu_s, server_s = time.monotonic(), _children_cpu_s(), self._clinic.cpu_s()
        for number in range(run.plan.workers):
            self._start(run, number)
        while len(list(run.folder.glob("told-*.ready"))) < run.plan.workers:
            self._look(run, until_s=began_s + patience_s)
            time.sleep(_POLL_S)
        began_s = time.monotonic()
        run.clock.go_on(run.plan.speed)
        while self._workers:
            self._look(run, until_s=began_s + patience_s)
            meanwhile(run)
            _keep_pace(run)
            run.mended += self._clinic.mend()
            time.sleep(_POLL_S)
        run.took_s = time.monotonic() - began_s
        run.workers_cpu_s = _children_cpu_s() - cpu_s
        run.server_cpu_s = self._clinic.cpu_s() - server_s
        run.events = _events(run.folder)
        return run

    def _start(self, run: Run, number: int) -> None:
        boxes = run.boxes[number :: run.plan.workers]
        command = [sys.executable, "-m", "tests.fleet.worker", *(["--naive"] if run.plan.naive else [])]
        command += [str(run.folder), str(run.folder / f"told-{number}.jsonl"), *boxes]
        self._workers[number] = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL)

    def _look(self, run: Run, *, until_s: float) -> None:
        for number, worker in list(self._workers.items()):
            code = worker.poll()
            if code == -signal.SIGKILL:
                run.restarts += len(run.boxes[number :: run.plan.workers])
                self._start(run, number)
            elif code is not None:
                del self._workers[number]
                if code:
                    self._give_up(run, f"boxes died: {_died(run.folder)}")
        if self._workers and time.monotonic() > until_s:
            self._give_up(run, f"{run.plan.name}: not all boxes were done in time: {_waiting(run)}")

    def _give_up(self, run: Run, why: str) -> None:
        for worker in self._workers.values():
            worker.kill()
            worker.wait()
        self._workers.clear()
        raise RuntimeError(why)

    def kill_one(self) -> None:
        """kill -9 one of the processes, with all boxes in it. It is started again by whoever looks."""
        alive = [worker for worker in self._workers.values() if worker.poll() is None]
        if alive:
            os.kill(self._chance.choice(alive).pid, signal.SIGKILL)


def _keep_pace(run: Run) -> None:
    """Have time run as fast as was planned while the machine keeps up, and slower while many boxes are up at once."""
    speed = run.plan.speed * min(1.0, _MOST_UP / max(1, run.clock.up))
    if not 0.9 < speed / run.clock.speed < 1.1:
        run.clock.go_on(speed)


def _events(folder: Path) -> list[dict[str, Any]]:
    found = []
    for path in sorted(folder.glob("told-*.jsonl")):
        for line in path.read_bytes().splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue  # it was killed in the middle of that line
    return sorted(found, key=lambda event: float(event["at"]))


def _died(folder: Path) -> str:
    return next((event["why"] for event in _events(folder) if event["call"] == "died"), "nobody knows why")


def _waiting(run: Run) -> str:
    events = _events(run.folder)
    done = {event["box"] for event in events if event["call"] == "done"}
    left = [box for box in run.boxes if box not in done]
    ends = [(event["call"], event.get("end")) for event in events if event["box"] in left[:1]][-5:]
    return f"{len(left)} of {len(run.boxes)}, such as {left[:1]}, whose last calls were {ends}"


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _idle() -> Status:
    dark = LampStatus(colour="none", pattern="off", beats_ms=())
    return Status(
        box="fleet",
        simulated=("microphone", "camera", "panel"),
        published="",
        published_unix_s=time.time(),
        state="idle",
        consent=Consent.NONE,
        choices=(),
        people=1,
        armed_left_s=None,
        panel=PanelStatus(room_light=False, lamps=(dark, dark), tone=None, tones=0, tone_notes=()),
        level=None,
        recording=None,
        framing=None,
        last=None,
        sealing=0,
        faults=(),
        store_free_bytes=1 << 30,
        store_minutes_left=1000,
        clock_trusted=True,
    )
