"""A small fleet: real engines over a real server that goes away and comes back. ``make fleet`` is the large one."""

from __future__ import annotations

import io
import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from device.errors import RemoteError
from device.remote_s3 import S3Remote
from tests.fleet.clinics import CephClinic, clinic_of
from tests.fleet.figures import jain, per_bin, spread
from tests.fleet.held import judge, remote_key
from tests.fleet.issue import make_originals
from tests.fleet.leader import Fleet, Plan, Run
from tests.remote.ceph import Ceph
from tests.remote.certificates import Authority

BOXES = 12
AWAY_S = 120.0
SPEED = 30.0


@pytest.fixture(scope="module")
def clinic(ceph: Ceph, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CephClinic]:
    folder = tmp_path_factory.mktemp("fleet") / "clinic"
    with closing(CephClinic(folder, ceph=ceph, authority=authority)) as made:
        yield made


def test_a_fleet_loses_nothing_in_an_outage_and_does_not_come_back_as_a_herd(
    clinic: CephClinic, tmp_path: Path
) -> None:
    back: list[float] = []
    killed: list[float] = []

    def lead(run: Run) -> None:
        if not back and run.clock.now_s() >= AWAY_S:
            back.append(run.clock.now_s())
            clinic.start()
        elif back and not killed:
            killed.append(run.clock.now_s())
            fleet.kill_one()

    with closing(Fleet(tmp_path, clinic)) as fleet:
        plan = Plan("outage", BOXES, lambda _box: [0.0, 0.0], make_originals(tmp_path), SPEED, start_jitter_s=0)
        run = fleet.issue(plan)
        clinic.end()
        fleet.run(run, meanwhile=lead)
    verdict = judge(run, clinic)
    assert (verdict.recordings, verdict.wrong) == (2 * BOXES, [])
    ends = Counter(event["end"] for event in run.events if event["call"] == "put")
    assert ends["away"] >= BOXES
    assert run.restarts == BOXES // 2  # half of the boxes lost their power, too
    starts = Counter(event["box"] for event in run.events if event["call"] == "start")
    first: dict[str, float] = {}
    for event in run.events:
        if event["call"] == "wake" and event["due"] >= back[0] and starts[event["box"]] == 1:
            first.setdefault(event["box"], event["due"])
    moments = sorted(first.values())
    assert moments[-1] - moments[0] > 6  # by the boxes' clock; without chance they come together
    lose_one(run, clinic)
    assert len(judge(run, clinic).wrong) == 2  # it is not there, and cannot be read


def lose_one(run: Run, clinic: CephClinic) -> None:
    """As a server would that says it stored something."""
    receipt = next(run.folder.glob("*/store/*/receipts/*.json"))
    place = json.loads(receipt.read_bytes())["payload"]["folder"]
    for remote in clinic.remotes():
        with closing(remote):
            if remote_key(remote) == place.partition("/")[0]:
                remote.erase(place)


def test_no_box_reads_or_erases_what_another_one_sent(clinic: CephClinic, tmp_path: Path) -> None:
    """Both are of one clinic, and so of one bucket."""
    mine, other = "box-0000", "box-0001"
    places = clinic.places([mine, other])
    remotes = [S3Remote(**_of(places[box]), notes=None, utc=lambda: datetime.now(UTC)) for box in (mine, other)]
    name = f"{clinic_of(mine)}/{mine}/2026/11/000001-abcdefghij/session.mp4.age"
    with closing(remotes[0]) as own, closing(remotes[1]) as others:
        own.put(name, io.BytesIO(b"sealed"))
        assert b"".join(own.read(name)) == b"sealed"
        for refused in (
            lambda: b"".join(others.read(name)),
            lambda: others.put(name.replace("session", "other"), io.BytesIO(b"sealed")),
            lambda: own.erase(name.rpartition("/")[0]),
            lambda: list(own.names("")),
        ):
            with pytest.raises(RemoteError):
                refused()
    with closing(next(iter(clinic.remotes()))) as clinics:
        assert b"".join(clinics.read(name)) == b"sealed"


def _of(place: dict[str, Any]) -> dict[str, Any]:
    paths = {key: Path(place[key]) for key in ("credentials", "ca")}
    return {key: place[key] for key in ("endpoint", "region", "bucket")} | paths


def test_figures_say_what_they_mean() -> None:
    assert spread(range(1, 101)) == spread(random.Random(1).sample(range(1, 101), 100))
    assert (spread(range(1, 101)).p50, spread(range(1, 101)).p99, spread(range(1, 101)).most) == (50, 99, 100)
    assert (jain([3, 3, 3, 3]), jain([1, 0, 0, 0])) == (1, 0.25)
    assert per_bin([0, 9.9, 10, 25], start_s=0, end_s=30, bin_s=10) == [2, 1, 1]
