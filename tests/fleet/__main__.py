"""``make fleet``: so many boxes against a real cluster, each with the real sync engine over its real remote.

It prints its figures, writes them as JSON, and fails where something that has to hold does not.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from tests.fleet.clinics import CephClinic, Clinic, FolderClinic
from tests.fleet.figures import table
from tests.fleet.issue import make_originals
from tests.fleet.leader import Fleet
from tests.fleet.stages import Row, Stages

ALL = ("evening", "outage", "killed", "full", "door")
_SHORT = (
    "stage",
    "boxes",
    "recordings",
    "took s",
    "speed",
    "requests/rec",
    "server crashes",
    "peak req/s",
    "server ms/rec",
    "boxes ms/rec",
)
_COSTS = ("stage", "sent/stored", "read/stored", "s/rec p50/p99/max", "waited box s p50/p99/max", "Jain")
_HERD = (
    "stage",
    "tries/s away",
    "come at once",
    "peak/mean",
    "asks peak/mean",
    "late s p50/p99/max",
    "back s p50/p99/max",
)
_FULL = ("stage", "refused", "wasted KiB/box", "sent/stored")
_DOOR = ("stage", "boxes", "dropped", "let in", "boxes dropped at first", "all done s")
_SHOWN = (_SHORT, _COSTS, _HERD, _FULL, _DOOR)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fleet", description=__doc__)
    parser.add_argument("--boxes", type=int, default=1000)
    parser.add_argument("--only", choices=ALL, nargs="*", default=ALL)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--folder", choices=("memory", "disk"), default="memory", help="where boxes and cluster live")
    parser.add_argument("--clinic", choices=("ceph", "folder"), default="ceph")
    options = parser.parse_args()
    memory = Path("/dev/shm")  # noqa: S108  # a thousand boxes' disks; no secret of anybody is on them
    where = memory if options.folder == "memory" and memory.is_dir() else None
    with tempfile.TemporaryDirectory(dir=where, prefix="sotto-fleet-") as folder:
        return lead(Path(folder), options)


def lead(folder: Path, options: argparse.Namespace) -> int:
    began_s = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began_s:6.0f} s  {line}", flush=True)

    originals = make_originals(folder)
    kinds: dict[str, type[Clinic]] = {"ceph": CephClinic, "folder": FolderClinic}  # type: ignore[type-abstract]
    with closing(kinds[options.clinic](folder / "clinic")) as clinic, closing(Fleet(folder, clinic)) as fleet:
        say("the cluster runs")
        stages = Stages(fleet, clinic, originals, say)
        rows = put_through(stages, options.boxes, options.only)
    for columns in (_SHORT, _COSTS, _HERD, _FULL):
        if shown := [
            {column: row[column] for column in columns} for row in rows if columns[-1] in row and columns[1] in row
        ]:
            print("\n" + table(shown))
    wrong = [what for what, holds in stages.claims if not holds]
    if options.json:
        facts = {
            "boxes": options.boxes,
            "rows": rows,
            "claims": dict(stages.claims),
            "took_s": time.monotonic() - began_s,
        }
        options.json.write_text(json.dumps(facts, indent=1) + "\n")
    print(f"\n{len(stages.claims) - len(wrong)} of {len(stages.claims)} hold, in {time.monotonic() - began_s:.0f} s")
    return 1 if wrong else 0


def put_through(stages: Stages, boxes: int, only: tuple[str, ...]) -> list[Row]:
    """All stages that were asked for; a row of figures each."""
    rows: list[Row] = []
    if "evening" in only:
        sizes = sorted({min(boxes, size) for size in (10, 100, boxes)})
        rows += [stages.evening(size, each=2) for size in sizes]
        stages.grown(rows)
    if "outage" in only:
        rows += [stages.outage(boxes, minutes=20, naive=naive) for naive in (False, True)]
    few = max(4, boxes // 5)
    if "killed" in only:
        rows.append(stages.killed(few, each=2, kills=8))
    if "full" in only:
        ours, naive = (stages.full(few, each=3, minutes=60, naive=naive) for naive in (False, True))
        stages.wasted(ours, naive)
        rows += [ours, naive]
    return rows


if __name__ == "__main__":
    sys.exit(main())
