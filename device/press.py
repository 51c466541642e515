"""Raw levels in, presses and holds out: what hands did, with bounce, spikes and lost edges taken out of it.

A level counts once it has settled: down for 20 ms or up for 50 ms. The time of a change is its first edge, unless more
than 50 ms of chatter lie between (contacts do not bounce for longer; that edge was a spike of its own). From this one
rule follow all the others: a spike under 20 ms is nothing, a gap under 50 ms does not end a press, and a release that
is still in doubt when a hold threshold passes is waited for, so that 2.99 s never count as 3 s.

Two presses less than 60 ms apart are ``Both``. So a ``Down`` is held back for 60 ms, and longer only while the other
button is chattering (at most 130 ms in all, within P3's 200). What comes out depends on the levels alone, not on how
often anybody ticks: deadlines that have passed are worked off in order, each at its own time.

The debounce and hold of gpiozero are not used: its mock has neither, and it can lose a release. Whoever calls has both
buttons looked at before every tick, so that an edge is heard before the time that came after it, and a lost one is late
and not lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TypeAlias

from device.words import Button

_MS = 1000


@dataclass(frozen=True)
class Timing:
    """How long things take on this panel."""

    settled_down_ms: int = 20
    settled_up_ms: int = 50
    bounce_ms: int = 50
    chord_ms: int = 60
    consent_hold_ms: int = 3_000
    record_hold_ms: int = 1_500
    stuck_ms: int = 30_000

    def hold_us(self, button: Button) -> int:
        """How long this button is down before it counts as held."""
        return _MS * (self.consent_hold_ms if button is Button.CONSENT else self.record_hold_ms)


@dataclass(frozen=True)
class Down:
    """A button went down at ``at_us``, the first edge; told 60 ms later. ``press`` is this press's own number."""

    button: Button
    at_us: int
    press: int


@dataclass(frozen=True)
class Press:
    """A short press: released at ``at_us``, before the hold threshold."""

    button: Button
    at_us: int
    press: int


@dataclass(frozen=True)
class Hold:
    """The button has been held for its threshold, which passed at ``at_us``. No ``Press`` follows."""

    button: Button
    at_us: int
    press: int


@dataclass(frozen=True)
class Both:
    """Both buttons went down together, the second at ``at_us``. Nothing else comes of these two presses."""

    at_us: int


@dataclass(frozen=True)
class Stuck:
    """The button was down when first read, or has been for too long: it counts for nothing until it is freed."""

    button: Button
    at_us: int


@dataclass(frozen=True)
class Freed:
    """A stuck button came up at ``at_us``; that release is no press."""

    button: Button
    at_us: int


Event: TypeAlias = Down | Press | Hold | Both | Stuck | Freed


