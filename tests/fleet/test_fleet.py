"""A small fleet, whole: real engines over a real server that goes away and comes back. ``make fleet`` is the large one."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.fleet.clinics import CephClinic
from tests.fleet.figures import jain, per_bin, spread
from tests.fleet.held import judge
from tests.fleet.issue import make_originals
from tests.fleet.leader import Fleet, Plan, Run
from tests.remote.ceph import Ceph
from tests.remote.certificates import Authority

BOXES = 16
AWAY_S = 120.0
SPEED = 30.0


@pytest.fixture
def clinic(ceph: Ceph, authority: Authority, tmp_path: Path) -> Iterator[CephClinic]:
    with closing(CephClinic(tmp_path / "clinic", ceph=ceph, authority=authority)) as made:
        yield made


def test_a_fleet_loses_nothing_in_an_outage_and_does_not_come_back_as_a_herd(clinic: CephClinic, tmp_path: Path) -> None:
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
        plan = Plan("outage", BOXES, lambda _box: [0.0, 0.0], make_originals(tmp_path), SPEED)
        run = fleet.issue(plan)
        clinic.end()
        fleet.run(run, meanwhile=lead)
    verdict = judge(run, clinic)
    assert (verdict.recordings, verdict.wrong) == (2 * BOXES, [])
    ends = Counter(event["end"] for event in run.events if event["call"] == "put")
    assert ends["away"] >= BOXES
    assert run.restarts == BOXES // 2  # half of the boxes lost their power, too
    first: dict[str, float] = {}
    for event in run.events:
        if event["call"] == "put" and event["at"] >= back[0]:
            first.setdefault(event["box"], event["at"])
    moments = sorted(first.values())
    assert moments[-1] - moments[0] > 20  # by the boxes' clock; those who retry at an interval come in one second


def test_nobody_but_the_clinic_can_read_what_another_box_sent(clinic: CephClinic, tmp_path: Path) -> None:
    from device.errors import RemoteError
    from tests.fleet.box import config_of
    from tests.fleet.remotes import remote_of

    with closing(Fleet(tmp_path, clinic)) as fleet:
        plan = Plan("alone", 21, lambda _box: [0.0] if _box in {0, 20} else [], make_originals(tmp_path), 300.0)
        run = fleet.run(fleet.issue(plan))
    assert judge(run, clinic).wrong == []
    (recording,) = (tmp_path / "alone" / "box-0000" / "store").glob("0*")
    place = next(iter(judge_place(run, recording.name)))
    for box, may in (("box-0000", True), ("box-0020", False)):
        with closing(remote_of(config_of(run.folder / box))) as remote:
            if may:
                assert b"".join(remote.read(place))
            else:
                with pytest.raises(RemoteError):
                    b"".join(remote.read(place))


def judge_place(run: Run, recording: str) -> Iterator[str]:
    """Where its session is at the clinic."""
    from tests.fleet.clinics import clinic_of

    for path in run.folder.glob(f"*/store/{recording}/receipts/*.json"):
        import json

        assert clinic_of("box-0000") == clinic_of("box-0020")
        yield f"{json.loads(path.read_bytes())['payload']['folder']}/session.mp4.age"


def test_figures_say_what_they_mean() -> None:
    assert spread(range(1, 101)) == spread(random.Random(1).sample(range(1, 101), 100))
    assert (spread(range(1, 101)).p50, spread(range(1, 101)).p99, spread(range(1, 101)).most) == (50, 99, 100)
    assert (jain([3, 3, 3, 3]), jain([1, 0, 0, 0])) == (1, 0.25)
    assert per_bin([0, 9.9, 10, 25], start_s=0, end_s=30, bin_s=10) == [2, 1, 1]
