"""What the tests of the service say about a box."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from device.capture.packets import Picture
from device.errors import CameraError
from device.recording import ERASED_NAME
from device.recording.manifest import Manifest
from device.recording.signing import verify
from device.status import Status
from device.words import Rung
from tests.support import Box, write_wav

RATE_HZ = 16_000
MakeBox = Callable[..., Box]


def wav_of(folder: Path, data: bytes) -> Path:
    return write_wav(folder / "room.wav", data, rate_hz=RATE_HZ, channels=1, bits=16)


def check_light(box: Box) -> None:
    """P7: the room light is on whenever a device is open, being opened or being closed, and off otherwise."""
    lit, busy = False, set[str]()
    for event in box.log.events:
        device, _, what = event.partition(" ")
        if device == "light":
            lit = what == "on"
            assert lit or not busy, f"the light went out over an open device: {box.log.events}"
        elif what in {"closed", "failed"}:
            busy.discard(device)
        else:
            busy.add(device)
            assert lit, f"a device was opened in the dark: {box.log.events}"
    assert not lit
    assert not busy


def samples_in(duration_us: int) -> int:
    return round(duration_us * RATE_HZ / 1_000_000)


def only(box: Box) -> Manifest:
    (manifest,) = box.manifests()
    return manifest


def certificates(box: Box) -> list[str]:
    found = sorted((box.store.path / ERASED_NAME).glob("*.json"))
    assert all(verify("erase certificate", path.read_bytes()).payload["by"] == "client" for path in found)
    return [path.stem for path in found]


def troubled(name: str) -> Callable[[Status], bool]:
    return lambda status: status.recording is not None and name in status.recording.troubles


class ForbiddenCamera:
    """A camera that nobody may touch."""

    name = "forbidden"
    size = (160, 96)
    bitrate = 2_000_000

    def __init__(self) -> None:
        self.touched: list[str] = []

    def open(self) -> None:
        self.touched.append("open")

    def read(self) -> Picture:
        raise CameraError("never", "never")

    def close(self) -> None:
        self.touched.append("close")

    def kill(self) -> None:
        self.touched.append("kill")

    def step(self, rung: Rung) -> None:
        self.touched.append(f"step {rung}")
