"""The capture service: what the panel, the clock, the recorder and the page tell goes to the session machine, one thing
at a time, and what the machine answers is done.

One thread does all of this and never waits for a device or a disk; everything else reaches it through its inbox.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from device.capture.diary import entry_of
from device.capture.health import Health
from device.capture.putting_in_order import PuttingInOrder
from device.capture.readmodel import Sounder, make_status
from device.capture.recorder import Recorder
from device.capture.trail import Stand, faults, trail_of
from device.capture.upkeep import Upkeep
from device.clock import Clock
from device.journal import Journal
from device.notify import ALIVE, READY, STOPPING, Notify
from device.panel import Panel
from device.panel_language import Face, face
from device.press import Event as HandEvent
from device.press import Levels
from device.recording.audited import Tell
from device.requests import Mark, People, Request, Stop
from device.session import Session
from device.session_events import (
    Event,
    Fault,
    FaultCleared,
    MarkRequest,
    Offer,
    PeopleRequest,
    Sound,
    State,
    StopRequest,
    Tick,
)
from device.status import Status
from device.stills import Still
from device.words import Button

# Every change is told at once. What merely goes on is told twice as often as a page asks, and looked after as often, in
# one go: to wake costs this thread as much as what it then does.
_WATCH_US: Final = 500_000
_STATUS_BUSY_US: Final = _WATCH_US
_STATUS_IDLE_US: Final = 1_000_000
_HEALTH_US: Final = 5_000_000
_LAST_LOOK_S: Final = 2.0
# After most cuts the store is in order sooner than this, and nobody need hear three low tones for it.
_IN_ORDER_S: Final = 2.0
_NOBODY_THERE: Final = frozenset({State.IDLE, State.FAULT})

Message = Callable[[int], None]
"""Something to be done on the service's thread; it is told what time it is."""


