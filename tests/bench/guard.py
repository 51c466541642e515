"""What must not become worse unnoticed: ratios that ten runs have shown to be stable, beside what they were.

``recorded.json`` holds, for each kind of machine, the median of ten runs of the short form and how far each row strayed
from it. A row is guarded only where that was well below the tolerance; what strays further is told, and guards nothing.
A row that is too high is measured a second time, and only what is too high twice counts: a machine that others use too
disturbs once, what became slower stays so.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

from tests.bench import batch, live, picture
from tests.bench.figures import Row, spread_of, worse
from tests.bench.setting import Setting

RECORDED: Final = Path(__file__).with_name("recorded.json")
TOLERANCE: Final = 0.15
# What a row may stray from its median at most, to guard. Counts do not stray at all; times that hold still on a machine
# with nothing else to do stray by more than the tolerance where others begin to use it, and guard nothing.
STEADY: Final = 0.02


def short_rows(setting: Setting) -> Iterator[Row]:
    """What the short form measures, in less than a minute."""
    for part in (live.rows, batch.rows, picture.rows):
        yield from part(setting)


def kind_of_machine() -> str:
    """What ratios depend on, where they are no accident: the architecture, and the interpreter."""
    return f"{platform.machine()}, Python {'.'.join(platform.python_version_tuple()[:2])}"


def record(runs: Sequence[Sequence[Row]]) -> dict[str, Any]:
    """What several runs say of each row: its median, how far it strayed, and whether it is steady enough to guard."""
    told: dict[str, Any] = {}
    for name in (row.name for row in runs[0] if row.judged is not None):
        values = [row.judged for rows in runs for row in rows if row.name == name and row.judged is not None]
        strays = spread_of(values)
        told[name] = {"judged": median(values), "strays": strays, "runs": len(values), "guards": strays <= STEADY}
    return told


def recorded(path: Path = RECORDED) -> Mapping[str, Any] | None:
    """What was recorded on such a machine, if anything."""
    if not path.exists():
        return None
    found: dict[str, Any] | None = json.loads(path.read_text()).get(kind_of_machine())
    return found


def too_high(rows: Sequence[Row], known: Mapping[str, Any]) -> list[str]:
    """The guarded rows that have become worse by more than the tolerance, in words."""
    said = []
    for row in rows:
        one = known.get(row.name)
        if one is None or not one["guards"] or row.judged is None:
            continue
        if worse(row.judged, one["judged"], tolerance=TOLERANCE):
            more = 100 * (row.judged / one["judged"] - 1)
            said.append(f"{row.name}: {row.judged:.3g}, {more:.0f} % above the recorded {one['judged']:.3g}")
    return said


def write_record(runs: Sequence[Sequence[Row]], path: Path = RECORDED) -> dict[str, Any]:
    """Put what these runs say in place of what was recorded on such a machine; others' stays."""
    every: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    told = every[kind_of_machine()] = record(runs)
    path.write_text(json.dumps(every, indent=1, sort_keys=True) + "\n")
    return told


def spread_table(told: Mapping[str, Any]) -> str:
    """For the documentation: what each row was in so many runs, and whether it guards."""
    lines = ["| row | median | strays by at most | guards |", "|---|---|---|---|"]
    for name, one in told.items():
        guards = "yes" if one["guards"] else "no: too restless"
        lines.append(f"| {name} | {one['judged']:.3g} | {100 * one['strays']:.1f} % | {guards} |")
    return "\n".join(lines)
