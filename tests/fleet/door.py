"""OpenSSH's door: it drops whom it finds waiting there in a crowd (MaxStartups 10:30:100, sshd_config(5))."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.fleet.held import judge
from tests.fleet.issue import Original
from tests.fleet.leader import Fleet, Plan
from tests.fleet.sshd import SshdClinic

START_JITTER_S = 60


def at_the_door(
    folder: Path,
    originals: Sequence[Original],
    *,
    boxes: int,
    say: Callable[[str], None],
    claim: Callable[[str, bool], None],
) -> list[dict[str, Any]]:
    """So many boxes get their power at the same moment: with the start's jitter and without; in real time."""
    rows = []
    for jitter_s in (START_JITTER_S, 0):
        place = folder / f"door-{jitter_s}"
        place.mkdir()
        with closing(SshdClinic(place / "clinic")) as clinic, closing(Fleet(place, clinic)) as fleet:
            name = f"door-{boxes}-jitter-{jitter_s}"
            say(f"{name}: in real time")
            plan = Plan(name, boxes, lambda _box: [0.0], originals, 1.0, workers=4, start_jitter_s=jitter_s)
            run = fleet.run(fleet.issue(plan), patience_s=600)
            told = clinic.asked(0.0).methods
            verdict = judge(run, clinic)
            claim(f"{name}: nothing is lost, and none is there twice {verdict.wrong[:3] or ''}", not verdict.wrong)
        first: dict[str, str] = {}
        for event in run.events:
            if event["call"] in {"put", "read"}:
                first.setdefault(event["box"], event["end"])
        rows.append(
            {
                "stage": name,
                "boxes": boxes,
                "dropped": told["drop connection"],
                "let in": told["Accepted publickey"],
                "boxes dropped at first": sum(1 for end in first.values() if end != "done"),
                "all done s": max(event["at"] for event in run.events if event["call"] == "receipt"),
                "at": time.time(),
            }
        )
    jittered, at_once = (row["boxes dropped at first"] for row in rows)
    claim(f"with the start's jitter at most a tenth of {boxes} boxes are dropped ({jittered})", jittered <= boxes / 10)
    claim(f"the measure sees boxes dropped where they all come at once ({at_once})", at_once >= boxes / 10)
    return rows
