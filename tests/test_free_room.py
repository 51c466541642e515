"""When a box may be changed is one rule, whoever asks: an order, another version, and Debian's own updates."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from device.idling import why_not_now
from device.session import State
from device.status import publish
from device.updating_trial import QUIET_S, Patience, Quiet, Seen
from tests.web.published import status

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "deb/box/usr/lib/sotto/room-is-free"


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """What the script looks at, in a folder; and the script, which looks there."""
    (tmp_path / "store/0001").mkdir(parents=True)
    text = SCRIPT.read_text()
    assert text.count("/run/sotto/status.json") == text.count("/var/lib/sotto/store") == 1
    for there, here in (("/run/sotto/status.json", "status.json"), ("/var/lib/sotto/store", "store")):
        text = text.replace(there, str(tmp_path / here))
    (tmp_path / "room-is-free").write_text(text)
    ended_before(tmp_path, 10 * QUIET_S)
    return tmp_path


def ended_before(box: Path, seconds: float) -> None:
    """The last recording was written that long ago."""
    at = time.time() - seconds
    for path in (box / "store/0001", box / "store"):
        os.utime(path, (at, at))


def is_free(box: Path, *words: str) -> bool:
    done = subprocess.run(["sh", box / "room-is-free", *words], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    assert done.stderr.startswith("error: ") == (done.returncode == 1)
    assert ("\nhint: " in done.stderr) == (done.returncode == 1)
    return done.returncode == 0


@pytest.mark.parametrize("state", State)
def test_the_same_states_are_free_to_everybody(box: Path, state: State) -> None:
    known = status(state)
    publish(known, box)
    now = known.published_unix_s
    free = why_not_now(known, unix_s=now, last_ended_unix_s=None) is None
    assert Seen(str(state)).is_free == free
    assert is_free(box) == free


def test_a_box_that_publishes_nothing_records_nothing(box: Path) -> None:
    assert is_free(box)
    assert Seen(None).is_free


def test_the_same_quarter_of_an_hour_counts_to_everybody(box: Path) -> None:
    known = status(State.IDLE)
    publish(known, box)
    now, margin_s = known.published_unix_s, 60
    for ended_s, free in ((QUIET_S + margin_s, True), (QUIET_S - margin_s, False), (0, False)):
        ended_before(box, ended_s)
        assert is_free(box, "--quiet") == free
        assert (why_not_now(known, unix_s=now, last_ended_unix_s=now - ended_s) is None) == free
        assert is_free(box)  # whoever only wants to disturb nobody need not wait
    quiet, patience = Quiet(), Patience()
    quiet.see(Seen("idle"), 0)
    assert not quiet.lasts(patience, QUIET_S * 1_000_000 - 1)
    assert quiet.lasts(patience, QUIET_S * 1_000_000)
