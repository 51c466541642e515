"""One box of a fleet: the real sync engine over its real remote, its own store, and the heart that signs its receipts.

Not the box's: the interpreter, which it shares with its neighbours, and the capture service's published status, which
says for all of them that nobody records. An idle box would look into its own store every 15 s, which costs no server
anything; here it sleeps until there is something new in it, and finds that when it would have looked.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

from device.audit import AuditLog
from device.capture.receipts import Receipts
from device.clock import boot_id, stamp
from device.compose_remote import Syncing, remote_of, sync_of
from device.config import load_config
from device.devicekey import load_or_make_device_key
from device.errors import PutOffError, RemoteAbsentError, RemoteAwayError, RemoteError, RemoteFullError
from device.recording.audited import Happened
from device.recording.chain import AUDIT_NAME
from device.remote import Held, Pace, Remote, at_once
from device.store import Store
from device.sync.loop import Sync
from device.sync_requests import Ask, ReceiptAsk
from device.sync_status import SyncState
from tests.fleet.issue import Coming
from tests.fleet.pace import FleetClock

NAIVE_S: Final = 300.0  # what people write: every five minutes
_LOOK_S: Final = 15.0

Tell = Callable[[dict[str, Any]], None]
Up = Callable[[int], None]


def run_box(folder: Path, *, clock: FleetClock, tell: Tell, naive: bool, up: Up) -> None:
    """Run until all that comes into this box's store is at the clinic, and signed for.

    ``up``: told with 1 whenever it begins to do something, with -1 whenever it rests.
    """
    config = load_config(folder / "sotto.toml")
    key = load_or_make_device_key(config.box.device_key)
    store = Store(config.store.path, device_key=key)
    boot, coming = boot_id(), Coming(folder)
    with (
        closing(AuditLog(store.path / AUDIT_NAME, device_key=key)) as log,
        closing(remote_of(config, clock=clock)) as remote,
    ):

        def note(happened: Happened) -> int:
            return log.append(happened, stamp(clock, boot)).number

        receipts = Receipts(store, key=key.public_key().public_bytes_raw(), note=note, now=lambda: stamp(clock, boot))

        def ask(what: Ask) -> None:
            receipts.answer(what)
            if isinstance(what, ReceiptAsk):
                tell({"call": "receipt", "at": clock.now_s(), "recording": what.recording, "bytes": what.size_bytes})

        syncing = sync_of(
            config,
            remote=Watched(remote, clock=clock, tell=tell),
            clock=clock,
            chance=random.SystemRandom().random,
            ask=ask,
            publish=lambda _status: None,
        )
        if naive:
            syncing.sync.__class__ = Naive
        _rest_in_one(syncing, coming, clock=clock, tell=tell, up=up)
        syncing.sync.run()


def _rest_in_one(syncing: Syncing, coming: Coming, *, clock: FleetClock, tell: Tell, up: Up) -> None:
    """Have it rest in one piece, not in slices of half a second, of which an hour has 7200; and end when it is done."""
    waiting, begun = syncing.waiting, False

    def rest(seconds: float) -> bool:
        nonlocal begun
        now_s = clock.now_s()
        until_s = now_s + seconds
        if begun and syncing.sync._telling.status.state is SyncState.IDLE:
            if (next_s := coming.next_s) is None:
                waiting.stop()
                return False
            until_s = now_s + max(1, math.ceil((next_s - now_s) / _LOOK_S)) * _LOOK_S
        begun = True
        up(-1)
        with waiting._condition:
            while not waiting.ending and clock.now_s() < until_s:
                clock.wait(waiting._condition, round(until_s * 1e6))
        up(1)
        tell({"call": "wake", "at": clock.now_s(), "due": until_s})
        for recording in coming.arrive(clock.now_s()):
            tell({"call": "arrival", "at": clock.now_s(), "recording": recording})
        return False

    waiting.rest = rest  # type: ignore[method-assign]


class Naive(Sync):
    """What the engine is compared with: it tries again at a fixed interval, with whatever is first in its line."""

    @property
    def _full(self) -> bool:
        return False

    @_full.setter
    def _full(self, _full: bool) -> None:
        """It does not care."""

    def _backoff_s(self, retry_after_s: float | None = None) -> float:
        return NAIVE_S


class Watched:
    """A remote, and what is asked of it: each call with its time, its bytes and its end."""

    def __init__(self, remote: Remote, *, clock: FleetClock, tell: Tell) -> None:
        self._remote = remote
        self._clock = clock
        self._tell = tell

    def put(self, name: str, file: BinaryIO, *, replace: bool = False, pace: Pace = at_once) -> bool:
        with self._call("put", name) as (told, moved):
            told["new"] = self._remote.put(name, file, replace=replace, pace=_both(pace, moved))
            return bool(told["new"])

    def read(self, name: str, *, start: int = 0, end: int | None = None, pace: Pace = at_once) -> Iterator[bytes]:
        with self._call("read", name) as (_told, moved):
            yield from self._remote.read(name, start=start, end=end, pace=_both(pace, moved))

    def names(self, folder: str) -> Iterator[Held]:
        with self._call("names", folder):
            yield from self._remote.names(folder)

    def erase(self, folder: str) -> None:
        with self._call("erase", folder):
            self._remote.erase(folder)

    def close(self) -> None:
        self._remote.close()

    @contextmanager
    def _call(self, call: str, name: str) -> Iterator[tuple[dict[str, Any], Pace]]:
        told: dict[str, Any] = {"call": call, "at": self._clock.now_s(), "file": name.rpartition("/")[2], "moved": 0}
        began_s = time.monotonic()

        def moved(length: int) -> None:
            told["moved"] += length

        try:
            yield told, moved
            told["end"] = "done"
        except BaseException as problem:
            told["end"] = _end_of(problem)
            raise
        finally:
            told["took_s"] = round(time.monotonic() - began_s, 4)
            self._tell(told)


def _both(one: Pace, other: Pace) -> Pace:
    def both(length: int) -> None:
        one(length)
        other(length)

    return both


def _end_of(problem: BaseException) -> str:
    kinds = {RemoteFullError: "full", RemoteAbsentError: "absent", RemoteError: "refused", RemoteAwayError: "away"}
    kinds |= {PutOffError: "put off", GeneratorExit: "done"}
    return next((word for kind, word in kinds.items() if isinstance(problem, kind)), type(problem).__name__)