class _Contact:
    """The level of one button, settled."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._raw: bool | None = None
        self._raw_since_us = 0
        self.down: bool | None = None  # as settled; None until then
        self.edge_us: int | None = None  # the first edge of a change that has not settled

    def read(self, *, down: bool, at_us: int) -> None:
        if down == self._raw:
            return
        if self._raw is None and not down:
            self.down = False
        self._raw, self._raw_since_us = down, at_us
        moving = down != self.down
        if moving and (self.edge_us is None or at_us - self.edge_us > self._timing.bounce_ms * _MS):
            self.edge_us = at_us

    @property
    def settles_us(self) -> int | None:
        """When the level will count if it stays; ``None`` if it counts already."""
        if self.edge_us is None:
            return None
        return self._raw_since_us + _MS * (self._timing.settled_down_ms if self._raw else self._timing.settled_up_ms)

    def settle(self) -> int | None:
        """Let the level count; returns the edge of the change if it is one."""
        edge_us, self.edge_us = self.edge_us, None
        changed = self.down != self._raw
        self.down = self._raw
        return edge_us if changed else None


class _Stage(Enum):
    WAITING = auto()  # for the other button: not told yet
    TOLD = auto()  # its Down has been told
    SPENT = auto()  # held, or one of both: only its release is awaited
    STUCK = auto()


@dataclass
class _Hand:
    """One press under way."""

    press: int
    at_us: int
    stage: _Stage = _Stage.WAITING
    released_us: int | None = None


@dataclass
class _Key:
    """One button: its contact and, if it is pressed, its press."""

    button: Button
    contact: _Contact
    hand: _Hand | None = None


@dataclass
class Levels:
    """Both buttons. Feed it every level as it is read, and ticks; it answers with what hands did.

    Not safe for two threads at once. Times must not go back; one that does counts as the latest so far.
    """

    timing: Timing = field(default_factory=Timing)

    def __post_init__(self) -> None:
        self._keys = {button: _Key(button, _Contact(self.timing)) for button in Button}
        self._now_us = 0
        self._presses = 0

    def level(self, button: Button, *, down: bool, at_us: int) -> tuple[Event, ...]:
        """The button reads down or up at ``at_us``. Repeating the same level is harmless."""
        events = [*self.tick(at_us)]
        self._keys[button].contact.read(down=down, at_us=self._now_us)
        return (*events, *self._decide())

    def tick(self, at_us: int) -> tuple[Event, ...]:
        """It is now ``at_us``; to be called when ``next_deadline_us`` has come."""
        events: list[Event] = []
        while (due_us := self.next_deadline_us) is not None and due_us <= at_us:
            self._now_us = due_us
            events += self._settle()
            events += self._decide()
        self._now_us = max(self._now_us, at_us)
        return tuple(events)

    @property
    def next_deadline_us(self) -> int | None:
        """When something will happen if no level changes; ``None`` if nothing will."""
        return min((due_us for key in self._keys.values() for due_us in self._deadlines(key)), default=None)

    def _deadlines(self, key: _Key) -> list[int]:
        settles_us = key.contact.settles_us
        deadlines = [] if settles_us is None else [settles_us]
        if key.hand is not None:
            steps_ms = (self.timing.chord_ms, self.timing.stuck_ms)
            steps_us = (self.timing.hold_us(key.button), *(step_ms * _MS for step_ms in steps_ms))
            # What is overdue waits for a contact to settle, which is a deadline of its own.
            deadlines += [due for step_us in steps_us if (due := key.hand.at_us + step_us) > self._now_us]
        return deadlines

    def _settle(self) -> list[Event]:
        events: list[Event] = []
        for key in self._keys.values():
            settles_us = key.contact.settles_us
            if settles_us is None or settles_us > self._now_us:
                continue
            known = key.contact.down is not None
            edge_us = key.contact.settle()
            if edge_us is None:
                continue
            if not key.contact.down:
                if key.hand is not None:
                    key.hand.released_us = edge_us
                continue
            if key.hand is not None:  # a quick tap that is still waiting for the other button: it was alone
                events += self._tell(key, key.hand)
                events += self._release(key, key.hand)
            self._presses += 1
            key.hand = _Hand(self._presses, edge_us)
            if not known:
                key.hand.stage = _Stage.STUCK
                events.append(Stuck(key.button, edge_us))
        return events

    def _decide(self) -> list[Event]:
        events = self._chord()
        for key, other in self._pairs():
            hand = key.hand
            if hand is None:
                continue
            if hand.stage is _Stage.WAITING and not self._may_be_both(hand, other):
                events += self._tell(key, hand)
            if hand.stage is _Stage.WAITING:
                continue
            if hand.released_us is not None:
                events += self._release(key, hand)
            elif key.contact.edge_us is None:
                events += self._lasts(key, hand)
        return events

    def _pairs(self) -> list[tuple[_Key, _Key]]:
        first, second = self._keys.values()
        return [(first, second), (second, first)]

    def _chord(self) -> list[Event]:
        hands = [key.hand for key in self._keys.values() if key.hand and key.hand.stage is _Stage.WAITING]
        if len(hands) < len(Button) or not self._together(hands[0].at_us, hands[1].at_us):
            return []
        for hand in hands:
            hand.stage = _Stage.SPENT
        return [Both(max(hand.at_us for hand in hands))]

    def _together(self, one_us: int, other_us: int) -> bool:
        return abs(one_us - other_us) < self.timing.chord_ms * _MS

    def _may_be_both(self, hand: _Hand, other: _Key) -> bool:
        if self._now_us < hand.at_us + self.timing.chord_ms * _MS:
            return True
        edge_us = other.contact.edge_us
        return other.contact.down is False and edge_us is not None and self._together(hand.at_us, edge_us)

    def _tell(self, key: _Key, hand: _Hand) -> list[Event]:
        hand.stage = _Stage.TOLD
        return [Down(key.button, hand.at_us, hand.press)]

    def _release(self, key: _Key, hand: _Hand) -> list[Event]:
        key.hand = None
        released_us = hand.at_us if hand.released_us is None else hand.released_us
        held_us = hand.at_us + self.timing.hold_us(key.button)
        if hand.stage is _Stage.STUCK:
            return [Freed(key.button, released_us)]
        if hand.stage is _Stage.SPENT:
            return []
        if released_us >= held_us:
            return [Hold(key.button, held_us, hand.press)]
        return [Press(key.button, released_us, hand.press)]

    def _lasts(self, key: _Key, hand: _Hand) -> list[Event]:
        events: list[Event] = []
        held_us = hand.at_us + self.timing.hold_us(key.button)
        stuck_us = hand.at_us + self.timing.stuck_ms * _MS
        if hand.stage is _Stage.TOLD and self._now_us >= held_us:
            hand.stage = _Stage.SPENT
            events.append(Hold(key.button, held_us, hand.press))
        if hand.stage is not _Stage.STUCK and self._now_us >= stuck_us:
            hand.stage = _Stage.STUCK
            events.append(Stuck(key.button, stuck_us))
        return events
