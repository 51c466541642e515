"""Writes the audit log on a thread of its own: neither a press nor the sound ever waits for its disk.

What waits is bounded, and in the order in which it happened. What finds no room is counted, and the next entry that
does find some says how much is missing before it. A disk that fails is asked again and again until the service ends:
the recording goes on, and the box tells of it as a fault.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLongError
from dataclasses import dataclass, field
from typing import Final

from device.audit import AuditLog
from device.clock import Clock, Stamp, stamp
from device.errors import AdminError, SottoError, StoreError, what_of
from device.recording.audited import Happened, What
from device.recording.chain import Head

_MOST_WAITING: Final = 2048
_RETRY_S: Final = 2.0
_FULL: Final = StoreError(
    "the audit log's disk is so slow that entries were lost",
    "look at the store's disk: sotto check says how fast it is",
)


@dataclass(frozen=True, slots=True)
class _Item:
    stamp: Stamp
    happened: Happened
    noted: Future[int] = field(default_factory=Future)


class Auditor:
    """The audit log, for everybody in this process. Safe to call from any thread."""

    def __init__(
        self, open_log: Callable[[], AuditLog], *, clock: Clock, boot: str, most_waiting: int = _MOST_WAITING
    ) -> None:
        self._open_log = open_log
        self._clock = clock
        self._boot = boot
        self._most_waiting = most_waiting
        self._condition = threading.Condition()
        self._waiting: deque[_Item] = deque()
        self._lost = 0
        self._closing = False
        self._log: AuditLog | None = None
        self.problem: SottoError | None = None
        self.head: Head | None = None  # of the last entry that is durable
        self._thread = threading.Thread(target=self._run, name="auditor", daemon=True)
        self._thread.start()

    def note(self, happened: Happened) -> None:
        """Have it written; never waits."""
        self._put(happened)

    def note_durably(self, happened: Happened, *, patience_s: float) -> int | None:
        """Have it written, and wait for that: the number of the entry; ``None`` where it is not written in time.

        While the log cannot be written nobody is kept waiting.
        """
        item = self._put(happened) if self.problem is None else None
        if item is None:
            return None
        try:
            return item.noted.result(patience_s)
        except TookTooLongError:
            item.noted.cancel()  # nobody writes it any more, unless it is being written now: then it says too much
            return None

    def close(self, *, patience_s: float = 5.0) -> None:
        """Write what is waiting, for as long as that may take, and let the log go."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join(patience_s)

    def _put(self, happened: Happened) -> _Item | None:
        with self._condition:
            item = _Item(self._stamp(), happened)
            if len(self._waiting) + 1 >= self._most_waiting:
                self._lost += 1
                self.problem = _FULL
                return None
            self._tell_lost(item.stamp)
            self._waiting.append(item)
            self._condition.notify()
        return item

    def _tell_lost(self, stamp: Stamp) -> None:
        if self._lost:
            self._waiting.append(_Item(stamp, Happened(What.LOST, facts={"count": self._lost})))
            self._lost = 0

    def _stamp(self) -> Stamp:
        return stamp(self._clock, self._boot)

    # -- the log's own thread -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._write_all()
        except BaseException as problem:  # noqa: BLE001  # a thread that dies reaches the lamp, as a fault that stays
            self.problem = AdminError(what_of(problem), "start the capture service again, and report what it says")

    def _write_all(self) -> None:
        while (item := self._next()) is not None:
            if not item.noted.set_running_or_notify_cancel():
                self._done()
                continue
            while not self._write(item):
                if not self._another_try():
                    return
        if self._log is not None:
            self._log.close()

    def _next(self) -> _Item | None:
        """The oldest that waits; it stays in the queue until it is written. ``None``: there will be no more."""
        with self._condition:
            while not self._waiting:
                if self._lost:
                    self._tell_lost(self._stamp())
                    break
                if self._closing:
                    return None
                self._condition.wait()
            return self._waiting[0]

    def _write(self, item: _Item) -> bool:
        try:
            if self._log is None:
                self._log = self._open_log()
            self.head = self._log.append(item.happened, item.stamp)
        except SottoError as problem:
            self.problem = problem
            return False
        self._done()
        item.noted.set_result(self.head.number)
        return True

    def _done(self) -> None:
        with self._condition:
            self._waiting.popleft()
            if not self._lost:
                self.problem = None

    def _another_try(self) -> bool:
        """Wait a little, or until something more is to be written; whether to try again at all."""
        with self._condition:
            if self._closing:
                return False
            self._condition.wait(_RETRY_S)
            return True
