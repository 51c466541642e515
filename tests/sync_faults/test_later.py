"""What becomes of a copy after it was signed for is seen by whoever verifies at the clinic: boxes do not look again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from device.recording import SESSION_NAME
from tests.sync_faults.box import ROOT, Box
from tests.sync_faults.clinics import Clinic
from tests.sync_faults.suffering import MIB


@pytest.fixture(params=["sftp", "s3"])
def clinic(request: pytest.FixtureRequest) -> Clinic:
    made: Clinic = request.getfixturevalue(request.param)
    return made


def verified(clinic: Clinic, recording: str, folder: Path) -> tuple[int, dict[str, Any]]:
    """What ``sotto-clinic verify`` says of it at the remote: its exit code, and all that it tells."""
    remote = folder / "remote.toml"
    remote.write_text(f"[remote]\n{clinic.lines()}\n")
    command = [sys.executable, "-m", "provisioning", "verify", "--json", "--remote", str(remote), recording]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    shown = run.stdout + run.stderr
    assert not [secret for secret in clinic.secrets if secret in shown]
    (told,) = json.loads(run.stdout)["recordings"]
    return run.returncode, told


def test_bytes_that_turn_after_the_receipt_are_found_where_the_copy_is_verified_again(
    box: Box, clinic: Clinic, tmp_path: Path
) -> None:
    box.configure(clinic.lines(), secrets=clinic.secrets)
    box.start()
    recording = box.record(2 * MIB)
    box.hurry()
    box.until_proven(recording)
    name = f"{box.place(recording)}/{SESSION_NAME}"
    code, told = verified(clinic, recording, tmp_path)
    assert code in {0, 7}, told
    clinic.damage(name)
    code, told = verified(clinic, recording, tmp_path)
    assert code == 4, told
    clinic.drop(name)
    code, told = verified(clinic, recording, tmp_path)
    assert code == 6, told
    assert box.is_whole_here(recording)
    assert box.retain() == [recording]
