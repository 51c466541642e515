"""A recording that is captured while a large one is sent at full speed has no gap (promise P8)."""

from __future__ import annotations

import configparser
import shutil
import time
from pathlib import Path

from device.recording import SESSION_NAME
from device.recording.manifest import RecordingState
from device.room import Finger, send_finger
from device.status import Status, read_status
from device.words import Button
from tests.support import sound_of, stock_open, write_wav
from tests.sync_faults.box import MOST_MEMORY_MIB, PATIENCE_S, ROOT, Box, peak_mib
from tests.sync_faults.clinics import SftpClinic
from tests.sync_faults.conftest import NOTED
from tests.sync_faults.suffering import MIB

RATE_HZ = 48_000
RAMP = range(-24_000, 24_000)
GIGABYTE = 1_000_000_000


def unit(key: str) -> str:
    """What the unit of sync says."""
    parser = configparser.ConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(ROOT / "systemd" / "sotto-sync.service")
    return parser["Service"][key]


def nicely() -> tuple[str, ...]:
    """How systemd starts sync beside capture."""
    assert unit("IOSchedulingClass") == "idle"
    nice = ("nice", "-n", unit("Nice"))
    return (*nice, "ionice", "-c", "3") if shutil.which("ionice") else nice


def press(box: Box, button: Button) -> None:
    """A short press as a person makes it."""
    for down in (True, False):
        send_finger(Finger(button=button, down=down), box.folder / "run")
        time.sleep(0.15)


def until_capture(box: Box, state: str) -> Status:
    until_s = time.monotonic() + PATIENCE_S
    while (status := read_status(box.folder / "run")) is None or status.state != state:
        assert time.monotonic() < until_s, (state, status)
        time.sleep(0.05)
    return status


def ramp(seconds: int) -> bytes:
    """Sound in which each sample says where it belongs."""
    one = b"".join(sample.to_bytes(2, "little", signed=True) for sample in RAMP)
    return one * (seconds * RATE_HZ // len(RAMP))


def test_a_session_beside_an_upload_at_full_speed_has_no_gap(
    box: Box, sftp: SftpClinic, sync_bytes: int, tmp_path: Path
) -> None:
    write_wav(box.folder / "room.wav", ramp(30), rate_hz=RATE_HZ, channels=1, bits=16)
    large = box.record(min(3 * sync_bytes, GIGABYTE))
    box.configure(sftp.lines(), secrets=sftp.secrets)
    box.start_capture()
    until_capture(box, "idle")
    time.sleep(0.3)  # buttons that are down any earlier count as stuck
    press(box, Button.CONSENT)
    until_capture(box, "armed")
    press(box, Button.RECORD)
    until_capture(box, "recording")
    began_s, sent = time.monotonic(), sftp.wire.sent_bytes
    box.start_sync(before=nicely())
    box.until_proven(large, patience_s=PATIENCE_S + sync_bytes / MIB)
    took_s, sent = time.monotonic() - began_s, sftp.wire.sent_bytes - sent
    press(box, Button.RECORD)
    until_capture(box, "sealed")
    assert box.sync is not None
    peak = peak_mib(box.sync.pid)
    assert box.retain() == [large]
    (session,) = box.store.ids()
    manifest, samples = box.manifest(session), memoryview(sound_of_session(box, session, tmp_path)).cast("h")
    NOTED.append(
        f"beside an upload: {manifest.duration_us / 1e6:.1f} s of sound, {len(manifest.gaps)} gaps, "
        f"{sent / 1e6:.0f} MB sent and read again in {took_s:.1f} s, peak memory of sync {peak:.0f} MiB"
    )
    assert (manifest.state, manifest.gaps) == (RecordingState.COMPLETE, ())
    assert peak < MOST_MEMORY_MIB
    assert len(samples) >= took_s * RATE_HZ
    first = samples[0] - RAMP[0]
    assert all(samples[at] == RAMP[(first + at) % len(RAMP)] for at in range(len(samples)))


def sound_of_session(box: Box, session: str, folder: Path) -> bytes:
    mp4 = folder / "session.mp4"
    mp4.write_bytes(stock_open(box.store.folder(session) / SESSION_NAME, box.identity))
    return sound_of(mp4, 16)
