"""Random hands on real buttons, a recorder, a page and a failing box, against a reference that knows only hands.

``device.press`` and ``device.session`` run together. The reference never asks the session for its state: it knows what
the buttons told, which devices the actions opened, and the promises.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from device.panel_language import face
from device.press import Both, Down, Freed, Hold, Levels, Press, Stuck
from device.press import Event as Hand
from device.session import Session
from device.session_events import (
    Action,
    Ended,
    Event,
    Failed,
    Fault,
    FaultCleared,
    FramingLost,
    MarkRequest,
    Offer,
    Opened,
    PeopleRequest,
    Sealed,
    Settle,
    StartFraming,
    StartRecording,
    StopFraming,
    StopRecording,
    StopRequest,
    Tick,
    Trouble,
    TurnOver,
    Well,
    Withdraw,
)
from device.words import Button, Consent, Fate, least

MS = 1000
S = 1000 * MS
NONE = Consent.NONE


class Choices:
    """What several people, or one, have chosen, from the presses alone."""

    def __init__(self) -> None:
        self.people = 1
        self.forget()

    def forget(self) -> None:
        self.over: list[Consent] = []
        self.now: Consent | None = None
        self.last_us: int | None = None

    def until(self, now_us: int) -> None:
        """Time has passed without a press."""
        if self.last_us is not None and self.people > 1 and self.now and now_us >= self.last_us + 3150 * MS:
            self.end()
        if self.last_us is not None and now_us >= self.last_us + 60 * S:
            self.forget()

    def end(self) -> None:
        self.over.append(self.now or NONE)
        self.now = None
        if len(self.over) == self.people and NONE in self.over:
            self.forget()

    @property
    def under_way(self) -> list[Consent]:
        """All that is chosen so far, the choice under way included."""
        return [*self.over, *([] if self.now is None else [self.now])]

    def consent(self, at_us: int, *, most: Consent) -> None:
        if len(self.over) == self.people:
            self.over = []
        self.now = (self.now or NONE).step(most=most)
        self.last_us = at_us
        if self.people == 1 and self.now is NONE:
            self.forget()

    @property
    def armed(self) -> tuple[Consent, ...]:
        """Everybody's choices, if everybody has chosen and nobody has still to say that this was all."""
        alone = (self.now,) if self.people == 1 and self.now is not None else ()
        return tuple(self.over) if len(self.over) == self.people else alone

    def record(self, at_us: int) -> tuple[Consent, ...]:
        """What a recording may start with now: everybody's choices, or nothing."""
        if self.last_us is None:
            return ()
        if len(self.over) < self.people:
            self.end()
            self.last_us = at_us if self.over else None
        return tuple(self.over) if len(self.over) == self.people else ()


