"""What a session knows besides its state, how long things last, and the columns of its table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeAlias

from device.press import Both, Down, Freed, Hold, Press, Stuck
from device.session_events import (
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
    StopRequest,
    Tick,
    Trouble,
    Well,
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
    LAST_WARNING = "all but full length"
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
    FRAMING_LOST = "camera gone"
    FAULT = "fault"
    FAULT_CLEARED = "fault cleared"
    SOUND_OFFERED = "room for sound only"
    PICTURE_OFFERED = "room for a picture"
    STOP = "page: stop"
    MARK = "page: mark"
    PEOPLE = "page: people"
    CHOICE_OVER = "3 s without a press"
    CONSENT_LAPSED = "60 s without a press"
    REFUSAL_OVER = "3 s passed"
    WHITE_OVER = "5 s passed"
    WINDOW_OVER = "2 min passed"
    NEARLY_FULL = "5 min left"
    ALL_BUT_FULL = "1 min left"
    FULL_LENGTH = "maximum length"


_TIMER_KINDS = {
    Timer.CHOICE: Kind.CHOICE_OVER,
    Timer.CONSENT: Kind.CONSENT_LAPSED,
    Timer.REFUSAL: Kind.REFUSAL_OVER,
    Timer.WHITE: Kind.WHITE_OVER,
    Timer.WINDOW: Kind.WINDOW_OVER,
    Timer.WARNING: Kind.NEARLY_FULL,
    Timer.LAST_WARNING: Kind.ALL_BUT_FULL,
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
    FramingLost: Kind.FRAMING_LOST,
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
        case Offer(most=most):
            return Kind.SOUND_OFFERED if most is Consent.SOUND else Kind.PICTURE_OFFERED
        case Tick():
            msg = "a tick is no row of the table"
            raise TypeError(msg)
        case _:
            return _KINDS[type(event)]


@dataclass(frozen=True)
class Rules:
    """How long things last; how long a recording may be.

    A choice ends after 3 s without a press, and a press is known up to 130 ms after it was made (``device/press.py``):
    ended any earlier, a person's last press could be taken for the first of the next one's.

    ``most`` is the most that can be chosen: a box without a camera does not offer a picture.
    """

    most: Consent = Consent.SOUND_AND_PICTURE

    choice_ms: int = 3_150
    armed_s: int = 60
    refused_s: int = 3
    white_s: int = 5
    window_s: int = 120
    max_length_s: int = 7_200
    warning_s: int = 300
    last_warning_s: int = 60


@dataclass(frozen=True)
class Context:
    """All that a session knows besides its state.

    ``choices`` are those that are over, ``choice`` is the one under way (``None`` before its first press).
    ``recording`` and ``framing`` are the ordinals of the last of each, 0 before the first. ``fate`` is that of a
    recording whose window is open, and ``sealed`` says whether it is durable. ``offered`` is what there is room for.
    ``spent`` holds the number of the last press that acted.
    """

    rules: Rules = Rules()
    offered: Consent = Consent.SOUND_AND_PICTURE
    people: int = 1
    choices: tuple[Consent, ...] = ()
    choice: Consent | None = None
    recording: int = 0
    framing: int = 0
    fate: Fate | None = None
    sealed: bool = False
    faults: frozenset[str] = frozenset()
    troubles: frozenset[str] = frozenset()
    spent: Mapping[Button, int] = field(default_factory=dict)
    timers: Mapping[Timer, int] = field(default_factory=dict)

    def with_timer(self, timer: Timer, *, at_us: int, after_s: float) -> Context:
        """The same, with this deadline set anew."""
        return replace(self, timers={**self.timers, timer: at_us + round(after_s * _SECOND_US)})

    def keeping(self, timers: frozenset[Timer]) -> Context:
        """The same, with no deadlines but these."""
        return replace(self, timers={timer: at_us for timer, at_us in self.timers.items() if timer in timers})

    def without(self, timer: Timer) -> Context:
        """The same, without this deadline."""
        return self.keeping(frozenset(self.timers) - {timer})

    def having_spent(self, event: Heard) -> Context:
        """The same, with the press of this event used up, if it is one."""
        if not isinstance(event, Down | Press | Hold):
            return self
        return replace(self, spent={**self.spent, event.button: event.press})

    @property
    def most(self) -> Consent:
        """The most that can be chosen now."""
        return least((self.rules.most, self.offered))

    @property
    def scant(self) -> bool:
        """Whether a picture could be chosen if there were more room."""
        return self.most is not self.rules.most

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
