"""A disk that takes two seconds for an fsync, again and again, costs no sound: what waits is in memory meanwhile."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from device.age.identities import KeyIdentity
from device.capture.backlog import SOUND_LIMIT_US
from device.recording import SESSION_NAME
from device.recording.manifest import RecordingState
from tests.crash.play import SOUND, room_wav, store_of
from tests.crash.search import play
from tests.support import sound_of, stock_open

STALL_MS = 2000


def test_a_disk_that_stalls_for_two_seconds_again_and_again_costs_no_sound(
    library: Path, identity: KeyIdentity, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = play(library, place / "run", identity, {"do": "stall", "stall_ms": STALL_MS, "every": 3})
    said = json.loads(run.printed)
    store = store_of(place / "run" / "played")
    (listed,) = store.listing()
    manifest = listed.manifest
    mp4 = place / "session.mp4"
    mp4.write_bytes(stock_open(store.folder(manifest.id) / SESSION_NAME, identity))
    heard = sound_of(mp4, SOUND.bits)
    with capsys.disabled():
        print(
            f"\nslow storage: {said['stalls']} stalls of {STALL_MS} ms in {manifest.duration_us / 1e6:.1f} s of sound, "
            f"at most {said['waiting_us'] / 1e6:.2f} s of {SOUND_LIMIT_US / 1e6:.0f} s waited"
        )
    assert said["stalls"] >= 3
    assert STALL_MS * 700 < said["waiting_us"] < SOUND_LIMIT_US / 2
    assert manifest.state is RecordingState.COMPLETE
    assert manifest.gaps == ()
    # Bit for bit from where the recording began, to its end.
    room = room_wav(place / "room.wav") * 4
    assert len(heard) == SOUND.samples(manifest.duration_us) * 2
    assert heard in room