class Hands(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now_us = 10 * S
        self.pins = dict.fromkeys(Button, False)
        self.boot()

    # -- the box ------------------------------------------------------------------------------------------------------

    @rule()
    def boot(self) -> None:
        """Power comes back: nothing is remembered, and buttons may be down."""
        self.session = Session()
        self.levels = Levels()
        self.choices = Choices()
        self.offered = Consent.SOUND_AND_PICTURE
        self.used: set[int] = set()
        self.open: int | None = None  # the recording whose devices are open
        self.expected: Consent | None = None
        self.framing: int | None = None  # the framing check whose camera is open
        self.framed = 0
        self.may_frame = False
        self.started = 0
        self.fates: dict[int, Fate] = {}  # of recordings whose window is open
        self.ended_us = 0
        self.sealed: set[int] = set()
        self.faults: set[str] = set()
        self.may_start: tuple[Consent, ...] = ()
        for button, down in self.pins.items():
            self.hear(self.levels.level(button, down=down, at_us=self.now_us))

    def hear(self, hands: tuple[Hand, ...]) -> None:
        for hand in hands:
            self.refer(hand)
            self.do(hand)

    def refer(self, hand: Hand) -> None:
        """What the reference makes of a hand, before the session hears of it."""
        self.may_start, self.may_frame = (), False
        self.choices.until(self.now_us)
        match hand:
            case Down(button=Button.RECORD) | Press(button=Button.RECORD) | Hold(button=Button.RECORD):
                self.refer_record(hand)
            case Down(button=Button.CONSENT) | Press(button=Button.CONSENT) | Hold(button=Button.CONSENT):
                self.refer_consent(hand)
            case Both():
                self.choices.forget()
            case Stuck(button=button):
                self.fault(f"stuck {button}")
            case Freed(button=button):
                self.faults.discard(f"stuck {button}")
            case _:
                pass

    def refer_record(self, hand: Down | Press | Hold) -> None:
        if hand.press in self.used or self.open is not None:
            return
        waits = self.framing is None and least(self.choices.armed) is Consent.SOUND_AND_PICTURE
        down = isinstance(hand, Down)
        if waits and down:
            return  # a press, or is it held?
        self.used.add(hand.press)
        if self.fates or self.faults:
            return
        if waits and isinstance(hand, Hold):
            self.may_frame, self.choices.last_us = True, hand.at_us
        elif waits or down:
            self.may_start = self.choices.record(hand.at_us)
            if not self.may_start and len(self.choices.over) == 0:
                self.choices.forget()

    def refer_consent(self, hand: Down | Press | Hold) -> None:
        in_window = bool(self.fates)
        if hand.press in self.used or (in_window and isinstance(hand, Down)):
            return
        self.used.add(hand.press)
        if self.open is not None:
            return  # a withdrawal: ``do`` sees to it
        if self.framing is not None:
            self.choices.forget()
            return
        if in_window and isinstance(hand, Hold):
            (recording,) = self.fates
            self.fates[recording] = Fate.KEPT if self.fates[recording] is Fate.WITHDRAWN else Fate.WITHDRAWN
            return
        if in_window:
            self.choices.forget()
        self.step(hand.at_us)

    def step(self, at_us: int) -> None:
        if not self.faults:
            self.choices.consent(at_us, most=self.offered)

    def fault(self, name: str) -> None:
        self.faults.add(name)
        self.choices.forget()

    def do(self, event: Event) -> None:
        capturing = self.open
        withdrawing = capturing is not None and isinstance(event, Down) and event.button is Button.CONSENT
        unframing = self.framing is not None and isinstance(event, Down | Both | StopRequest | PeopleRequest)
        actions = self.session.handle(event)
        if unframing:  # whoever does anything has the camera closed in this very answer
            assert StopFraming in [type(action) for action in actions]
        if withdrawing:  # P3: at once, in this very answer
            assert Withdraw in [type(action) for action in actions]
        for action in actions:
            self.check(action, event)

    def check(self, action: Action, event: Event) -> None:
        match action:
            case StartFraming():
                assert isinstance(event, Hold)  # P1: by hand, with everybody's consent to a picture
                assert event.button is Button.RECORD
                assert self.may_frame
                assert self.open is self.framing is None
                self.may_frame, self.framing, self.framed = False, action.framing, action.framing
            case StopFraming():
                assert action.framing == self.framing
                self.framing = None
            case StartRecording():
                assert isinstance(event, Down | Press)  # P1: by hand, with everybody's consent since this box started
                assert event.button is Button.RECORD
                assert self.open is self.framing is None
                assert action.choices == self.may_start
                assert action.consent is least(self.may_start) is not NONE  # P2
                self.may_start = ()
                self.open = self.started = action.recording
                self.expected = action.consent
            case StopRecording() | Withdraw():
                assert action.recording == self.open
                assert isinstance(action, StopRecording) or isinstance(event, Down | Press | Hold)
                self.end(Fate.WITHDRAWN if isinstance(action, Withdraw) else Fate.KEPT, action.at_us)
            case TurnOver():
                assert isinstance(event, Hold)
                assert self.fates == {action.recording: action.fate}
            case Settle():
                assert self.fates.pop(action.recording) is action.fate  # P3
                assert isinstance(event, Press | Failed) or action.at_us == self.ended_us + 120 * S
            case _:
                pass

    def end(self, fate: Fate, at_us: int) -> None:
        assert self.open is not None
        assert not self.fates
        self.fates[self.open] = fate
        self.open, self.ended_us = None, at_us
        self.choices = Choices()

    # -- time and hands -----------------------------------------------------------------------------------------------

    @rule(ms=st.sampled_from([5, 21, 70, 130, 300, 900, 1600, 3200, 5000, 31_000, 61_000, 119_000, 121_000]))
    def wait(self, ms: int) -> None:
        until_us = self.now_us + ms * MS
        while True:
            due = [us for us in (self.session.next_deadline_us, self.levels.next_deadline_us) if us is not None]
            self.now_us = max(self.now_us, min([until_us, *due]))
            self.do(Tick(self.now_us))
            self.hear(self.levels.tick(self.now_us))
            if self.now_us == until_us:
                return

    def turn(self, button: Button, bounce_ms: list[int]) -> None:
        """Press what is up, release what is down; the contact bounces."""
        self.pins[button] = not self.pins[button]
        for at_ms in bounce_ms:
            self.hear(self.levels.level(button, down=self.pins[button], at_us=self.now_us))
            self.wait(at_ms)
            self.hear(self.levels.level(button, down=not self.pins[button], at_us=self.now_us))
            self.wait(2)
        self.hear(self.levels.level(button, down=self.pins[button], at_us=self.now_us))

    bounces = st.lists(st.integers(1, 9), max_size=4)

    @rule(button=st.sampled_from(Button), bounce_ms=bounces)
    def press_or_release(self, button: Button, bounce_ms: list[int]) -> None:
        self.turn(button, bounce_ms)

    @rule(button=st.sampled_from([Button.CONSENT, Button.CONSENT, Button.RECORD]), bounce_ms=bounces)
    def tap(self, button: Button, bounce_ms: list[int]) -> None:
        self.turn(button, bounce_ms)
        self.wait(200)
        self.turn(button, bounce_ms)
        self.wait(200)

    @rule(button=st.sampled_from(Button))
    def hold(self, button: Button) -> None:
        self.turn(button, [])
        self.wait(3300)
        self.turn(button, [])
        self.wait(200)

    @rule(gap_ms=st.integers(0, 90))
    def both(self, gap_ms: int) -> None:
        self.turn(Button.CONSENT, [])
        self.wait(gap_ms)
        self.turn(Button.RECORD, [])
        self.wait(200)

    @rule(people=st.integers(1, 3), taps=st.integers(1, 2))
    def begin(self, people: int, taps: int) -> None:
        """What usually happens, so that recordings are common."""
        if people > 1:
            self.people(people)
        for _ in range(people):
            for _ in range(taps):
                self.tap(Button.CONSENT, [])
            self.tap(Button.RECORD, [])

    @rule(people=st.integers(1, 2))
    def frame(self, people: int) -> None:
        """So that framing is common, too."""
        self.people(people)
        for _ in range(people):
            self.tap(Button.CONSENT, [])
            self.tap(Button.CONSENT, [])
            if people > 1:
                self.wait(3200)
        self.hold(Button.RECORD)

    @rule(button=st.sampled_from(Button), ms=st.integers(1, 19))
    def spike(self, button: Button, ms: int) -> None:
        if not self.pins[button]:
            self.turn(button, [])
            self.wait(ms)
            self.turn(button, [])

    # -- the page, the recorder, the box ------------------------------------------------------------------------------

    @rule(people=st.integers(1, 3))
    def people(self, people: int) -> None:
        self.choices.until(self.now_us)
        if self.open is None:
            self.choices.forget()
            self.choices.people = people
        self.do(PeopleRequest(self.now_us, people))

    @rule(kind=st.sampled_from([StopRequest, MarkRequest]))
    def request(self, kind: type[StopRequest | MarkRequest]) -> None:
        self.do(kind(self.now_us))

    @precondition(lambda self: self.open is not None)
    @rule(kind=st.sampled_from([Trouble, Well]), name=st.sampled_from("ab"))
    def report(self, kind: type[Trouble | Well], name: str) -> None:
        self.do(kind(self.started, self.now_us, name))

    @precondition(lambda self: self.open is not None)
    @rule(how=st.sampled_from(["opened", "opened", "failed", "ended"]))
    def recorder(self, how: str) -> None:
        if how == "opened":
            self.do(Opened(self.started, self.now_us))
        elif how == "failed":
            self.open = None
            self.choices.forget()
            self.do(Failed(self.started, self.now_us, "no microphone"))
        else:
            self.end(Fate.KEPT, self.now_us)
            self.do(Ended(self.started, self.now_us, "store full"))

    @precondition(lambda self: self.framed > 0)
    @rule(late=st.booleans())
    def lose(self, *, late: bool) -> None:
        """The camera is gone that is looked through, or one that was."""
        if not late and self.framing is not None:
            self.framing = None
            self.do(FramingLost(self.framed, self.now_us, "gone"))
        elif self.framing is None:
            assert self.session.handle(FramingLost(self.framed, self.now_us, "late")) == ()

    @rule(back=st.integers(0, 2))
    def seal(self, back: int) -> None:
        if (recording := self.started - back) > 0 and recording != self.open:
            self.do(Sealed(recording, self.now_us))

    @rule(stale=st.sampled_from([Failed, Ended, Trouble]))
    def late_report(self, stale: type[Failed | Ended | Trouble]) -> None:
        if self.started > 1:
            before = (self.session.state, self.session.context)
            assert self.session.handle(stale(self.started - 1, self.now_us, "late")) == ()
            assert before == (self.session.state, self.session.context)

    @rule(name=st.sampled_from("xy"), clear=st.booleans())
    def health(self, name: str, *, clear: bool) -> None:
        self.choices.until(self.now_us)
        if clear or name == "y":  # faults go sooner than they come
            self.faults.discard(name)
            self.do(FaultCleared(self.now_us, name))
        else:
            self.fault(name)
            self.do(Fault(self.now_us, name))

    @rule(most=st.sampled_from([Consent.SOUND, Consent.SOUND_AND_PICTURE]))
    def room(self, most: Consent) -> None:
        """Others fill the store, or make room in it."""
        self.choices.until(self.now_us)
        choosing = self.open is None and bool(self.choices.under_way)
        framing = self.framing is not None
        if most is Consent.SOUND:
            self.offered = most
            if choosing and least(self.choices.under_way) is Consent.SOUND_AND_PICTURE:
                self.choices.forget()
        elif not choosing:
            self.offered = most
        self.do(Offer(self.now_us, most))
        assert not framing or (self.framing is None) == (most is Consent.SOUND)

    # -- what holds always --------------------------------------------------------------------------------------------

    @invariant()
    def the_room_light_is_on_exactly_while_devices_are_open(self) -> None:
        opened = self.open is not None or self.framing is not None
        assert face(self.session).room_light == self.session.capturing == opened  # P7

    @invariant()
    def what_is_recorded_is_what_was_allowed(self) -> None:
        if self.open is not None:
            assert self.session.consent is self.expected

    @invariant()
    def a_fate_is_open_exactly_in_a_window(self) -> None:
        assert ([self.session.fate] if self.session.fate else []) == list(self.fates.values())

    @invariant()
    def deadlines_are_still_to_come(self) -> None:
        due_us = self.session.next_deadline_us
        assert due_us is None or due_us > self.now_us - 200 * MS


TestHands = Hands.TestCase
TestHands.settings = settings(max_examples=120, stateful_step_count=50, deadline=None)
