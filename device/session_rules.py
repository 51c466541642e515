"""What the session table is written with: kinds of events, the context they change, guards and effects.

An effect is a small function ``(context, event) -> (context, actions)``; a guard is a question about both. Neither
knows in which state it is used: that is the table's affair (``device/session.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeAlias

from device.press import Both, Down, Freed, Hold, Press, Stuck
from device.session_events import (
    Action,
    Bookmark,
    Cause,
    Ended,
    Event,
    Failed,
    Fault,
    FaultCleared,
    MarkRequest,
    Opened,
    PeopleRequest,
    Sealed,
    Settle,
    Sound,
    StartRecording,
    StopRecording,
    StopRequest,
    Tick,
    Tone,
    Trouble,
    TurnOver,
    Well,
    Withdraw,
)
from device.words import Button, Consent, Fate, least

_SECOND_US = 1_000_000


class Timer(StrEnum):
    """The deadlines a session can have. Where several are due at once they come in this order."""

    CHOICE = "choice over"
    CONSENT = "consent lapsed"
    REFUSAL = "refusal over"
    WHITE = "white over"
    WINDOW = "window over"
    WARNING = "nearly full length"
    LENGTH = "full length"


@dataclass(frozen=True)
class Due:
    """A deadline has come; ``at_us`` is the deadline itself, however late anybody looked."""

    timer: Timer
    at_us: int


Heard: TypeAlias = Event | Due


class Kind(StrEnum):
    """The columns of the table."""

    CONSENT_DOWN = "CONSENT down"
    CONSENT_PRESS = "CONSENT short press"
    CONSENT_HOLD = "CONSENT held 3 s"
    RECORD_DOWN = "RECORD down"
    RECORD_PRESS = "RECORD short press"
    RECORD_HOLD = "RECORD held 1.5 s"
    BOTH = "both buttons"
    STUCK = "button stuck"
    FREED = "button freed"
    OPENED = "opened"
    FAILED = "failed"
    TROUBLE = "trouble"
    WELL = "well"
    ENDED = "ended by itself"
    SEALED = "sealed"
    FAULT = "fault"
    FAULT_CLEARED = "fault cleared"
    STOP = "page: stop"
    MARK = "page: mark"
    PEOPLE = "page: people"
    CHOICE_OVER = "3 s without a press"
    CONSENT_LAPSED = "60 s without a press"
    REFUSAL_OVER = "3 s passed"
    WHITE_OVER = "5 s passed"
    WINDOW_OVER = "2 min passed"
    NEARLY_FULL = "5 min left"
    FULL_LENGTH = "maximum length"


_TIMER_KINDS = {
    Timer.CHOICE: Kind.CHOICE_OVER,
    Timer.CONSENT: Kind.CONSENT_LAPSED,
    Timer.REFUSAL: Kind.REFUSAL_OVER,
    Timer.WHITE: Kind.WHITE_OVER,
    Timer.WINDOW: Kind.WINDOW_OVER,
    Timer.WARNING: Kind.NEARLY_FULL,
    Timer.LENGTH: Kind.FULL_LENGTH,
}
_BUTTON_KINDS: dict[tuple[type[Down | Press | Hold], Button], Kind] = {
    (Down, Button.CONSENT): Kind.CONSENT_DOWN,
    (Press, Button.CONSENT): Kind.CONSENT_PRESS,
    (Hold, Button.CONSENT): Kind.CONSENT_HOLD,
    (Down, Button.RECORD): Kind.RECORD_DOWN,
    (Press, Button.RECORD): Kind.RECORD_PRESS,
    (Hold, Button.RECORD): Kind.RECORD_HOLD,
}
_KINDS: dict[type, Kind] = {
    Both: Kind.BOTH,
    Stuck: Kind.STUCK,
    Freed: Kind.FREED,
    Opened: Kind.OPENED,
    Failed: Kind.FAILED,
    Trouble: Kind.TROUBLE,
    Well: Kind.WELL,
    Ended: Kind.ENDED,
    Sealed: Kind.SEALED,
    Fault: Kind.FAULT,
    FaultCleared: Kind.FAULT_CLEARED,
    StopRequest: Kind.STOP,
    MarkRequest: Kind.MARK,
    PeopleRequest: Kind.PEOPLE,
}


def kind_of(event: Heard) -> Kind:
    """The column of an event. A ``Tick`` has none: it only lets deadlines come."""
    match event:
        case Down() | Press() | Hold():
            return _BUTTON_KINDS[type(event), event.button]
        case Due():
            return _TIMER_KINDS[event.timer]
        case Tick():
            msg = "a tick is no row of the table"
            raise TypeError(msg)
        case _:
            return _KINDS[type(event)]


@dataclass(frozen=True)
class Rules:
    """How long things last; how long a recording may be. All in seconds."""

    armed_s: int = 60
    choice_s: int = 3
    refused_s: int = 3
    white_s: int = 5
    window_s: int = 120
    max_length_s: int = 7_200
    warning_s: int = 300


@dataclass(frozen=True)
class Context:
    """All that a session knows besides its state.

    ``choices`` are those that are over, ``choice`` is the one under way (``None`` before its first press). ``recording``
    is the ordinal of the last recording, 0 before the first. ``fate`` is that of a recording whose window is open.
    """

    rules: Rules = Rules()
    people: int = 1
    choices: tuple[Consent, ...] = ()
    choice: Consent | None = None
    recording: int = 0
    fate: Fate | None = None
    sealed: bool = False
    faults: frozenset[str] = frozenset()
    troubles: frozenset[str] = frozenset()
    spent: dict[Button, int] = field(default_factory=dict)
    timers: dict[Timer, int] = field(default_factory=dict)

    def with_timer(self, timer: Timer, *, at_us: int, after_s: int) -> Context:
        """The same, with this deadline set anew."""
        return replace(self, timers={**self.timers, timer: at_us + after_s * _SECOND_US})

    def keeping(self, timers: frozenset[Timer]) -> Context:
        """The same, with no deadlines but these."""
        return replace(self, timers={timer: at_us for timer, at_us in self.timers.items() if timer in timers})

    def having_spent(self, event: Heard) -> Context:
        """The same, with the press of this event used up, if it is one."""
        if not isinstance(event, Down | Press | Hold):
            return self
        return replace(self, spent={**self.spent, event.button: event.press})

    @property
    def chosen(self) -> tuple[Consent, ...]:
        """All choices as they would stand if the one under way ended now; one not begun is none."""
        if len(self.choices) == self.people:
            return self.choices
        return (*self.choices, self.choice or Consent.NONE)

    @property
    def shown(self) -> Consent:
        """What the blue lamps show: the consent once everybody has chosen, until then the choice under way."""
        return least(self.choices) if len(self.choices) == self.people else self.choice or Consent.NONE


Guard: TypeAlias = Callable[[Context, Heard], bool]
Effect: TypeAlias = Callable[[Context, Heard], tuple[Context, tuple[Action, ...]]]


def name_of(event: Heard) -> str:
    """The name under which a trouble or a fault stands."""
    match event:
        case Stuck(button=button) | Freed(button=button):
            return f"stuck {button}"
        case Trouble(name=name) | Well(name=name) | Fault(name=name) | FaultCleared(name=name):
            return name
        case _:
            msg = f"no trouble or fault: {event}"
            raise TypeError(msg)


# -- guards -----------------------------------------------------------------------------------------------------------


def several_people(ctx: Context, _event: Heard) -> bool:
    """More than one person chooses."""
    return ctx.people > 1


def steps_to_none(ctx: Context, _event: Heard) -> bool:
    """One more step takes the consent back."""
    return least(ctx.choices).step() is Consent.NONE


def others_to_come(ctx: Context, _event: Heard) -> bool:
    """Somebody after this person has still to choose."""
    return len(ctx.choices) + 1 < ctx.people


def all_allow(ctx: Context, _event: Heard) -> bool:
    """With the choice under way everybody has chosen, and nobody chose none."""
    return len(ctx.chosen) == ctx.people and least(ctx.chosen) is not Consent.NONE


def faults_stand(ctx: Context, _event: Heard) -> bool:
    """The box could not record the next session."""
    return bool(ctx.faults)


def new_fault(ctx: Context, event: Heard) -> bool:
    """This fault does not stand yet."""
    return name_of(event) not in ctx.faults


def last_fault(ctx: Context, event: Heard) -> bool:
    """No other fault stands."""
    return not ctx.faults - {name_of(event)}


def new_trouble(ctx: Context, event: Heard) -> bool:
    """This trouble does not stand yet."""
    return name_of(event) not in ctx.troubles


def last_trouble(ctx: Context, event: Heard) -> bool:
    """No other trouble stands."""
    return not ctx.troubles - {name_of(event)}


def durable(ctx: Context, _event: Heard) -> bool:
    """The recording has been sealed."""
    return ctx.sealed


# -- effects: consent -------------------------------------------------------------------------------------------------


def _by_hand(ctx: Context, event: Heard) -> Context:
    return ctx.with_timer(Timer.CONSENT, at_us=event.at_us, after_s=ctx.rules.armed_s)


def consent_step(ctx: Context, event: Heard) -> tuple[Context, tuple[Action, ...]]:
    """The one person's press: from none to sound, from sound to sound and picture."""
    return replace(_by_hand(ctx, event), choices=(least(ctx.choices).step(),)), ()


