"""A whole box under attack: capture, page and nginx as on a box, a recording, and a crowd that holds them up."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.recording import SESSION_NAME
from device.recording.manifest import RecordingState
from device.status import read_status
from device.words import Button
from tests.front.conftest import NOTED
from tests.front.crowd import Asking, crowd
from tests.front.whole_box import WholeBox, record_large, whole_box
from tests.remote.certificates import Authority
from tests.sync_faults.box import Box
from tests.sync_faults.test_beside import RAMP, RATE_HZ, press, sound_of_session, until_capture

WITHIN_S = 1.0
LONG_S = 15.0
MOST_IDLE = 500


@pytest.fixture
def whole(tmp_path: Path, authority: Authority) -> Iterator[WholeBox]:
    with whole_box(tmp_path, authority, before=lambda box, mark: record_large(box, mark, 30_000_000)) as made:
        yield made


def record(box: Box) -> None:
    """Consent and RECORD, as in the room."""
    until_capture(box, "idle")
    time.sleep(0.3)  # buttons that are down any earlier count as stuck
    press(box, Button.CONSENT)
    until_capture(box, "armed")
    press(box, Button.RECORD)
    until_capture(box, "recording")


def test_a_crowd_that_lets_the_box_wait_holds_up_neither_the_page_nor_a_recording(
    whole: WholeBox, tmp_path: Path
) -> None:
    box, asking = whole.box, Asking()
    (large,) = box.store.ids()
    record(box)
    began_s = time.monotonic()
    with crowd(whole.nginx) as held:
        held.slow_readers(20, f"/recordings/{large}/{SESSION_NAME}", whole.known)
        held.slow_headers(60)
        held.slow_bodies(60, "/requests/stop")
        held.silent_behind_tls(100)
        held.idle(MOST_IDLE)
        there = held.still_there()
        asking.ask(whole.nginx, ("/status.json", "/"), whole.known, for_s=LONG_S, least=20)
    status = read_status(box.folder / "run")
    assert status is not None
    assert status.state == "recording"  # nobody has stopped it
    took_s = time.monotonic() - began_s
    press(box, Button.RECORD)
    until_capture(box, "sealed")
    NOTED.append(
        f"under attack: {there} connections held, {held.sent_away} sent away and there again; {len(asking.took_s)} "
        f"requests meanwhile took {statistics.median(asking.took_s) * 1000:.0f} ms (median), "
        f"{max(asking.took_s) * 1000:.0f} ms at most; {took_s:.1f} s were recorded"
    )
    assert there >= MOST_IDLE
    assert held.sent_away > 0  # who says nothing for ten seconds is not waited for
    assert asking.statuses == {200}
    assert statistics.median(asking.took_s) < WITHIN_S
    session = box.store.ids()[-1]
    manifest, samples = box.manifest(session), memoryview(sound_of_session(box, session, tmp_path)).cast("h")
    assert (manifest.state, manifest.gaps) == (RecordingState.COMPLETE, ())
    assert len(samples) >= took_s * RATE_HZ
    first = samples[0] - RAMP[0]
    assert all(samples[at] == RAMP[(first + at) % len(RAMP)] for at in range(len(samples)))
