"""The loop of the sync process. Each turn looks at the store anew, does the first thing that there is to do, and begins
again: there is no queue that could be wrong after a cut. What goes wrong is told, waited for, and tried again.

Nothing leaves the room unless capture runs and says so: without a fresh status nobody knows which window is open.
"""

from __future__ import annotations

from typing import Final

from device.errors import (
    AdminError,
    DamagedError,
    PutOffError,
    RemoteAwayError,
    RemoteError,
    RemoteFullError,
    RetryError,
    SottoError,
)
from device.lived import DAY_US
from device.notify import READY, STOPPING, Notify
from device.sync.looking import Looking, window_of
from device.sync.sending import unread
from device.sync.steps import SpoiledError, Steps
from device.sync.telling import Telling
from device.sync.waiting import Waiting
from device.sync_queue import Erase, Send, Step, due, smallest
from device.sync_schedule import Chance, backoff_s, slow_s
from device.sync_status import SyncState

_LOOK_S: Final = 15.0
_SOON_S: Final = 2.0
_ASIDE_S: Final = 6 * 3600.0  # what cannot be synced as it is keeps neither the line nor the others busy


class Sync:
    """Runs until ``Waiting.stop``."""

    def __init__(
        self,
        *,
        looking: Looking,
        steps: Steps,
        waiting: Waiting,
        telling: Telling,
        stuck_days: int,
        start_jitter_s: float,
        chance: Chance,
        notify: Notify,
    ) -> None:
        self._looking = looking
        self._steps = steps
        self._waiting = waiting
        self._telling = telling
        self._stuck_us = stuck_days * DAY_US
        self._start_jitter_s = start_jitter_s
        self._chance = chance
        self._notify = notify
        self._failures = 0
        self._full = False
        self._aside: dict[str, float] = {}  # not tried again before then, by the monotonic clock

    def run(self) -> None:
        """Serve until stopped."""
        self._telling.at(SyncState.IDLE)
        self._notify(READY)
        self._rest(self._start_jitter_s * self._chance())  # a thousand boxes get their power back at once
        while not self._waiting.ending:
            self.turn()
        self._notify(STOPPING)

    def turn(self) -> None:
        """Do one thing, or wait."""
        status = self._looking.status(unix_s=self._waiting.unix_s())
        if status is None:
            self._telling.at(SyncState.WAITING)
            self._telling.trouble(_no_capture(), must_act=False)
            self._rest(_SOON_S)
            return
        self._telling.forget(_no_capture())
        try:
            steps = due(self._looking.standing(), self._looking.orders(), window=window_of(status))
        except SottoError as problem:
            self._hold_up(problem, _LOOK_S, must_act=True)
            return
        self._tell_waiting(steps)
        may = [step for step in steps if self._may(step)]
        step = smallest(may) if self._full else next(iter(may), None)
        if step is None:
            self._telling.at(self._idle_state(steps))
            self._rest(_LOOK_S)
        else:
            self._try(step)

    def _tell_waiting(self, steps: tuple[Step, ...]) -> None:
        sending = [step for step in steps if isinstance(step, Send)]
        self._telling.now(
            waiting=len(sending),
            waiting_bytes=sum(step.size_bytes for step in sending),
            orders=len(steps) - len(sending),
            stuck=any(step.standing.age_us >= self._stuck_us for step in sending),
        )

    def _may(self, step: Step) -> bool:
        now_s = self._waiting.now_s()
        if self._aside.get(_key(step), now_s) > now_s:
            return False
        return isinstance(step, Erase) or not (self._waiting.is_paused or self._waiting.limit == 0)

    def _idle_state(self, steps: tuple[Step, ...]) -> SyncState:
        if self._waiting.is_paused:
            return SyncState.PAUSED
        if not steps:
            return SyncState.IDLE
        return SyncState.WAITING if self._waiting.limit == 0 else SyncState.HELD_UP

    # -- one step, and what becomes of it -----------------------------------------------------------------------------

    def _try(self, step: Step) -> None:
        """Do one step. Whatever goes wrong is told, and decides how long to wait."""
        try:
            self._do(step)
        except PutOffError:
            self._telling.at(SyncState.WAITING)
            self._rest(_SOON_S)
        except SpoiledError as problem:
            self._put_aside(step, problem, _ASIDE_S)
        except RemoteFullError as problem:
            self._full = True
            self._hold_up(problem, self._backoff_s(), must_act=True)
        except RemoteError as problem:
            if isinstance(step, Erase):  # an order that is refused keeps no recording from being sent
                self._put_aside(step, problem, slow_s(self._chance()))
            else:
                self._hold_up(problem, slow_s(self._chance()), must_act=True)
        except RemoteAwayError as problem:
            self._hold_up(problem, self._backoff_s(problem.retry_after_s), must_act=False)
        except DamagedError as problem:
            self._put_aside(step, problem, _ASIDE_S)
        except OSError as problem:
            self._put_aside(step, unread(problem), _ASIDE_S)
        except (RetryError, AdminError) as problem:
            self._hold_up(problem, self._backoff_s(), must_act=False)

    def _do(self, step: Step) -> None:
        if isinstance(step, Erase):
            self._steps.erase(step.order)
        else:
            self._steps.send(step, probe=self._full)
        self._failures, self._full = 0, False
        self._aside.pop(_key(step), None)
        self._telling.done(well=not self._aside)  # what was set aside is in trouble, whatever else goes well

    def _put_aside(self, step: Step, problem: SottoError, for_s: float) -> None:
        self._aside[_key(step)] = self._waiting.now_s() + for_s
        self._telling.at(SyncState.HELD_UP)
        self._telling.trouble(problem, must_act=True)

    def _hold_up(self, problem: SottoError, wait_s: float, *, must_act: bool) -> None:
        self._telling.at(SyncState.HELD_UP)
        self._telling.trouble(problem, must_act=must_act)
        self._rest(wait_s)

    def _backoff_s(self, retry_after_s: float | None = None) -> float:
        self._failures += 1
        return backoff_s(self._failures, self._chance(), retry_after_s=retry_after_s)

    def _rest(self, seconds: float) -> None:
        if self._waiting.rest(seconds):
            self._aside.clear()  # somebody says that it is worth another try


def _key(step: Step) -> str:
    return f"order {step.order.recording}" if isinstance(step, Erase) else step.standing.recording


def _no_capture() -> SottoError:
    return RetryError(
        "the capture service does not answer, so nothing is sent", "start it, or look into its log; sync goes on then"
    )