def begin_choosing(ctx: Context, event: Heard) -> tuple[Context, tuple[Action, ...]]:
    """The first person's first press; whatever had been chosen is gone."""
    return choice_step(replace(ctx, choices=(), choice=None), event)


def choice_step(ctx: Context, event: Heard) -> tuple[Context, tuple[Action, ...]]:
    """A press of the person whose turn it is."""
    choice = (ctx.choice or Consent.NONE).step()
    ctx = _by_hand(ctx, event).with_timer(Timer.CHOICE, at_us=event.at_us, after_s=ctx.rules.choice_s)
    return replace(ctx, choice=choice), ()


def end_choice(ctx: Context, event: Heard) -> tuple[Context, tuple[Action, ...]]:
    """This person has chosen; the next one's turn begins, or there is a consent."""
    ctx = ctx.keeping(frozenset(ctx.timers) - {Timer.CHOICE})
    if not isinstance(event, Due):
        ctx = _by_hand(ctx, event)
    return replace(ctx, choices=ctx.chosen, choice=None), ()


def drop_consent(ctx: Context, _event: Heard) -> tuple[Context, tuple[Action, ...]]:
    """Nobody has allowed anything any more."""
    return replace(ctx, choices=(), choice=None), ()


def set_people(ctx: Context, event: Heard) -> tuple[Context, tuple[Action, ...]]:
    """So many people will choose."""
    return (replace(ctx, people=event.people) if isinstance(event, PeopleRequest) else ctx), ()