class CaptureService:
    """Runs the box: consent, recording and the light that tells the truth about both."""

    def __init__(
        self,
        *,
        clock: Clock,
        panel: Panel,
        session: Session,
        levels: Levels,
        recorder: Recorder,
        health: Health,
        putting_in_order: PuttingInOrder,
        publish: Callable[[Status], None],
        notify: Notify,
        journal: Journal,
        upkeep: Upkeep | None,
        tell: Tell,
        box: str,
        simulated: tuple[str, ...],
    ) -> None:
        self._clock = clock
        self._panel = panel
        self._session = session
        self._levels = levels
        self._recorder = recorder
        self._health = health
        self._putting_in_order = putting_in_order
        self._publish = publish
        self._notify = notify
        self._journal = journal
        self._upkeep = upkeep
        self._tell = tell
        self._box = box
        self._simulated = simulated
        self._sounder = Sounder()
        self._condition = threading.Condition()
        self._inbox: deque[Message] = deque()
        self._stopping = False
        self._looking: threading.Thread | None = None
        self._next_status_us = self._next_watch_us = self._next_health_us = clock.now_us()

    # -- from any thread ----------------------------------------------------------------------------------------------

    def post(self, message: Message) -> None:
        """Have something done on the service's thread."""
        with self._condition:
            self._inbox.append(message)
            self._condition.notify()

    def request(self, request: Request) -> None:
        """What the page asks: it can stop, mark and say how many people choose. (What it names is the desk's.)"""
        match request:
            case Stop():
                self.post(lambda now_us: self._hear(StopRequest(now_us)))
            case Mark():
                self.post(lambda now_us: self._hear(MarkRequest(now_us)))
            case People(people=people):
                self.post(lambda now_us: self._hear(PeopleRequest(now_us, people)))

    def still(self) -> Still | None:
        """What the camera sees, while a framing check lasts; nothing at any other time."""
        return self._recorder.still(self._clock.now_us())

    def stop(self) -> None:
        """End the service: a recording that runs is stopped, kept and sealed first."""
        self._stopping = True
        self.post(lambda now_us: self._hear(StopRequest(now_us)))

    # -- the service's own thread -------------------------------------------------------------------------------------

    def run(self) -> None:
        """Serve until ``stop``; every recording is sealed on return, and its fate so far is durable."""
        self._putting_in_order.start(done=self._look_soon, patience_s=_IN_ORDER_S)
        self._health.check()
        self._note_health(self._clock.now_us())
        self._panel.start(self._on_level)
        self._notify(READY)
        if self._upkeep is not None:
            self._upkeep.start(may_work=lambda: self._nobody_there)
        try:
            while not (self._stopping and not self._inbox and self._all_idle()):
                self._step()
        finally:
            self._notify(STOPPING)
            self._panel.close()
            if self._upkeep is not None:
                self._upkeep.stop(patience_s=_LAST_LOOK_S)
            if self._looking is not None:
                self._looking.join(_LAST_LOOK_S)

    @property
    def _nobody_there(self) -> bool:
        """Whether no session is under way, and no recording waits for its seal or for the end of its window."""
        here = self._session.state not in _NOBODY_THERE or self._recorder.takes or self._health.recovering
        return not here and not self._stopping

    def _all_idle(self) -> bool:
        return not self._recorder.holds_devices and all(take.idle for take in self._recorder.takes)

    def _step(self) -> None:
        self._wait()
        # Whatever hands did until now is told once this returns, and heard before the time is: a press that this thread
        # had no moment for, because the box was busy, is as long as it was.
        now_us = self._clock.now_us()
        self._panel.poll()
        for message in self._taken():
            message(self._clock.now_us())
        self._hear_hands(self._levels.tick(now_us))
        now_us = self._clock.now_us()
        self._let_pass(now_us)
        if now_us >= self._next_health_us:
            self._next_health_us = now_us + _HEALTH_US
            self._look_after_health()
        self._next_watch_us = now_us + _WATCH_US
        self._recorder.watch(now_us)
        self._show()
        if now_us >= self._next_status_us:
            self._publish_status(now_us)
            # A process that lives is no proof of anything: the watchdog is fed while sound becomes durable, or while
            # there is none to write and the panel answers.
            if not any(take.stuck(now_us) for take in self._recorder.takes):
                self._notify(ALIVE)

    def _wait(self) -> None:
        deadlines = [self._next_status_us, self._next_health_us]
        if self._session.capturing:
            deadlines.append(self._next_watch_us)
        deadlines += [due for due in (self._session.next_deadline_us, self._levels.next_deadline_us) if due is not None]
        with self._condition:
            if not self._inbox:
                self._clock.wait(self._condition, min(deadlines))

    def _taken(self) -> deque[Message]:
        with self._condition:
            # Swapped, not copied and cleared: a signal's handler on this very thread may post at any moment.
            messages, self._inbox = self._inbox, deque()
            return messages

    def _on_level(self, button: Button, down: bool, at_us: int) -> None:  # noqa: FBT001  # the contract of OnLevel
        self.post(lambda _now_us: self._hear_hands(self._levels.level(button, down=down, at_us=at_us)))

    def _hear_hands(self, events: tuple[HandEvent, ...]) -> None:
        for event in events:
            self._hear(event)

    def _let_pass(self, now_us: int) -> None:
        """Tell the session what time it is, where that changes anything."""
        due_us = self._session.next_deadline_us
        if due_us is not None and due_us <= now_us:
            self._hear(Tick(now_us))

    def _hear(self, event: Event) -> None:
        if not isinstance(event, Tick):
            # Deadlines that have passed are told as what they are, not as the doing of whatever came next.
            self._let_pass(event.at_us)
        stood, before = Stand.of(self._session), self._session.state
        actions = self._session.handle(event)
        for happened in trail_of(event, actions, before=stood, session=self._session, find_id=self._recorder.find_id):
            self._tell(happened)
        for action in actions:
            # The light is on before a device is opened, and stays until the last one is closed.
            self._show()
            if isinstance(action, Sound):
                self._sounder.say(action.tone)
                self._panel.sound(action.tone)
            else:
                self._recorder.obey(action, report=self._on_report, changed=self._on_change)
        if actions or self._session.state != before:
            self._next_status_us = 0  # whoever looks sees it at once
        if (entry := entry_of(event, before=before, after=self._session.state)) is not None:
            self._journal(entry)

    def _on_report(self, report: Event) -> None:
        self.post(lambda _now_us: self._hear(report))

    def _on_change(self) -> None:
        self.post(lambda _now_us: self._show())

    @property
    def _face(self) -> Face:
        shown = face(self._session, unsynced=self._upkeep is not None and self._upkeep.unsynced)
        return Face(room_light=shown.room_light or self._recorder.holds_devices, lamps=shown.lamps)

    def _show(self) -> None:
        self._panel.show(self._face)

    def _look_soon(self) -> None:
        """Have the health looked at on the next step, from any thread."""

        def soon(now_us: int) -> None:
            self._next_health_us = now_us

        self.post(soon)

    def _look_after_health(self) -> None:
        """Have the store looked at, on another thread: a disk that stalls must not keep a withdrawal waiting."""
        if self._looking is None or not self._looking.is_alive():
            self._looking = threading.Thread(target=self._look, name="health", daemon=True)
            self._looking.start()

    def _look(self) -> None:
        self._health.check(writing=any(not take.sealed for take in self._recorder.takes))
        self.post(self._note_health)

    def _note_health(self, now_us: int) -> None:
        standing = {problem.what for problem in self._health.problems}
        known = self._health.told
        for what in standing - known:
            self._hear(Fault(now_us, what))
        for what in known - standing:
            self._hear(FaultCleared(now_us, what))
        if standing != known:
            self._tell(faults(self._health.problems))
        self._health.told = standing
        self._hear(Offer(now_us, self._health.offer))

    def _publish_status(self, now_us: int) -> None:
        self._next_status_us = now_us + (_STATUS_BUSY_US if self._session.capturing else _STATUS_IDLE_US)
        status = make_status(
            box=self._box,
            simulated=self._simulated,
            clock=self._clock,
            session=self._session,
            shown=self._face,
            sounder=self._sounder,
            recorder=self._recorder,
            health=self._health,
            warnings=() if self._upkeep is None else self._upkeep.warnings,
        )
        with contextlib.suppress(OSError):  # its readers see that it grows old; the sound goes on without them
            self._publish(status)
