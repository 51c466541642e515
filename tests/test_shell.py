"""Every shell script is one that shellcheck has nothing to say about, and that stops at its first error."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = (".ci", "deb", "provisioning/card", "provisioning/scripts", "systemd", "tests/tools")


def is_shell(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.readline()
    return head.startswith(b"#!") and head.split()[-1].rpartition(b"/")[2] in {b"sh", b"bash"}


SCRIPTS = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file() and is_shell(path))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_shellcheck_has_nothing_to_say(script: Path) -> None:
    run = subprocess.run(["shellcheck", script], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_script_can_be_run_and_stops_at_its_first_error(script: Path) -> None:
    assert os.access(script, os.X_OK), "chmod +x"
    text = script.read_text(encoding="utf-8")
    # Plain sh has no pipefail everywhere.
    wanted = "set -euo pipefail" if text.startswith("#!/usr/bin/env bash\n") else "set -eu"
    assert wanted in text.splitlines()


@pytest.mark.parametrize("purpose", ["", "everything"])
def test_setup_refuses_a_purpose_it_does_not_know(purpose: str) -> None:
    run = subprocess.run([ROOT / ".ci" / "setup", purpose], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.startswith("error: ")
    assert "\nhint: " in run.stderr
