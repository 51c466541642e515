"""The appliance is built once for all of its tests, and each test gets a box restored in seconds.

Nothing here is collected unless ``SOTTO_APPLIANCE=1``: the first build takes minutes and needs root. What takes minutes
each time is collected only with ``SOTTO_APPLIANCE=full``; the whole way from a stock card only with ``=way``.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.age.identities import KeyIdentity
from tests.appliance.box import Box
from tests.appliance.build import box_identity, build
from tests.appliance.stages import note_time
from tests.appliance.vm import READY, RUNNING, Vm

_WAY = "test_appliance_way.py"
_LONG = [f"test_appliance_{name}.py" for name in ("long", "camera", "picture", "framing")]
_BUT_THE_WAY = [path.name for path in Path(__file__).parent.glob("test_*.py") if path.name != _WAY]
_IGNORED = {"1": [*_LONG, _WAY], "full": [_WAY], "way": _BUT_THE_WAY}
collect_ignore_glob = _IGNORED.get(os.environ.get("SOTTO_APPLIANCE", ""), ["test_appliance*.py"])


@pytest.fixture(scope="session")
def built() -> Path:
    """Where the parts of the appliance are, up to date."""
    return build()


@pytest.fixture(scope="session")
def disk(built: Path) -> Iterator[Path]:
    """A copy of the ready guest's disk, for one run of the tests."""
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=built))  # beside the image that it is a difference to
    try:
        yield Path(shutil.copy(built / "box" / "disk.qcow2", folder))
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def identity(built: Path) -> KeyIdentity:
    """What opens the recordings of the box."""
    return box_identity(built / "box")


@pytest.fixture
def vm(built: Path, disk: Path) -> Iterator[Vm]:
    """A running box, as it was when Sotto had just been installed."""
    with Vm(disk, built / "kernel", snapshot=READY) as box:
        note_time(built, "restore", box.ready_s)
        yield box


@pytest.fixture
def cold_vm(built: Path, disk: Path) -> Iterator[Vm]:
    """A box that was switched on."""
    with Vm(disk, built / "kernel") as box:
        state = box.wait_until_up()
        note_time(built, "boot", time.monotonic() - box.started_s)
        assert state == "running", box.agent.sh("systemctl --failed")
        yield box


@pytest.fixture
def running_vm(built: Path, disk: Path) -> Iterator[Vm]:
    """The guest of ``running``."""
    with Vm(disk, built / "kernel", snapshot=RUNNING) as vm:
        yield vm


@pytest.fixture
def running(running_vm: Vm, identity: KeyIdentity) -> Box:
    """A box that runs, in an empty room."""
    return Box(running_vm, identity)


@pytest.fixture
def hurried(built: Path, disk: Path, identity: KeyIdentity) -> Iterator[Box]:
    """Such a box, where time in which nothing happens is not waited for; installed anew, as its clock is another."""
    with Vm(disk, built / "kernel", snapshot=READY, hurried=True) as vm:
        box = Box(vm, identity)
        box.switch_on()
        yield box