# -- effects: recording -----------------------------------------------------------------------------------------------


def start(ctx: Context, event: Heard) -> tuple[Context, tuple[Action, ...]]:
    """Record what the least choice allows."""
    choices = ctx.chosen
    rules = ctx.rules
    ctx = replace(ctx, choices=choices, choice=None, recording=ctx.recording + 1, sealed=False)
    ctx = ctx.with_timer(Timer.LENGTH, at_us=event.at_us, after_s=rules.max_length_s)
    if rules.max_length_s > rules.warning_s:
        ctx = ctx.with_timer(Timer.WARNING, at_us=event.at_us, after_s=rules.max_length_s - rules.warning_s)
    return ctx, (StartRecording(ctx.recording, event.at_us, least(choices), choices),)


def bookmark(ctx: Context, event: Heard) -> tuple[Context, tuple[Action, ...]]:
    """Mark this moment."""
    return ctx, (Bookmark(ctx.recording, event.at_us),)


def open_window(ctx: Context, event: Heard) -> tuple[Context, tuple[Action, ...]]:
    """The recording is over: its fate is open for two minutes, its consent, people and troubles are gone."""
    ctx = replace(ctx, people=1, choices=(), choice=None, troubles=frozenset(), fate=Fate.KEPT)
    return ctx.with_timer(Timer.WINDOW, at_us=event.at_us, after_s=ctx.rules.window_s), ()


