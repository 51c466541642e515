"""What sync tells: its published status, kept up to date, and a line in the journal where something changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from device.clock import MICROSECONDS, Clock, wire_time
from device.errors import SottoError
from device.journal import Entry, Journal, Priority
from device.sync.pace import Pace
from device.sync_status import SyncState, SyncStatus

_EVERY_US: Final = MICROSECONDS

Publish = Callable[[SyncStatus], None]


class Telling:
    """The status as it is now. Publishes at once what changed, and once a second that sync is alive."""

    def __init__(self, publish: Publish, *, remote: str, clock: Clock, journal: Journal) -> None:
        self._publish = publish
        self._clock = clock
        self._journal = journal
        self._due_us = 0
        self._pace = Pace()
        self.status = SyncStatus(state=SyncState.IDLE, remote=remote, published_unix_s=0.0)

    def now(self, **changes: Any) -> None:
        """Publish, with these fields changed."""
        stamped = {**changes, "published_unix_s": self._clock.utc().timestamp()}
        self.status = self.status.model_copy(update=stamped)
        self._due_us = self._clock.now_us() + _EVERY_US
        self._publish(self.status)

    def at(self, state: SyncState, *, recording: str | None = None, size_bytes: int = 0) -> None:
        """A new thing is begun."""
        self._pace.begin(self._clock.now_us())
        self.now(
            state=state,
            recording=recording,
            sent_bytes=0,
            size_bytes=size_bytes,
            next_try_s=None,
            bytes_per_s=None,
        )

    def moved(self, state: SyncState, moved_bytes: int) -> None:
        """So many bytes more are on their way, there or back."""
        now_us = self._clock.now_us()
        if state is not self.status.state:
            self._pace.begin(now_us)
            self.now(state=state, sent_bytes=0, bytes_per_s=None)
        self._pace.moved(moved_bytes, now_us)
        moved = {
            "sent_bytes": self.status.sent_bytes + moved_bytes,
            "bytes_per_s": self._pace.bytes_per_s(now_us),
        }
        self.status = self.status.model_copy(update=moved)
        self.alive()

    def alive(self, **changes: Any) -> None:
        """Publish if it is time to."""
        if self._clock.now_us() >= self._due_us:
            self.now(**changes)

    def trouble(self, problem: SottoError, *, must_act: bool) -> None:
        """Something went wrong."""
        told = (problem.what, problem.hint)
        if told != self.status.trouble:
            self.say(problem.what, Priority.WARNING)
        self.now(trouble=told, must_act=must_act)

    def forget(self, problem: SottoError) -> None:
        """That one is over."""
        if self.status.trouble == (problem.what, problem.hint):
            self.now(trouble=None, must_act=False)

    def done(self, *, well: bool) -> None:
        """Something was done; ``well``: nothing is in trouble any more."""
        changes: dict[str, Any] = {"last_success": wire_time(self._clock.utc())}
        if well:
            if self.status.trouble is not None:
                self.say("over: it syncs again", Priority.NOTICE)
            changes |= {"trouble": None, "must_act": False}
        self.now(**changes)

    def say(self, what: str, priority: Priority = Priority.INFO) -> None:
        """A line for whoever looks after the box."""
        self._journal(Entry(what, priority, {"SOTTO_WHAT": "sync"}))
