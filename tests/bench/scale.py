"""Rows: what growth costs: longer sessions, more recordings, more boxes. Nothing may grow faster than in proportion.

What a program takes whatever the number (its start) is taken off by the smallest point: compared is what each further
unit costs up to a point, with what it costs up to a smaller one. Memory is compared as it is.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from provisioning.fleet.key import make_desk_key
from tests.bench.batch import chain
from tests.bench.cost import Ran, run_pipe
from tests.bench.farm import HOST
from tests.bench.figures import Point, Row, marginal
from tests.bench.material import ROOT
from tests.bench.setting import Setting

_MINUTES, _RECORDINGS, _BOXES = (1, 10, 60, 480), (10, 100, 1000, 10_000), (1, 10, 100, 1000)
_AGAIN, _SMALL_MIN, _SMALL = 3, 10, 100  # small ones are disturbed easily: the best of so many
_IN_PROPORTION = 1.15  # what is more than noise on a machine that others use too


def sessions(setting: Setting) -> Iterator[Row]:
    """1 min to 8 h, in as little time as the writing chain takes.

    Digital silence, so that the codec costs next to nothing, and what grows with the session is the more of it.
    """
    silence = setting.folder() / "silence.raw"
    silence.write_bytes(bytes(48_000 * 6 * 10))
    taken: list[dict[str, Any]] = []
    for minutes in _few(setting, _MINUTES):
        setting.say(f"scale: a session of {minutes} min")
        again = _AGAIN if minutes <= _SMALL_MIN else 1
        runs = [chain(setting, silence, 60 * minutes) for _ in range(again)]
        taken.append(min(runs, key=lambda one: one["cpu_s"]))
    points = [Point(n, one["cpu_s"]) for n, one in zip(_few(setting, _MINUTES), taken, strict=True)]
    yield from _growth("scale/session", "minutes of session, writing chain", "CPU ms/min", points)
    yield _memory("scale/session-memory", "memory of a session", "min", points, [one["peak_mb"] for one in taken])


def recordings(setting: Setting) -> Iterator[Row]:
    """10 to 10 000 recordings in the store: the page's first lists after its start, and what it then takes."""
    taken = []
    for count in _few(setting, _RECORDINGS):
        setting.say(f"scale: {count} recordings")
        runs = [_listed(setting, count) for _ in range(_AGAIN if count <= _SMALL else 1)]
        taken.append({name: min(one[name] for one in runs) for name in runs[0]})
    counts = _few(setting, _RECORDINGS)
    first = [Point(n, one["first_cpu_s"]) for n, one in zip(counts, taken, strict=True)]
    yield from _growth("scale/recordings", "recordings, first list after a start", "CPU ms", first, base=2)
    again = [Point(n, one["again_cpu_s"]) for n, one in zip(counts, taken, strict=True)]
    yield from _growth("scale/recordings-again", "recordings, the list again", "CPU ms", again, base=2)
    held = [one["resident_mb"] for one in taken]
    note = "all of its process, after lists of 50 and of 2000; of each recording it remembers some 250 bytes"
    yield _memory("scale/recordings-memory", "memory of the page", "recordings", first, held, note=note)


def _listed(setting: Setting, count: int) -> dict[str, float]:
    """One page with that many recordings."""
    command = ["-m", "tests.bench.listed", setting.folder(), str(count)]
    done = subprocess.run([sys.executable, *command], check=True, stdout=subprocess.PIPE, cwd=ROOT)
    told: dict[str, float] = json.loads(done.stdout)
    return told


def boxes(setting: Setting) -> Iterator[Row]:
    """1 to 1 000 boxes at one desk: ``sotto-clinic fleet status`` asks a farm of tiny TLS servers in one process."""
    from tests.front.desks import ClinicCa  # these bring a web page along
    from tests.provisioning.clinics import PASSPHRASE
    from tests.provisioning.folders import Admin

    home = setting.folder()
    admin = Admin(home, domains="example", networks="127.0.0.0/8")
    ca, farm = ClinicCa(admin.folder, PASSPHRASE), home / "farm"
    make_desk_key(admin.folder, PASSPHRASE, now=datetime.now(UTC))
    farm.mkdir()
    (farm / "box.pem").write_bytes(ca.issue("box.example", HOST))
    (farm / "ca.crt").write_bytes(ca.pem)
    counts = _few(setting, _BOXES)
    points, seconds = [], []
    with _standing(farm, max(counts)) as told:
        for count in counts:
            setting.say(f"scale: {count} boxes")
            ran = min((_status(admin, told[:count]) for _ in range(_AGAIN)), key=lambda one: one.cpu_s)
            points.append(Point(count, ran.cpu_s))
            seconds.append(ran.seconds)
    note = f"{max(counts)} boxes took {seconds[-1]:.1f} s"
    yield from _growth("scale/boxes", "boxes at one desk's fleet status", "CPU ms", points, note=note, base=2)


@contextmanager
def _standing(folder: Path, count: int) -> Iterator[list[tuple[int, str]]]:
    """The farm: the port and the device key of each box."""
    command = [sys.executable, "-m", "tests.bench.farm", str(folder), str(count)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        try:
            yield [(port, key) for port, key in json.loads(program.stdout.readline())]
        finally:
            program.stdin.close()


def _status(admin: Any, told: Sequence[tuple[int, str]]) -> Ran:
    """One look at that many boxes."""
    folder = admin.folder
    entered = [
        {"name": f"room-{number}", "address": f"https://{HOST}:{port}", "device_key": key}
        for number, (port, key) in enumerate(told)
    ]
    folder.write_clinic(folder.read().changed(boxes=entered))
    out = admin.home / "status.json"
    words = ["fleet", "status", folder.path, "--json", "--passphrase-file", admin.passphrase]
    ran = run_pipe([sys.executable, "-m", "provisioning", *words], to=out)
    seen = [one for one in json.loads(out.read_bytes())["boxes"] if one["reachable"]]
    if len(seen) != len(told):
        raise RuntimeError(f"{len(seen)} of {len(told)} boxes answered")
    return ran


def _few(setting: Setting, numbers: Sequence[int]) -> Sequence[int]:
    """All points, or in the short form all but the largest."""
    return numbers[:-1] if setting.short else numbers


def _growth(
    name: str, says: str, unit: str, points: Sequence[Point], *, note: str = "", base: int = 1
) -> Iterator[Row]:
    """A row for each point after the one at ``base``: what a further unit costs up to there, beside up to the base."""
    costs = [1000 * cost for cost in marginal(points)]
    told = "; ".join(f"{point.units:.0f} in {point.cost:.2f} s" for point in points)
    for point, cost in list(zip(points[1:], costs, strict=True))[base:]:
        beside, key = f"up to {points[base].units:.0f}", f"{name}-{point.units:.0f}"
        row = (key, f"each of {point.units:.0f} {says}", f"{unit} each", (cost,), (costs[base - 1],), beside)
        yield Row(*row, at_most=_IN_PROPORTION, note=f"CPU of {told}{'; ' if note else ''}{note}")


def _memory(name: str, says: str, of: str, points: Sequence[Point], held_mb: Sequence[float], *, note: str = "") -> Row:
    """Memory at the largest, beside that at the smallest."""
    first, last = points[0].units, points[-1].units
    beside = f"{first:.0f} {of}"
    return Row(name, f"{says}, {last:.0f} {of}", "MB", (held_mb[-1],), (held_mb[0],), beside, at_most=1.05, note=note)