def stop(cause: Cause) -> Effect:
    """The recording is stopped and kept."""

    def stop_(ctx: Context, event: Heard) -> tuple[Context, tuple[Action, ...]]:
        recording = ctx.recording
        ctx, _ = open_window(ctx, event)
        return ctx, (StopRecording(recording, event.at_us, cause),)

    return stop_


def withdraw(ctx: Context, event: Heard) -> tuple[Context, tuple[Action, ...]]:
    """The devices are closed at once, and the fate is withdrawn."""
    ctx, _ = open_window(ctx, event)
    return replace(ctx, fate=Fate.WITHDRAWN), (Withdraw(ctx.recording, event.at_us),)


def never_began(ctx: Context, _event: Heard) -> tuple[Context, tuple[Action, ...]]:
    """The devices did not open: no recording, no window, no consent."""
    return replace(ctx, choices=(), choice=None, troubles=frozenset()), ()


# -- effects: the window ----------------------------------------------------------------------------------------------


def turn_over(ctx: Context, event: Heard) -> tuple[Context, tuple[Action, ...]]:
    """Kept becomes withdrawn, withdrawn becomes kept."""
    fate = Fate.KEPT if ctx.fate is Fate.WITHDRAWN else Fate.WITHDRAWN
    return replace(ctx, fate=fate), (TurnOver(ctx.recording, event.at_us, fate),)


def settle(ctx: Context, event: Heard) -> tuple[Context, tuple[Action, ...]]:
    """The window is closed, and the fate is final."""
    if ctx.fate is None:
        msg = "no window is open"
        raise TypeError(msg)
    return replace(ctx, fate=None), (Settle(ctx.recording, event.at_us, ctx.fate),)


def note_sealed(ctx: Context, _event: Heard) -> tuple[Context, tuple[Action, ...]]:
    """The recording is durable."""
    return replace(ctx, sealed=True), ()


def show_white(ctx: Context, event: Heard) -> tuple[Context, tuple[Action, ...]]:
    """For five seconds."""
    return ctx.with_timer(Timer.WHITE, at_us=event.at_us, after_s=ctx.rules.white_s), ()


# -- effects: what is wrong -------------------------------------------------------------------------------------------


def show_refusal(ctx: Context, event: Heard) -> tuple[Context, tuple[Action, ...]]:
    """For three seconds."""
    return ctx.with_timer(Timer.REFUSAL, at_us=event.at_us, after_s=ctx.rules.refused_s), ()


def note_fault(ctx: Context, event: Heard) -> tuple[Context, tuple[Action, ...]]:
    """It stands until it is cleared, whatever is going on."""
    return replace(ctx, faults=ctx.faults | {name_of(event)}), ()


def forget_fault(ctx: Context, event: Heard) -> tuple[Context, tuple[Action, ...]]:
    """It is over."""
    return replace(ctx, faults=ctx.faults - {name_of(event)}), ()


def note_trouble(ctx: Context, event: Heard) -> tuple[Context, tuple[Action, ...]]:
    """It stands until it is over or the recording is."""
    return replace(ctx, troubles=ctx.troubles | {name_of(event)}), ()


def forget_trouble(ctx: Context, event: Heard) -> tuple[Context, tuple[Action, ...]]:
    """It is over."""
    return replace(ctx, troubles=ctx.troubles - {name_of(event)}), ()


def sound(tone: Tone) -> Effect:
    """Say it."""

    def sound_(ctx: Context, _event: Heard) -> tuple[Context, tuple[Action, ...]]:
        return ctx, (Sound(tone),)

    return sound_
