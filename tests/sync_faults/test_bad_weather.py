"""Over a link that loses a fifth of all packets and is late, a recording still arrives; over one that is cut, nothing
waits for ever. The kernel's own TCP is at both ends, in namespaces of their own (``tests/remote/bad_link.py``).
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.remote.bad_link import FAR, BadLink, Weather, why_not
from tests.remote.certificates import Authority
from tests.sync_faults.box import ROOT
from tests.sync_faults.clinics import Clinic, S3Clinic
from tests.sync_faults.conftest import NOTED, TOLD, Boxes
from tests.sync_faults.far_end import Gate
from tests.sync_faults.suffering import Told, arrives, is_safe
from tests.sync_faults.wire import HOST

pytestmark = pytest.mark.skipif(bool(why_not()), reason=str(why_not()))

WEATHER = {
    "20 % loss, 300 ms there and back": Weather(delay_s=0.15, loss=0.2),
    "5 % loss, 100 ms there and back": Weather(delay_s=0.05, loss=0.05),
}
VERY_PATIENT_S = 1800.0


@pytest.fixture(params=["sftp", "s3"])
def clinic(request: pytest.FixtureRequest, authority: Authority) -> Clinic:
    made: Clinic = request.getfixturevalue(request.param)
    if isinstance(made, S3Clinic):
        made.show(authority.issue(FAR))
    return made


@contextmanager
def over(link: BadLink, clinic: Clinic, folder: Path) -> Iterator[None]:
    """The clinic's server at the far end, at the port where it is here."""
    path = folder / "gate"
    gate = Gate(path, clinic.wire.port)
    words = [sys.executable, "-m", "tests.sync_faults.far_end", FAR, str(clinic.wire.port), str(path)]
    with subprocess.Popen(link.far(words), stdout=subprocess.PIPE, text=True, cwd=ROOT) as far:
        assert far.stdout is not None
        assert far.stdout.readline() == "listening\n"
        yield
        far.kill()
    gate.close()


def far_away(clinic: Clinic) -> str:
    return clinic.lines().replace(HOST, FAR)


@pytest.mark.parametrize("weather", WEATHER)
def test_a_recording_arrives_over_a_link_that_loses_packets(
    boxes: Boxes, clinic: Clinic, weather: str, request: pytest.FixtureRequest
) -> None:
    if not request.config.getoption("--sync-long"):
        pytest.skip("it takes minutes; make sync-faults does it")
    box = boxes.another()
    with BadLink(WEATHER[weather]) as link, over(link, clinic, box.folder):
        box.configure(far_away(clinic), secrets=clinic.secrets)
        box.start(sync_before=tuple(link.near([])))
        recording = box.record(1)
        size = box.manifest(recording).size_bytes
        took_s = arrives(box, clinic, recording, patience_s=VERY_PATIENT_S)
        lost = link.lost / (link.lost + link.carried)
        NOTED.append(
            f"{type(clinic).__name__}, {weather}: {size / 1e3:.0f} kB sent, read again and signed in {took_s:.0f} s "
            f"({lost:.0%} of {link.lost + link.carried} packets lost)"
        )
        boxes.close()


def test_a_cut_link_is_told_and_gone_on_with(boxes: Boxes, clinic: Clinic) -> None:
    box = boxes.impatient()
    weather = Weather(delay_s=0.005)
    with BadLink(weather) as link, over(link, clinic, box.folder):
        box.configure(far_away(clinic), secrets=clinic.secrets)
        box.start(sync_before=tuple(link.near([])))
        weather.cut = True
        recording = box.record(1)
        box.hurry()
        status = box.until_trouble()
        assert not status.must_act
        is_safe(box, recording)
        weather.cut = False
        took_s = arrives(box, clinic, recording)
        kind = type(clinic).__name__.removesuffix("Clinic").upper()
        TOLD.append(
            Told.of(f"{kind}: cable pulled out", status).line(f"kept; verified {took_s:.1f} s after it was mended")
        )
        boxes.close()
