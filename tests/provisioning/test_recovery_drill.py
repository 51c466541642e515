"""docs/recovery-drill.md, run as it stands: every command in it, in its order, by a shell."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from device.age.identities import generate_identity, identity_file
from device.recording.layout import Desk
from device.recording.signing import fingerprint
from device.remote_folder import MARK_NAME, FolderRemote
from tests.age.conftest import AGE_PQ
from tests.provisioning.boxes import put, send
from tests.provisioning.conftest import Clinic
from tests.provisioning.damage import record

DRILL = Path(__file__).parents[2] / "docs" / "recovery-drill.md"
BLOCK = re.compile(r"^( *)```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[str]:
    """The commands of each block, without the indentation of the list that it is in."""
    found = BLOCK.findall(DRILL.read_text(encoding="utf-8"))
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    """A clinic whose boxes seal to a supervisor and to a recovery key."""
    made = Clinic(tmp_path)
    for name in ("supervisor", "recovery"):
        made.identities[name] = generate_identity(post_quantum=True)
        text = identity_file(made.identities[name], datetime(2026, 1, 1, tzinfo=UTC))
        made.key(name).write_text(text, encoding="ascii")
    return made


def test_every_command_of_the_drill_does_what_is_written(clinic: Clinic, sound_24: Any) -> None:
    (clinic.home / "card").mkdir()
    kept = record(clinic, sound_24[0], store="card/store", keys=("supervisor", "recovery"))
    (clinic.home / "remote").mkdir()
    (clinic.home / "remote" / MARK_NAME).touch()
    remote = FolderRemote(clinic.home / "remote")
    send(remote, kept.folder)
    put(remote, Desk("practice", "room-3").audit(7), b"{}\n")
    mark = fingerprint(clinic.device_key.public_key().public_bytes_raw())
    (clinic.home / "boxes.txt").write_text(f"{mark}\n", encoding="ascii")
    (clinic.home / "passphrase").write_text("correct horse battery staple\n", encoding="ascii")
    (clinic.home / "bin").mkdir()
    program = clinic.home / "bin" / "sotto-clinic"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m provisioning "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    path = f"{program.parent}:{AGE_PQ.parent}:{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": str(clinic.home), "RECORDING": kept.folder.name}
    environment["PYTHONPATH"] = str(DRILL.parents[1])
    shell = shutil.which("bash")
    assert shell is not None
    # A command that fails where it must (written with "!") may not end the script, and one that does not fail has to.
    script = "".join(re.sub(r"^! (.*)$", r"if \1; then exit 77; fi", block, flags=re.MULTILINE) for block in blocks())
    run = subprocess.run(
        [shell, "-euo", "pipefail", "-c", script],
        cwd=clinic.home,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}"
    assert run.stdout.count(f"{kept.folder.name}: complete") == 8
    assert f"{kept.folder.name}: shared" in run.stdout
    assert "00000007.json" in run.stdout
    assert "the end of the log was cut off" in run.stderr
    assert "not this desk's key" in run.stderr


def test_the_drill_has_a_way_back_for_each_loss() -> None:
    assert len(blocks()) >= 8
    text = DRILL.read_text(encoding="utf-8")
    for loss in ("A supervisor's key is lost", "A box is lost", "The clinic's own folders are lost"):
        assert f"\n## {loss}\n" in text
