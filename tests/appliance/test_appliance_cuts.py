"""Hundreds of power cuts of one run: whatever a box had promised is kept by its own file system (``make appliance``).

Recordings, withdrawals, erasures, receipts, labels, measures and audit entries; one after the other, then at once.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from device.age.identities import KeyIdentity
from tests.appliance.agent import SLOW_DISK_S
from tests.appliance.build import ROOT
from tests.appliance.powercut import DEVICE, MARKS_AT, MOUNTED_AT, LoggedDisk
from tests.appliance.promised import STORES, Judge, at_random, booted
from tests.appliance.test_appliance import PYTHON, SCRIPTS
from tests.appliance.vm import Vm
from tests.crash.search import memory

CUTS = 300
SEED = 20262
_PLACE = "/run/cuts"
_BROUGHT = ("play.py", "shim.py")


def played(vm: Vm, disk: LoggedDisk, identity: KeyIdentity) -> None:
    """Have the guest do all of it on the disk, and pull the plug."""
    disk.plug_into(vm)
    vm.agent.sh(f"mkdir -p {_PLACE}/tests/crash")
    for name in _BROUGHT:
        vm.agent.put(f"{_PLACE}/tests/crash/{name}", (ROOT / "tests" / "crash" / name).read_bytes())
    script = f"{_PLACE}/keep_promises.py"
    vm.agent.put(script, (SCRIPTS / "keep_promises.py").read_bytes())
    words = [f"{MOUNTED_AT}/{STORES}", DEVICE, str(MARKS_AT), str(identity.recipient())]
    vm.agent.run(PYTHON, script, *words, timeout_s=SLOW_DISK_S).checked()
    vm.kill()


@pytest.mark.parametrize("more", ["", ",nobarrier"])
def test_no_cut_breaks_what_was_promised_but_where_the_disk_is_not_told_to_keep_it(
    vm: Vm, built: Path, identity: KeyIdentity, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: str
) -> None:
    # Without barriers ext4 never flushes. The search has to see that: else it would see nothing at all.
    disk = LoggedDisk(tmp_path, more_options=more)
    played(vm, disk, identity)
    boot = booted(built / "builder")
    with memory() as folder:
        judge = Judge(disk, identity, folder)
        judge.learn_headers(boot)
        for seen, volatile, seed in at_random(judge.length, 20 if more else CUTS, seed=SEED):
            judge.cut(seen, boot, volatile=volatile, seed=seed)
    with capsys.disabled():
        kept = "nothing broken" if not judge.wrong else f"{judge.wrong.total()} promises broken"
        print(f"\npower cuts{more}: {judge.cuts} in {judge.length} writes and flushes, {kept}")
    assert bool(judge.wrong) is bool(more), judge.tell()
