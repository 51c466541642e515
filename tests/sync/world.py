"""A box with real recordings and a real remote, and time that passes only while sync waits.

Capture's side is the real one, behind its real socket: receipts, the audit log, erase orders. Only its status is
published by the test, so that a test can say which window is open, and that capture is away.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from device.audit import newest_entries
from device.capture.auditor import Auditor
from device.clock import Stamp
from device.compose import store_of
from device.compose_audit import auditor_of
from device.compose_receipts import receipts_server
from device.compose_remote import Syncing, sync_of
from device.config import Config, parse_config
from device.errors import RemoteError, RemoteFullError
from device.recording import ERASE_ORDERS_NAME, RECEIPTS_NAME, SESSION_NAME
from device.recording.receipt import RECEIPT_KIND, Receipt
from device.recording.signing import verify
from device.remote import Held, Pace, Remote, at_once
from device.status import LastStatus, Status, publish
from device.store import Store
from device.sync_status import SyncState, SyncStatus
from device.words import By, Fate
from tests.remote.folder_server import FolderServer
from tests.retained import FreeClock

CLINIC, ROOM = "practice", "room-3"
CONFIG = """
[box]
name = "Room 3"
device_key = "{folder}/device.key"
run = "{folder}/run"
[store]
path = "{folder}/store"
[recipients]
keys = []
[microphone]
driver = "simulated"
wav = "{folder}/room.wav"
[camera]
driver = "disabled"
[panel]
driver = "simulated"
[web]
state = "{folder}/web"
port = 0
[remote]
name = "clinic"
driver = "folder"
path = "{remote}"
clinic = "practice"
room = "room-3"
[sync]
state = "{folder}/state"
start_jitter_s = 0
{more}
"""


class WaitingClock(FreeClock):
    """A clock whose time passes exactly while somebody waits; what waits is told before each wait."""

    before_wait: Callable[[], None] = staticmethod(lambda: None)

    def wait(self, condition: threading.Condition, until_us: int | None) -> None:
        if until_us is not None and until_us > self.monotonic_us:
            self.run(until_us - self.monotonic_us)
        self.before_wait()


@dataclass
class World:
    """All of it. ``sync`` is built anew by ``restart``, as after a cut."""

    folder: Path
    config: Config
    store: Store
    server: FolderServer
    auditor: Auditor
    clock: WaitingClock
    idle: Status
    published: list[SyncStatus] = field(default_factory=list)
    journal: list[str] = field(default_factory=list)
    last: LastStatus | None = None
    capture_is_there: bool = True
    syncing: Syncing = field(init=False)

    def __post_init__(self) -> None:
        self.clock.before_wait = self.publish  # type: ignore[method-assign]
        self.restart()

    def restart(self, wrap: Callable[[Remote], Remote] = lambda remote: remote, **more: Any) -> None:
        """Sync as it is after a cut: nothing is left of it but what is on disk."""
        self.publish()
        self.syncing = sync_of(
            self.config,
            remote=wrap(self.server.maker()),
            clock=self.clock,
            chance=lambda: 0.5,
            publish=self.published.append,
            journal=lambda entry: self.journal.append(entry.message),
            **more,
        )

    def rename(self, room: str) -> None:
        """The admin gives the room another name, and starts sync again."""
        assert self.config.remote is not None
        remote = self.config.remote.model_copy(update={"room": room})
        self.config = self.config.model_copy(update={"remote": remote})
        self.restart()

    def publish(self) -> None:
        """What capture publishes, if it is there."""
        if self.capture_is_there:
            unix_s = self.clock.utc().timestamp()
            status = self.idle.model_copy(update={"published_unix_s": unix_s, "last": self.last})
            publish(status, self.config.box.run)

    def window(self, recording_id: str, *, fate: Fate = Fate.KEPT, left_s: float = 60.0) -> None:
        """The window of a recording is open, or not any more."""
        self.last = LastStatus(id=recording_id, fate=fate, sealed=True, window_left_s=left_s)
        self.publish()

    def turn(self, turns: int = 1) -> SyncStatus:
        """So many turns; what sync says then."""
        for _ in range(turns):
            self.publish()
            self.syncing.sync.turn()
        return self.published[-1]

    def until(self, *states: SyncState, most: int = 60) -> SyncStatus:
        """Turn until it says that."""
        for _ in range(most):
            if self.turn().state in states:
                return self.published[-1]
        raise AssertionError(f"never {states}, but {[status.state for status in self.published[-12:]]}")

    def synced(self) -> SyncStatus:
        return self.until(SyncState.IDLE)

    # -- what is there ------------------------------------------------------------------------------------------------

    def place(self, recording_id: str) -> str:
        return f"{CLINIC}/{ROOM}/2026/03/{recording_id}"

    def held(self) -> dict[str, str]:
        """What the remote holds, seen behind its back: the audit log's lines left out."""
        return {name: what for name, what in self.server.held().items() if "/audit/" not in name}

    def held_of(self, recording_id: str) -> set[str]:
        place = self.place(recording_id) + "/"
        return {name.removeprefix(place) for name in self.server.held() if name.startswith(place)}

    def receipt(self, recording_id: str) -> Receipt | None:
        path = self.store.folder(recording_id) / RECEIPTS_NAME / "clinic.json"
        if not path.exists():
            return None
        return Receipt.model_validate(verify(RECEIPT_KIND, path.read_bytes()).payload)

    def withdraw(self, recording_id: str) -> None:
        """As capture does when a withdrawn recording's window closes."""
        assert self.store.erase(recording_id, by=By.CLIENT, at=Stamp("2026-03-02T12:00:00.000Z"))

    def orders(self) -> list[str]:
        return sorted(path.stem for path in (self.store.path / ERASE_ORDERS_NAME).glob("*.json"))

    def noted(self) -> list[tuple[str | None, str]]:
        """What the audit log says of sync: which recording, and what."""
        if not (self.store.path / "audit").exists():
            return []
        entries = reversed(list(newest_entries(self.store.path / "audit")))
        return [(one.get("recording"), one["facts"]["state"]) for one in entries if one["what"] == "sync"]


