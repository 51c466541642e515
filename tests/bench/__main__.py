"""``make bench``: what it all costs, beside what one would otherwise use; one table, in less than ten minutes.

A whole run writes it into the documentation as well: docs/performance.md (between its marker lines), and
docs/performance/measured.json and chart.svg. Narrowed, it only prints: BENCH='--short --rows live,batch'.

``--record 10`` runs the short form ten times and writes tests/bench/recorded.json, by which the tests judge.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from tests.bench import batch, collected, disk, hour, latency, live, picture, scale
from tests.bench.chart import chart
from tests.bench.document import with_measured, with_spread
from tests.bench.estimate import estimate
from tests.bench.figures import FEWEST_PAIRS, Row
from tests.bench.guard import short_rows, spread_table, write_record
from tests.bench.machine import load, machine
from tests.bench.material import ROOT, material_in
from tests.bench.setting import Setting
from tests.bench.table import as_markdown, as_text, measured_on

DOCUMENT: Final = ROOT / "docs/performance.md"
FOLDER: Final = ROOT / "docs/performance"
SHORT_PAIRS: Final = 3
Rows = Callable[[Setting], Iterator[Row]]
# Each has the machine to itself; what records in real time is side by side within "live" alone. (Cuts of a disk beside
# sessions of eight hours lost half as much again, for the disk below them was busy.)
STEPS: Final[Mapping[str, Rows]] = {
    "live": live.rows,
    "batch": batch.rows,
    "picture": picture.rows,
    "disk": disk.rows,
    "latency": latency.rows,
    "recovery": collected.recovery,
    "hour": hour.rows,
    "sync": collected.sync,
    "page": collected.page,
    "sessions": scale.sessions,
    "recordings": scale.recordings,
    "boxes": scale.boxes,
}


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", help=f"only these, separated by commas: {', '.join(STEPS)}")
    parser.add_argument("--short", action="store_true", help="shorter, with less in each row; nothing is written")
    parser.add_argument("--pairs", type=int, help=f"of each row (default: {FEWEST_PAIRS}; short: {SHORT_PAIRS})")
    parser.add_argument("--alone", action="store_true", help="live: each records alone, which takes much longer")
    parser.add_argument("--out", type=Path, help="write the JSON and the chart to this folder, and nothing else")
    parser.add_argument("--record", type=int, metavar="RUNS", help="run the short form so often, and record it")
    asked = parser.parse_args()
    wanted = list(STEPS) if asked.rows is None else asked.rows.split(",")
    strange = [name for name in wanted if name not in STEPS]
    if strange:
        parser.error(f"there are no rows called {', '.join(strange)}")
    pairs = asked.pairs or (SHORT_PAIRS if asked.short or asked.record else FEWEST_PAIRS)
    with tempfile.TemporaryDirectory(prefix="sotto-bench-") as folder:
        Path(folder).chmod(0o755)  # nothing in it is anybody's
        setting = Setting(material_in(Path(folder)), _say, short=bool(asked.short or asked.record), pairs=pairs)
        if asked.record:
            return _record(setting, asked.record)
        return _measure(setting, wanted, asked)


def _say(words: str) -> None:
    print(f"  … {words}", file=sys.stderr, flush=True)


def _measure(setting: Setting, wanted: Sequence[str], asked: argparse.Namespace) -> int:
    began_s, at, load_before = time.monotonic(), datetime.now(UTC), load()
    rows: list[Row] = []
    failed: list[str] = []
    for name in wanted:
        step = partial(live.rows, alone=True) if name == "live" and asked.alone else STEPS[name]
        try:
            rows += step(setting)
        except Exception as problem:  # noqa: BLE001  # a table of ten minutes is not lost for one of its rows
            failed.append(f"{name}: {type(problem).__name__}: {problem}")
    told: dict[str, Any] = {
        "at": f"{at:%Y-%m-%d}",
        "machine": machine(),
        "load": {"start": load_before, "end": load()},
        "took_s": round(time.monotonic() - began_s, 1),
        "rows": [row.told() for row in rows],
    }
    print(as_text(rows))
    print(f"\n{measured_on(told)}")
    for words in failed:
        print(f"failed: {words}", file=sys.stderr)
    whole = not (asked.rows or asked.short or failed)
    if whole or asked.out:
        _write(rows, told, asked.out)
    return 1 if failed else 0


def _write(rows: Sequence[Row], told: dict[str, Any], out: Path | None) -> None:
    folder = FOLDER if out is None else out
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "measured.json").write_text(json.dumps(told, indent=1) + "\n")
    if any(row.name == "live/flac-age" for row in rows):
        (folder / "chart.svg").write_text(chart(rows))
    if out is None:
        measured = f"{measured_on(told)}\n\n{as_markdown(rows)}"
        DOCUMENT.write_text(with_measured(DOCUMENT.read_text(), measured, estimated=estimate(rows)))


def _record(setting: Setting, runs: int) -> int:
    """The short form again and again; what it says goes where the tests look."""
    taken = []
    for number in range(runs):
        _say(f"run {number + 1} of {runs}, load {load()[0]}")
        taken.append(list(short_rows(setting)))
    told = write_record(taken)
    table = spread_table(told)
    DOCUMENT.write_text(with_spread(DOCUMENT.read_text(), table))
    print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
