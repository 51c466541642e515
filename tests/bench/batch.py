"""Rows: the box's own writing chain at full speed, beside the same pipe of programs and the floor.

Five minutes of the same sound from the page cache. Ours is coding, container, sealing and ledger, as the box's writer
has them, without the interpreter's start (a box pays it once a day); what syncs and metering add stands apart.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.cost import run_pipe
from tests.bench.figures import Row, in_turn
from tests.bench.material import ROOT
from tests.bench.peers import age, flac
from tests.bench.setting import Setting

_PER_HOUR = "CPU s/h"
_SECONDS, _SYNCED_S, _COUNTED_S = 300.0, 120.0, 30.0


def chain(setting: Setting, sound: Path, seconds: float, *more: str | Path) -> dict[str, Any]:
    """One run of ours; what it told."""
    command = ["-m", "tests.bench.chain", sound, str(seconds), setting.folder(), "--recipient", setting.recipient]
    done = subprocess.run([sys.executable, *command, *more], check=True, stdout=subprocess.PIPE, cwd=ROOT)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def raw_sound(setting: Setting, seconds: float) -> Path:
    """So much of the stereo sound, raw."""
    path = setting.folder() / "sound.raw"
    with path.open("wb") as out:
        subprocess.run(setting.material.playing(live=False, seconds=seconds), stdout=out, check=True)
    return path


def calls(setting: Setting, sound: Path) -> Row:
    """How many calls Python makes for a second of sound: what a busy machine does not change, so that it guards."""
    made = chain(setting, sound, _COUNTED_S, "--metered", "--counted")["calls"] / _COUNTED_S
    says = "calls that Python makes for a second of sound"
    return Row("batch/calls", says, "calls/s", (made,), note="metered; counted, so the same in every run")


def rows(setting: Setting) -> Iterator[Row]:
    """All of them."""
    seconds, folder, hours = _SECONDS, setting.folder(), _SECONDS / 3600
    sound = raw_sound(setting, seconds)
    setting.say(f"batch: {setting.pairs} rounds")

    def theirs() -> float:
        with sound.open("rb") as given:
            return run_pipe(flac(), age(setting.material), given=given, to=folder / "peer.age").cpu_s / hours

    def at_the_floor() -> float:
        return run_pipe(setting.material.at_the_floor(folder / "floor", live=False, seconds=seconds)).cpu_s / hours

    def ours(*more: str, for_s: float = seconds) -> float:
        return float(chain(setting, sound, for_s, *more)["cpu_s"]) / for_s * 3600

    parts = {"ours": ours, "theirs": theirs, "floor": at_the_floor, "metered": lambda: ours("--metered")}
    if not setting.short:
        parts["synced"] = lambda: ours("--synced", for_s=_SYNCED_S)
    taken = {name: tuple(values) for name, values in in_turn(setting.pairs, parts).items()}
    says = "an hour of sound, at full speed"
    yield Row("batch/flac-age", says, _PER_HOUR, taken["ours"], taken["theirs"], beside="flac | age", at_most=1.1)
    yield Row("batch/floor", says, _PER_HOUR, taken["ours"], taken["floor"], beside="floor")
    says = "the same, metered, beside not metered"
    yield Row("batch/metered", says, _PER_HOUR, taken["metered"], taken["ours"], beside="not metered")
    if "synced" in taken:
        says = "the same, two syncs a chunk, beside none"
        yield Row("batch/synced", says, _PER_HOUR, taken["synced"], taken["ours"], beside="not synced")
    yield calls(setting, sound)
    size = (folder / "peer.age").stat().st_size
    made = chain(setting, sound, seconds)["size_bytes"]
    note = "fragments are filled up to whole chunks"
    yield Row(
        "batch/bytes", "bytes written", "MB/h", (made / 1e6 / hours,), (size / 1e6 / hours,), "flac | age", note=note
    )