@contextmanager
def world(folder: Path, *, server: FolderServer, idle: Status, more: str = "") -> Iterator[World]:
    """A box in ``folder``, in which a store and a device key are already."""
    (folder / "run" / "sync").mkdir(parents=True, exist_ok=True)
    config = parse_config(CONFIG.format(folder=folder, remote=server.maker.path, more=more))
    clock = WaitingClock()
    with ExitStack() as ending:
        store = store_of(config)
        auditor = auditor_of(config, clock=clock)
        ending.callback(auditor.close)
        receipts = receipts_server(config, store=store, auditor=auditor, clock=clock)
        ending.callback(receipts.close)
        yield World(folder, config, store, server, auditor, clock, idle)


class Handing:
    """A remote that hands everything on to a real one; what misbehaves is one of these."""

    def __init__(self, inner: Remote) -> None:
        self.inner = inner
        self.puts: list[str] = []

    def put(self, name: str, file: BinaryIO, *, replace: bool = False, pace: Pace = at_once) -> bool:
        self.puts.append(name)
        return self.inner.put(name, file, replace=replace, pace=pace)

    def read(self, name: str, *, start: int = 0, end: int | None = None, pace: Pace = at_once) -> Iterator[bytes]:
        return self.inner.read(name, start=start, end=end, pace=pace)

    def names(self, folder: str) -> Iterator[Held]:
        return self.inner.names(folder)

    def erase(self, folder: str) -> None:
        self.inner.erase(folder)

    def close(self) -> None:
        self.inner.close()


class Lying(Handing):
    """Says that it stored the recording, and has not."""

    def put(self, name: str, file: BinaryIO, *, replace: bool = False, pace: Pace = at_once) -> bool:
        self.puts.append(name)
        while piece := file.read(1 << 16):
            pace(len(piece))
        return True


class Refusing(Handing):
    """Lets nothing be erased: write-only credentials, or a lock."""

    def erase(self, folder: str) -> None:
        raise RemoteError("the remote refuses that", "ask whoever looks after it")


class Meddling(Handing):
    """Has something happen before a piece of a file moves: there (``at`` "put") or back ("read"). Once."""

    def __init__(self, inner: Remote, *, at: str, act: Callable[[], None]) -> None:
        super().__init__(inner)
        self._at = at
        self._act: Callable[[], None] | None = act

    def _pace(self, at: str, pace: Pace) -> Pace:
        def meddled(moved_bytes: int) -> None:
            if at == self._at and self._act is not None:
                act, self._act = self._act, None
                act()
            pace(moved_bytes)

        return meddled

    def put(self, name: str, file: BinaryIO, *, replace: bool = False, pace: Pace = at_once) -> bool:
        return super().put(name, file, replace=replace, pace=self._pace("put", pace))

    def read(self, name: str, *, start: int = 0, end: int | None = None, pace: Pace = at_once) -> Iterator[bytes]:
        return super().read(name, start=start, end=end, pace=self._pace("read", pace))


class Spoiling(Handing):
    """Turns one bit of what it is sent, so many times."""

    def __init__(self, inner: Remote, server: FolderServer, *, times: int, at: int, file: str = SESSION_NAME) -> None:
        super().__init__(inner)
        self._server = server
        self._times = times
        self._spoiled_at = at
        self._file = file

    def put(self, name: str, file: BinaryIO, *, replace: bool = False, pace: Pace = at_once) -> bool:
        stored = super().put(name, file, replace=replace, pace=pace)
        if stored and name.endswith(self._file) and self._times:
            self._times -= 1
            self._server.damage(name, self._spoiled_at)
        return stored


class Filling(Handing):
    """Has no room while ``is_full``."""

    is_full = True

    def put(self, name: str, file: BinaryIO, *, replace: bool = False, pace: Pace = at_once) -> bool:
        self.puts.append(name)
        if self.is_full:
            raise RemoteFullError("the remote is full", "make room there")
        return self.inner.put(name, file, replace=replace, pace=pace)
