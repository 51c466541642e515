"""What the tests of retention share: recordings with receipts, and a clock that says what a test wants."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.belonging import beside_of, digest_of
from device.capture.upkeep import Upkeep
from device.capture.waiting import WaitingRoom
from device.journal import Entry
from device.lived import DAY_US
from device.recording import RECEIPTS_NAME, SESSION_NAME
from device.recording.audited import Happened
from device.recording.manifest import RecordingState
from device.recording.receipt import RECEIPT_KIND, Receipt
from device.recording.signing import sign
from device.retention import Policy
from device.store import Store
from tests.support import manifest_of

DIGEST = "ab" * 32
HEAD = b"age-encryption.org/v1\n"
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE_US = 60_000_000


def add_recording(store: Store, *, boot: str = "boot 1", started_us: int = 0, state: str = "complete") -> str:
    folder = store.new_folder()
    (folder / SESSION_NAME).write_bytes(HEAD + bytes(1000))
    facts = {"state": RecordingState(state), "digest": DIGEST, "size_bytes": 1022}
    store.write_manifest(manifest_of(folder.name, boot=boot, started_monotonic_us=started_us, **facts))
    return folder.name


def add_receipt(
    store: Store, recording_id: str, *, key: Ed25519PrivateKey | None = None, digest: str = DIGEST, size: int = 1022
) -> None:
    """As the sync leaves it once it has read the remote's copy again."""
    beside = {name: digest_of(store.folder(recording_id) / name) for name in beside_of(store.folder(recording_id))}
    receipt = Receipt(
        remote="clinic", digest=digest, size_bytes=size, verified_at="2026-03-02T10:00:00.000Z", beside=beside
    )
    folder = store.folder(recording_id) / RECEIPTS_NAME
    folder.mkdir(exist_ok=True)
    document = sign(RECEIPT_KIND, receipt.model_dump(), key or store._device_key)
    (folder / "clinic.json").write_bytes(document)


def public_key(store: Store) -> bytes:
    return store._device_key.public_key().public_bytes_raw()


@dataclass
class FreeClock:
    """A clock that says what a test wants; no time passes by itself."""

    monotonic_us: int = 5_000_000
    wall: datetime = MONDAY
    is_trusted: bool = True

    def now_us(self) -> int:
        return self.monotonic_us

    def utc(self) -> datetime:
        return self.wall

    def trusted(self) -> bool:
        return self.is_trusted

    def wait(self, condition: threading.Condition, until_us: int | None) -> None:
        condition.wait(0.01)

    def keep_pace(self, who: str, until_us: int | None) -> None:
        """Nobody has to be waited for."""

    def run(self, us: int) -> None:
        """So much time passes while the box runs."""
        self.monotonic_us += us
        self.wall += timedelta(microseconds=us)


@dataclass
class Kept:
    """A store with somebody who looks after it, day by day."""

    store: Store
    policy: Policy | None
    clock: FreeClock = field(default_factory=FreeClock)
    boot: int = 1
    there: bool = False
    told: list[str] = field(default_factory=list)
    noted: list[Happened] = field(default_factory=list)
    notes: bool = True

    def __post_init__(self) -> None:
        self.waiting = WaitingRoom(self.store.path)
        self.upkeep = self._new()

    def _new(self) -> Upkeep:
        upkeep = Upkeep(
            self.store,
            key=public_key(self.store),
            policy=self.policy,
            clock=self.clock,
            boot=f"boot {self.boot}",
            journal=self._tell,
            waiting=self.waiting,
            note=self._note,
        )
        upkeep._may_work = lambda: not self.there
        return upkeep

    def _tell(self, entry: Entry) -> None:
        self.told.append(entry.message)

    def _note(self, happened: Happened) -> int | None:
        if not self.notes:
            return None
        self.noted.append(happened)
        return len(self.noted)

    def work(self) -> None:
        self.upkeep.work()

    def days(self, days: int) -> None:
        """The box runs for so many days, and works every hour."""
        for _ in range(days * 24):
            self.clock.run(DAY_US // 24)
            self.work()

    def switched_off(self, off_us: int) -> None:
        """The box is switched off for so long, then starts."""
        self.clock.run(off_us)
        self.clock.monotonic_us = 5_000_000
        self.boot += 1
        self.upkeep = self._new()
