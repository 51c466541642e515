"""kill -9 of the uploader at any moment: it goes on where it was, and what arrives is the recording.

The whole program is killed, as a power cut or the kernel would, at moments chosen by chance; the bytes are counted
where they pass, outside of it. A few kills of a small recording here, 50 of 1 GB with ``make sync-faults``.
"""

from __future__ import annotations

import random
import threading

import pytest

from device.recording import SESSION_NAME
from device.remote import MOST_AGAIN_BYTES
from tests.sync_faults.box import MOST_MEMORY_MIB, PATIENCE_S, Box, peak_mib
from tests.sync_faults.clinics import Clinic, S3Clinic
from tests.sync_faults.conftest import NOTED
from tests.sync_faults.suffering import MIB

_WRAPPED = 1.02  # TLS, HTTP and SSH around the bytes, and the small files beside
_ASKED_BYTES = 256 << 10  # what it says each time before anything is sent


@pytest.fixture(params=["sftp", "s3"])
def clinic(request: pytest.FixtureRequest) -> Clinic:
    clinic = request.getfixturevalue(request.param)
    if isinstance(clinic, S3Clinic):
        clinic.straight()
    return clinic


def kill_at(box: Box, clinic: Clinic, after_bytes: int, peaks: list[float]) -> bool:
    """Kill sync once it has sent so many bytes more; ``False``: it had sent and verified all of it before.

    ``peaks``: gets the most memory that it ever held.
    """
    assert box.sync is not None
    victim, killed = box.sync, threading.Event()

    def kill() -> None:
        peaks.append(peak_mib(victim.pid))
        victim.kill()
        killed.set()

    clinic.wire.at(clinic.wire.sent_bytes + after_bytes, kill)
    recording = box.store.ids()[0]
    while not killed.wait(0.05):
        if box.is_proven(recording):
            return False
        assert victim.alive or killed.wait(PATIENCE_S), box.last_words()
    return True


def test_a_kill_at_any_moment_costs_a_part_at_most(
    box: Box, clinic: Clinic, rounds: int, sync_bytes: int, request: pytest.FixtureRequest
) -> None:
    chance = random.Random(request.node.name)
    box.configure(clinic.lines(), secrets=clinic.secrets)
    box.start()
    assert box.sync is not None
    box.sync.kill()
    recording = box.record(sync_bytes)
    size = box.manifest(recording).size_bytes
    began, kills = clinic.wire.sent_bytes, 0
    peaks: list[float] = []
    while kills < rounds:
        box.start_sync()
        if not kill_at(box, clinic, round(chance.uniform(0, 2 * size / (rounds + 1))), peaks):
            break
        kills += 1
        assert not box.is_proven(recording)
        assert clinic.sha256(f"{box.place(recording)}/{SESSION_NAME}") in {None, box.made[recording]}
    else:
        box.start_sync()
    box.until_proven(recording, patience_s=PATIENCE_S + size / MIB)
    peaks.append(peak_mib(box.sync.pid))
    sent = clinic.wire.sent_bytes - began
    again = sent - size * _WRAPPED - kills * _ASKED_BYTES
    NOTED.append(
        f"{request.node.name}: {size / 1e6:.0f} MB, {kills} kills, {sent / 1e6:.1f} MB sent, "
        f"{max(0.0, sent - size) / max(kills, 1) / MIB:.1f} MiB again each time; peak memory {max(peaks):.0f} MiB"
    )
    assert kills >= min(rounds, 3)
    assert again <= kills * MOST_AGAIN_BYTES
    assert clinic.sha256(f"{box.place(recording)}/{SESSION_NAME}") == box.made[recording]
    assert max(peaks) < MOST_MEMORY_MIB
    assert box.retain() == [recording]
