"""The audit log of the real programs: what capture writes, and what the verbs that read it say."""

from __future__ import annotations

import json
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from device.audit import newest_entries
from device.audit_requests import NoteRequest, note_by_capture
from device.cli import main
from device.recording.chain import AUDIT_NAME
from device.words import Button
from provisioning.__main__ import run
from tests.test_cli import capture, config, finger, until

__all__ = ["config"]  # the same box


def entries_of(config: Path) -> list[dict[str, Any]]:
    return list(newest_entries(config.parent / "store" / AUDIT_NAME))[::-1]


def noted(program: subprocess.Popen[str], config: Path, what: str) -> None:
    """Wait until that stands in the log: what happens in the last moment before a kill may not be there."""
    for _ in range(1200):
        if what in [entry["what"] for entry in entries_of(config)] and _begun(config):
            return
        select.select([], [], [], 0.05)
        assert program.poll() is None
    raise AssertionError(f"never noted: {what}")


def _begun(config: Path) -> bool:
    return bool(list((config.parent / "store").glob("0*/session.mp4.age")))


def verified(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = run(["verify", *arguments, "--json"])
    (log,) = json.loads(capsys.readouterr().out)["audit_logs"]
    return code, log


def test_a_box_that_starts_and_ends_says_so_and_names_the_keys_that_changed(
    config: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with capture(config):
        assert note_by_capture(NoteRequest(what="view", of="list"), config.parent / "run") == 2
    config.write_text(config.read_text() + "\n[session]\nmax_length_min = 17\n")
    with capture(config):
        pass
    entries = entries_of(config)
    assert [entry["what"] for entry in entries] == [
        "box started",
        "view",
        "box ended",
        "box started",
        "config changed",
        "box ended",
    ]
    assert entries[4]["facts"]["keys"] == ["session.max_length_min"]
    assert entries[4]["facts"]["config"] == entries[3]["facts"]["config"] != entries[0]["facts"]["config"]
    code, told = verified(capsys, str(config.parent / "store"))
    assert (code, told["state"], told["entries"]) == (0, "audit log good", 6)


def test_a_killed_service_leaves_a_log_that_holds_and_what_was_recovered_stands_in_it(
    config: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run_ = config.parent / "run"
    with capture(config) as program:
        until(program, run_, "idle")
        finger(run_, Button.CONSENT)
        until(program, run_, "armed")
        finger(run_, Button.RECORD)
        until(program, run_, "recording")
        noted(program, config, "recording begun")
        program.send_signal(signal.SIGKILL)
    with capture(config) as program:
        noted(program, config, "recovered")
    whats = [entry["what"] for entry in entries_of(config)]
    assert whats[:4] == ["box started", "consent", "start", "recording begun"]
    again = [what for what in whats[4:] if what != "faults"]  # which there are while the store is put in order
    assert again == ["box started", "recovered", "box ended"]
    assert entries_of(config)[-2]["facts"]["state"] == "closed"
    assert verified(capsys, str(config.parent / "store" / AUDIT_NAME))[0] == 0


def test_the_end_of_the_log_is_shown_in_words_with_its_head(
    config: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with capture(config):
        note_by_capture(NoteRequest(what="pull", recording="000007-abcdefghij", up_to_bytes=7), config.parent / "run")
    capsys.readouterr()
    assert main(["audit", "--config", str(config), "--last", "2"]) == 0
    pull, ended, head = capsys.readouterr().out.splitlines()
    assert pull.startswith("      2  20")
    assert pull.endswith("pull, 000007-abcdefghij, by page, up to bytes 7")
    assert ended.endswith("box ended, by box")
    assert main(["audit", "--config", str(config), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert head == f"head: {told['head']}"
    assert [entry["number"] for entry in told["entries"]] == [1, 2, 3]
    code, seen = verified(capsys, str(config.parent / "store"), "--head", told["head"])
    assert (code, seen["head_checked"]) == (0, True)


def test_a_log_that_is_not_there_is_refused_in_words(
    config: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["audit", "--config", str(config)]) == 1
    error, hint = capsys.readouterr().err.splitlines()
    assert error.startswith("error: the store failed: the audit log cannot be read")
    assert hint


def test_verify_is_a_program_with_documented_exit_codes(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "provisioning", "verify", tmp_path / "nowhere"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr == f"error: there is no {tmp_path / 'nowhere'}\nhint: check the name\n"
