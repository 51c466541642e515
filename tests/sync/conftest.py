"""Real recordings, made once by the real service; each test gets a box with copies of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.age.identities import KeyIdentity
from device.attachments import attach, seal
from device.compose_camera import clock_camera
from device.recording.beside import Kind
from device.status import Status
from device.store import Store
from device.words import Button
from tests.remote.folder_server import FolderServer
from tests.service.rooms import RATE_HZ, wav_of
from tests.support import be_patient_with_cameras, build_box, noise
from tests.sync.world import World, world

MakeWorld = Callable[..., World]


@dataclass(frozen=True)
class Recorded:
    """A store with recordings: ``sound`` alone; sound and ``picture``; a longer, ``starred`` one."""

    folder: Path
    sound: str
    picture: str
    starred: str
    identity: KeyIdentity
    idle: Status

    def label(self, folder: Path, text: str) -> None:
        """Put a sealed label beside a copy of one of them."""
        attach(folder, Kind.LABEL, seal(Kind.LABEL, text.encode(), [self.identity.recipient()]))


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    with pytest.MonkeyPatch.context() as patched:
        be_patient_with_cameras(patched)
        yield _recorded(tmp_path_factory)


def _recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    folder = tmp_path_factory.mktemp("recorded")
    key = Ed25519PrivateKey.generate()
    (folder / "device.key").write_bytes(key.private_bytes_raw())
    (folder / "device.key").chmod(0o600)
    (folder / "store").mkdir()
    wav = wav_of(folder, noise(7, rate_hz=RATE_HZ, channels=1, bits=16, quieter=4))
    box = build_box(
        store=Store(folder / "store", device_key=key),
        wav=wav,
        camera=lambda clock: clock_camera((160, 96), 5, clock=clock),
    )
    try:
        for seconds, presses, star in ((2.0, 1, False), (3.0, 2, False), (5.0, 2, True)):
            box.consent()
            if presses == 2:
                box.consent()
            box.until_state("armed")
            box.record()
            box.until(lambda status: status.recording and status.recording.durable_us > 0)
            if star:
                box.press(Button.RECORD, for_s=1.8)
            box.pass_s(seconds)
            box.end()
        box.until(lambda status: status.sealing == 0)
        box.pass_s(150)  # the last window closes
        idle = box.until_state("idle")
    finally:
        box.stop()
    sound, picture, starred = box.store.ids()
    return Recorded(folder, sound, picture, starred, box.identity, idle)


@pytest.fixture
def make_world(recorded: Recorded, tmp_path: Path) -> Iterator[MakeWorld]:
    with ExitStack() as worlds:

        def make(*, only: str | None = None, more: str = "") -> World:
            folder = tmp_path / "box"
            shutil.copytree(recorded.folder, folder)
            for recording in (recorded.sound, recorded.picture, recorded.starred):
                if only not in {None, recording}:
                    shutil.rmtree(folder / "store" / recording)
            server = FolderServer(tmp_path / "clinic")
            return worlds.enter_context(world(folder, server=server, idle=recorded.idle, more=more))

        yield make
