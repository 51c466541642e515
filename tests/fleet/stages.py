"""What a fleet is put through: evenings, an outage, processes that are killed, a server without room.

Each stage gives a row of figures, and what has to hold of them.
"""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.fleet.clinics import Clinic
from tests.fleet.figures import drawn, jain, per_bin, spread
from tests.fleet.held import judge
from tests.fleet.issue import Original
from tests.fleet.leader import Fleet, Plan, Run

HOUR_S: Final = 3600.0
BIN_S: Final = 10.0  # of the boxes' time: those who come within it come together
MOST_BACKOFF_S: Final = 1800.0
_FAST: Final = 60.0  # times real time, while the machine keeps up

Row = dict[str, Any]


@dataclass
class Stages:
    """Puts fleets over one clinic through stages. ``claims``: what had to hold, and whether it did."""

    fleet: Fleet
    clinic: Clinic
    originals: Sequence[Original]
    say: Callable[[str], None]
    claims: list[tuple[str, bool]] = field(default_factory=list)
    cost_s: float = 0.1  # of the whole machine for a recording; measured by each evening for the next stage

    def claim(self, what: str, holds: bool) -> None:  # noqa: FBT001  # it reads as a sentence
        self.claims.append((what, holds))
        self.say(f"  {'holds' if holds else 'DOES NOT HOLD'}: {what}")

    def speed_for(self, recordings: int, during_s: float, *, busy: float = 0.5, least_s: float = 15.0) -> float:
        """So fast that this machine, which is clinic and boxes alike, is busy for about such a part of the time."""
        return during_s / max(least_s, recordings * self.cost_s / busy)

    # -- an ordinary evening ------------------------------------------------------------------------------------------

    def evening(self, boxes: int, *, each: int) -> Row:
        """Every box has so many recordings in the course of an hour."""
        chance = random.Random(boxes)
        arrivals = [[chance.uniform(0, HOUR_S) for _ in range(each)] for _ in range(boxes)]
        speed = self.speed_for(boxes * each, HOUR_S)
        run, began_s = self._run(Plan(f"evening-{boxes}", boxes, arrivals.__getitem__, self.originals, speed))
        row = self._row(run, began_s)
        self.cost_s = (run.workers_cpu_s + run.server_cpu_s) / row["recordings"] / 2
        self.claim(f"{run.plan.name}: one byte is sent for each byte stored", row["sent/stored"] <= 1.05)
        return row

    def grown(self, rows: Sequence[Row]) -> None:
        """What has to hold of evenings, the smallest fleet first."""
        first, last = rows[0], rows[-1]
        most = first["requests/rec"] * 1.1
        self.claim(
            f"{last['boxes']} boxes ask as much for each recording as {first['boxes']} do", last["requests/rec"] <= most
        )
        self.claim(
            f"{last['boxes']} boxes cost the server no more for each recording than {first['boxes']} do",
            last["server ms/rec"] <= first["server ms/rec"] * 1.3,
        )

    # -- an outage ----------------------------------------------------------------------------------------------------

    def outage(self, boxes: int, *, minutes: float, naive: bool) -> Row:
        """The power goes everywhere at once, and comes back; the server is away for so long after that."""
        name = f"outage-{boxes}{'-naive' if naive else ''}"
        away_s = minutes * 60
        jitter_s = 0 if naive else 60
        plan = Plan(name, boxes, lambda _box: [0.0], self.originals, _FAST, naive=naive, start_jitter_s=jitter_s)
        back: list[float] = []

        def come_back(run: Run) -> None:
            if not back and run.clock.now_s() >= away_s:
                run.clock.go_on(1.0)
                back.append(run.clock.now_s())
                self.clinic.start()

        run, began_s = self._run(plan, meanwhile=come_back, before=self.clinic.end)
        row = self._row(run, began_s)
        row |= self._herd(run, back[0])
        if naive:
            self.claim(f"{name}: the measure sees a herd where there is one", row["come at once"] >= boxes / 2)
        else:
            most = max(5.0, boxes * 0.05)
            self.claim(f"{name}: no herd; in {BIN_S:.0f} s at most {most:.0f} boxes come", row["come at once"] <= most)
            in_time = row["last back s"] <= MOST_BACKOFF_S * 1.5
            self.claim(f"{name}: the last box is done within {MOST_BACKOFF_S * 1.5:.0f} s of the return", in_time)
        return row

    def _herd(self, run: Run, back_s: float) -> Row:
        # When its own rule sends a box, and not when a machine that plays all of them comes to it.
        first: dict[str, float] = {}
        wakes = [event for event in run.events if event["call"] == "wake"]
        for event in wakes:
            if event["due"] >= back_s:
                first.setdefault(event["box"], event["due"])
        calls = [event for event in run.events if event["call"] in {"put", "read"}]
        done_s = {event["box"]: event["at"] for event in run.events if event["call"] == "receipt"}
        end_s = max(done_s.values()) + 1
        coming = per_bin(first.values(), start_s=back_s, end_s=end_s, bin_s=BIN_S)
        tries = per_bin([event["at"] for event in calls], start_s=0, end_s=back_s, bin_s=BIN_S)
        asks = per_bin([event["at"] for event in calls], start_s=back_s, end_s=end_s, bin_s=BIN_S)
        self.say(f"  tries while it is away, by box time   |{drawn(tries)}| most in {BIN_S:.0f} s: {max(tries)}")
        self.say(f"  boxes that come when it is back       |{drawn(coming)}| most in {BIN_S:.0f} s: {max(coming)}")
        self.say(f"  all that they ask then                |{drawn(asks)}| most in {BIN_S:.0f} s: {max(asks)}")
        late = tries[len(tries) // 2 :]
        most_are_back = asks[: self._bins_until(coming, 0.9)]
        coming = coming[: len(most_are_back)]
        waits = spread(at_s - back_s for at_s in done_s.values())
        return {
            "late s p50/p99/max": str(spread(event["at"] - event["due"] for event in wakes)),
            "tries/s away": sum(late) / max(1, len(late)) / BIN_S,
            "come at once": max(coming),
            "peak/mean": max(coming) / (sum(coming) / len(coming)),
            "asks peak/mean": max(most_are_back) / (sum(most_are_back) / len(most_are_back)),
            "back s p50/p99/max": str(waits),
            "last back s": waits.most,
        }

    @staticmethod
    def _bins_until(counts: Sequence[int], part: float) -> int:
        """How many bins hold that part of all: the last few boxes make no mean."""
        reached = 0
        for place, count in enumerate(counts):
            reached += count
            if reached >= part * sum(counts):
                return place + 1
        return len(counts)

    # -- processes that are killed ------------------------------------------------------------------------------------

    def killed(self, boxes: int, *, each: int, kills: int) -> Row:
        """While a fleet sends, so often the power of a quarter of the boxes goes, and comes back."""
        chance = random.Random(99)
        arrivals = [[chance.uniform(0, 600) for _ in range(each)] for _ in range(boxes)]
        speed = self.speed_for(boxes * each, 600, busy=0.8, least_s=30)
        at_s = sorted(chance.uniform(60, 640) for _ in range(kills))

        def kill(run: Run) -> None:
            if at_s and run.clock.now_s() >= at_s[0]:
                at_s.pop(0)
                self.fleet.kill_one()

        plan = Plan(f"killed-{boxes}", boxes, arrivals.__getitem__, self.originals, speed, workers=4)
        run, began_s = self._run(plan, meanwhile=kill)
        row = self._row(run, began_s)
        row["restarts"] = run.restarts
        self.claim(f"{plan.name}: boxes were really killed ({run.restarts} starts again)", run.restarts > 0)
        return row

    # -- a server without room ----------------------------------------------------------------------------------------

    def full(self, boxes: int, *, each: int, minutes: float, naive: bool) -> Row:
        """There is no room at the clinic for so long, and then there is."""
        name = f"full-{boxes}{'-naive' if naive else ''}"
        full_s = minutes * 60
        plan = Plan(
            name,
            boxes,
            lambda _box: [0.0] * each,
            self.originals,
            speed=_FAST,
            naive=naive,
            start_jitter_s=0 if naive else 60,
        )
        roomy: list[float] = []

        def make_room(run: Run) -> None:
            if not roomy and run.clock.now_s() >= full_s:
                run.clock.go_on(1.0)
                self.clinic.make_room()
                roomy.append(run.clock.now_s())

        run, began_s = self._run(plan, meanwhile=make_room, before=self.clinic.fill)
        row = self._row(run, began_s)
        refused = [event for event in run.events if event.get("end") == "full"]
        row["refused"] = len(refused)
        row["wasted KiB/box"] = sum(event["moved"] for event in refused) / boxes / 1024
        self.claim(f"{name}: the server was really full", len(refused) >= boxes)
        return row

    def wasted(self, ours: Row, naive: Row) -> None:
        what = "a full server is sent less than a fifth of what naive boxes send it"
        self.claim(what, ours["wasted KiB/box"] < naive["wasted KiB/box"] / 5)

    # -- what all have in common --------------------------------------------------------------------------------------

    def _run(
        self,
        plan: Plan,
        *,
        meanwhile: Callable[[Run], None] = lambda _run: None,
        before: Callable[[], None] = lambda: None,
    ) -> tuple[Run, float]:
        """Run it; ``before`` is done once every box has its account."""
        run = self.fleet.issue(plan)
        before()
        self.say(f"{plan.name}: {plan.speed:.1f} box seconds in a second")
        began_s = time.time()
        return self.fleet.run(run, meanwhile=meanwhile), began_s

    def _row(self, run: Run, began_s: float) -> Row:
        asked = self.clinic.asked(began_s)
        verdict = judge(run, self.clinic)
        self.claim(
            f"{run.plan.name}: nothing is lost, and none is there twice {verdict.wrong[:3] or ''}", not verdict.wrong
        )
        moved: dict[str, int] = defaultdict(int)
        took: dict[str, float] = defaultdict(float)
        for event in run.events:
            if event["call"] in {"put", "read"}:
                moved[event["call"]] += event["moved"]
                took[event["box"]] += event["took_s"]
        came = {event["recording"]: event["at"] for event in run.events if event["call"] == "arrival"}
        signed = {event["recording"]: event["at"] for event in run.events if event["call"] == "receipt"}
        waited = spread(signed[one] - came[one] for one in signed if one in came)
        each = verdict.recordings / run.plan.boxes
        working = {box: took[box] / each for box in run.boxes}
        return {
            "stage": run.plan.name,
            "boxes": run.plan.boxes,
            "recordings": verdict.recordings,
            "took s": run.took_s,
            "speed": run.plan.speed,
            "requests/rec": len(asked.moments) / verdict.recordings,
            "server crashes": run.mended,
            "peak req/s": max(per_bin(asked.moments, start_s=began_s, end_s=time.time(), bin_s=1.0)),
            "server ms/rec": run.server_cpu_s * 1000 / verdict.recordings,
            "boxes ms/rec": run.workers_cpu_s * 1000 / verdict.recordings,
            "sent/stored": moved["put"] / max(1, verdict.read_bytes),
            "read/stored": moved["read"] / max(1, verdict.read_bytes),
            "s/rec p50/p99/max": str(spread(working.values())),
            "waited box s p50/p99/max": str(waited),
            "Jain": jain(working.values()),
            "statuses": {str(status): count for status, count in sorted(asked.statuses.items())},
        }
