"""What the box does for its store while nobody is there: lived time is counted on, an erasure that was not finished is
taken up again, and what retention lets go is erased; and so is what waited in vain for a recording and somebody has
ordered to be erased: retention alone never lets go what no remote holds.

On a thread of its own, for all of it waits for the disk, and only while no recording runs, none is sealed and no window
is open. Whatever begins then comes first: an erasure under way stops at its next piece, and goes on another time.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Final

from device.capture.waiting import WaitingRoom
from device.clock import Clock, stamp
from device.errors import StoreError, what_of
from device.journal import Entry, Journal, Priority
from device.lived import Reading, step
from device.recording.audited import Happened, What, Who
from device.retaining import carry_out, survey
from device.retention import Concern, Decision, Policy
from device.store import Store
from device.waiting import waits_still

_FIRST_US: Final = 60_000_000
_EVERY_US: Final = 600_000_000
_RETENTION_EVERY_US: Final = 3_600_000_000
_SLOW_US: Final = 5_000_000  # for one piece of a file: the store has other troubles

Warnings = tuple[tuple[str, str], ...]
"""What somebody should look after, and what to do; for the page."""


class Upkeep:
    """Looks after the store, every ten minutes; retention about once an hour.

    ``start`` and ``stop`` are called from the service's thread, once; ``warnings`` and ``unsynced`` may be read by any.
    """

    def __init__(
        self,
        store: Store,
        *,
        key: bytes,
        policy: Policy | None,
        clock: Clock,
        boot: str,
        journal: Journal,
        waiting: WaitingRoom | None = None,
        note: Callable[[Happened], int | None] = lambda _happened: None,
    ) -> None:
        """``key``: the box's public key, which lived time and receipts have to be signed by.

        ``note``: makes an audit entry durable; ``None`` where it could not: then nothing that waits is erased.
        """
        self.warnings: Warnings = ()
        self.unsynced = False  # recordings wait for too long to get to the clinic, or are another there
        self._store = store
        self._key = key
        self._policy = policy
        self._clock = clock
        self._boot = boot
        self._journal = journal
        self._waiting = waiting
        self._note = note
        self._condition = threading.Condition()
        self._ending = False
        self._may_work: Callable[[], bool] = lambda: False
        self._retained_us: int | None = None
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)

    def start(self, *, may_work: Callable[[], bool]) -> None:
        """Begin. ``may_work``: whether nobody is there to be disturbed; asked again and again, from another thread."""
        self._may_work = may_work
        self._thread.start()

    def stop(self, *, patience_s: float) -> None:
        """End; what is under way stops at its next step, and a disk that keeps it longer keeps nobody else."""
        with self._condition:
            self._ending = True
            self._condition.notify()
        if self._thread.is_alive():
            self._thread.join(patience_s)

    def _run(self) -> None:
        due_us = self._clock.now_us() + _FIRST_US
        while self._wait(due_us):
            due_us = self._clock.now_us() + _EVERY_US
            if self._may_work():
                self.work()

    def _wait(self, due_us: int) -> bool:
        with self._condition:
            while not self._ending and self._clock.now_us() < due_us:
                self._clock.wait(self._condition, due_us)
            return not self._ending

    def work(self) -> None:
        """Do once what there is to do. Whatever goes wrong is told, and tried again the next time."""
        try:
            left = self._finish_erasures()
            self._let_go()
            self.warnings = (*left, *self._look_after())
        except StoreError as problem:
            self._tell(problem.what, Priority.WARNING)
            self.warnings = ((problem.what, problem.hint),)
        except Exception as problem:  # noqa: BLE001  # a thread that dies is told, too: nothing is deleted from then on
            self._tell(what_of(problem), Priority.ERROR)
            self.warnings = ((what_of(problem), "the recordings are safe; start the capture service again"),)

    # -- what was to be erased and is not -----------------------------------------------------------------------------

    def _finish_erasures(self) -> Warnings:
        go_on, left = self._patience(), []
        for recording_id, by in {**dict(self._store.going()), **self._store.erasing.owed}.items():
            try:
                if self._store.erase(recording_id, by=by, at=stamp(self._clock, self._boot), go_on=go_on):
                    self._tell(f"{recording_id} is erased now", Priority.NOTICE)
            except StoreError as problem:
                self._tell(f"{recording_id}: {problem.what}", Priority.WARNING)
                left.append((problem.what, f"the box tries again by itself every ten minutes; {problem.hint}"))
        return tuple(dict.fromkeys(left))

    # -- lived time and retention -------------------------------------------------------------------------------------

    def _look_after(self) -> Warnings:
        now_us = self._clock.now_us()
        wall_us = round(self._clock.utc().timestamp() * 1_000_000)
        reading = Reading(self._boot, now_us, wall_us, self._clock.trusted())
        lived = step(self._store.read_lived(self._key), reading)
        seen = survey(self._store, lived, policy=self._policy, key=self._key)
        self._store.write_lived(seen.lived)
        self.unsynced = any(decision.concern is not None for decision in seen.decisions)
        if self._retained_us is None or now_us - self._retained_us >= _RETENTION_EVERY_US:
            self._retained_us = now_us
            self._retain([decision for decision in seen.decisions if decision.erase])
        return (*warnings_of(seen.decisions), *self._left())

    def _let_go(self) -> None:
        """Erase what found no recording and is ordered to be erased; the audit log knows of it first."""
        for one in () if self._waiting is None else self._waiting.ordered():
            happened = Happened(What.ERASED, by=Who.CLINIC, facts={"attachment": one.kind.value})
            if self._waiting is None or not self._may_work() or self._note(happened) is None:
                return
            self._waiting.erase(one)
            self._tell(f"a {one.kind} that found no recording is erased by order", Priority.NOTICE)

    def _left(self) -> Warnings:
        now = stamp(self._clock, self._boot)
        waiting = () if self._waiting is None else self._waiting.all()
        count = sum(not waits_still(one, now) for one in waiting)
        if not count:
            return ()
        what = "1 label, note or measure lies" if count == 1 else f"{count} labels, notes or measures lie"
        hint = "put them beside one on the page; `sotto wishes` names them, `sotto erase` erases one"
        return ((f"{what} beside no recording", hint),)

    def _retain(self, decisions: list[Decision]) -> None:
        go_on = self._patience()
        for decision in decisions:
            if not go_on():
                return
            if carry_out(self._store, decision, key=self._key, at=stamp(self._clock, self._boot), go_on=go_on):
                self._tell(f"{decision.recording} is erased by retention: {decision.why}", Priority.NOTICE)

    def _patience(self) -> Callable[[], bool]:
        """Whether to go on: nobody came meanwhile, and the store did not take too long since it was last asked."""
        last_us = self._clock.now_us()

        def go_on() -> bool:
            nonlocal last_us
            before_us, last_us = last_us, self._clock.now_us()
            return self._may_work() and not self._ending and last_us - before_us < _SLOW_US

        return go_on

    def _tell(self, what: str, priority: Priority) -> None:
        self._journal(Entry(what, priority, {"SOTTO_WHAT": "upkeep"}))


def warnings_of(decisions: tuple[Decision, ...]) -> Warnings:
    """What the page tells of a survey: how many recordings, never which."""
    told = Counter(decision.concern for decision in decisions)
    found = []
    if count := told[Concern.OLD]:
        found.append(
            (
                f"{_recordings(count)} older than retention expects and not synced",
                "look whether the sync reaches the remote; nothing is deleted before a copy is verified",
            )
        )
    if count := told[Concern.DIFFERS]:
        found.append(
            (
                f"{_recordings(count)} different at the remote from what the box has",
                "ask whoever looks after the remote; nothing is deleted here",
            )
        )
    return tuple(found)


def _recordings(count: int) -> str:
    return "1 recording is" if count == 1 else f"{count} recordings are"
