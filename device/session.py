"""Consent and recording, as one table.

WHO MAY DO WHAT. The client's CONSENT gives, changes and takes back; the therapist's RECORD starts, stops and marks; the
page can stop, mark and say how many people choose. Nothing else starts a recording, and nothing but hands gives
consent: a session is constructed with none, and only rows for CONSENT ever raise it. So P1 can be read off the table:
``start`` stands in rows for RECORD alone, and in all of them everybody has chosen something by hand.

THE STATES. IDLE → (CHOOSING, where several people choose in turn) → ARMED → RECORDING ⇄ TROUBLED. FRAMING is ARMED with
the camera open, and it alone, to see whether it frames the room; nothing of that is stored. When a recording ends, a
window of two minutes opens in which the client can turn its fate over: SEALING → SEALED → KEPT while the fate is kept,
WITHDRAWN while it is withdrawn. When the window closes the fate is settled, once. REFUSED is a start without consent,
shown for three seconds; FAULT is a box that cannot record.

ONE PRESS, ONE MEANING. A press acts when the button goes down where that can mean only one thing, for a light that
answers at once is believed. Where a press and a hold differ (CONSENT in a window, RECORD while recording, or with a
picture allowed, where a hold begins FRAMING) nothing happens until it is known which it is. A press that has acted is
*spent*: what else becomes of it is not heard. So a client who presses CONSENT in a recording and, frightened, keeps
holding it, has withdrawn, and the hold does not turn that over; and the press that started a recording neither marks
nor stops it. Where a press was not used when it began (its window closed meanwhile, or its consent lapsed), it acts
when it ends.

WHOSE PRESS. A short CONSENT press in a window belongs to the next session: the window closes first, its fate is
settled, and the consent that follows is new. So the next client can neither erase nor rescue the last one's recording.
Among several people nobody's choice is altered by another hand: a press after all have chosen begins anew.

REPORTS. Each report of the recorder names its recording; those of any other than the last are not heard. A recording
that is still being sealed while the next session runs therefore disturbs nothing.

WHAT IS WRONG. A trouble belongs to the recording and is gone with it. A fault stands until it is cleared; while
recording and in a window it is kept silent, for there is nothing to do about it then, and shown where the box would
otherwise become idle. A stuck button is both.

WHAT THERE IS ROOM FOR. Where a whole session's sound fits the store and its picture does not, only sound can be chosen,
and the lamp says so. A choice is never made smaller in silence: where the room goes while a picture is chosen and not
yet recorded, the consent is dropped with three low tones. Nor is one made larger under a hand: room that comes back is
not heard while anybody chooses, or the press that was to take the consent back would allow a picture. (Offers are
repeated, so it is heard later.) What is being recorded already is the ladder's affair (``device/capture/ladder.py``).

HOW TO READ IT. For a state and an event the first row whose guard holds is taken; the last has no guard. The table is
total: what is ignored is written down as ignored, so that a forgotten case is a failing test, not a silent one.
Deadlines are events too. Each belongs to certain states and is gone when they are left. An event that comes after a
deadline nobody looked at finds it already worked off.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from device.press import Down, Hold, Press
from device.session_context import Context, Due, Heard, Kind, Rules, Timer, kind_of
from device.session_events import (
    Action,
    Cause,
    Ended,
    Event,
    Failed,
    FramingLost,
    Opened,
    Sealed,
    State,
    Tick,
    Tone,
    Trouble,
    Well,
)
from device.session_rules import (
    Effect,
    Guard,
    Say,
    Stop,
    all_allow,
    begin_choosing,
    begin_framing,
    bookmark,
    choice_step,
    consent_step,
    drop_consent,
    durable,
    end_choice,
    end_framing,
    faults_stand,
    forget_fault,
    forget_trouble,
    last_fault,
    last_trouble,
    never_began,
    new_fault,
    new_trouble,
    note_fault,
    note_offer,
    note_sealed,
    note_trouble,
    open_window,
    others_to_come,
    picture_allowed,
    picture_chosen,
    set_people,
    settle,
    several_people,
    show_refusal,
    show_white,
    sound_only,
    start,
    steps_to_none,
    turn_over,
    withdraw,
)
from device.words import Consent, Fate, least

_S, _K = State, Kind
_READY = (_S.IDLE, _S.REFUSED)
_CONSENTING = (_S.CHOOSING, _S.ARMED)
_RUNNING = (_S.RECORDING, _S.TROUBLED)
_KEEPING = (_S.SEALING, _S.SEALED, _S.KEPT)
_WINDOW = (*_KEEPING, _S.WITHDRAWN)
_EVERY = tuple(State)
_CONSENT = (_K.CONSENT_DOWN, _K.CONSENT_PRESS, _K.CONSENT_HOLD)
_RECORD_END = (_K.RECORD_PRESS, _K.RECORD_HOLD)
_RECORD = (_K.RECORD_DOWN, *_RECORD_END)

_TICK = Say(Tone.TICK)
_RISING = Say(Tone.RISING_TICK)
_FOUR = Say(Tone.FOUR_TICKS)
_TWO_SHORT = Say(Tone.TWO_SHORT)
_TWO_LOW = Say(Tone.TWO_LOW)
_LONG = Say(Tone.ONE_LONG)
_FALLING = Say(Tone.THREE_FALLING)
_THREE_LOW = Say(Tone.THREE_LOW)


@dataclass(frozen=True)
class Row:
    """In ``state``, on ``event``, if ``guard`` holds: the effects in order, then ``next_state``."""

    state: State
    event: Kind
    guard: Guard | None
    next_state: State
    effects: tuple[Effect, ...]

    @property
    def ignored(self) -> bool:
        """Nothing happens, by design."""
        return not self.effects and self.next_state is self.state


def _on(
    states: tuple[State, ...],
    kinds: Kind | tuple[Kind, ...],
    *effects: Effect,
    when: Guard | None = None,
    to: State | None = None,
) -> list[Row]:
    kinds = (kinds,) if isinstance(kinds, Kind) else kinds
    return [Row(state, kind, when, to or state, effects) for state in states for kind in kinds]


def _others(*states: State) -> tuple[State, ...]:
    return tuple(state for state in State if state not in states)


def _ignored(states: tuple[State, ...], *kinds: Kind) -> list[Row]:
    return _on(states, kinds)


TABLE: tuple[Row, ...] = (
    # CONSENT, no recording and no window: each press steps this session's consent.
    *_on(_READY, _CONSENT, begin_choosing, _TICK, when=several_people, to=_S.CHOOSING),
    *_on(_READY, _CONSENT, consent_step, _RISING, to=_S.ARMED),
    *_on((_S.ARMED,), _CONSENT, begin_choosing, _TICK, when=several_people, to=_S.CHOOSING),
    *_on((_S.ARMED,), _CONSENT, drop_consent, when=steps_to_none, to=_S.IDLE),
    *_on((_S.ARMED,), _CONSENT, consent_step, _RISING),
    *_on((_S.CHOOSING,), _CONSENT, choice_step, _TICK),
    *_on((_S.FAULT,), _CONSENT, _THREE_LOW),
    # CONSENT while recording: withdrawn at once.
    *_on(_RUNNING, _CONSENT, withdraw, _FALLING, to=_S.WITHDRAWN),
    # CONSENT in a window: a hold turns the fate over, a short press closes the window and is the next client's.
    *_ignored(_WINDOW, _K.CONSENT_DOWN),
    *_on(_KEEPING, _K.CONSENT_HOLD, turn_over, _FALLING, to=_S.WITHDRAWN),
    *_on((_S.WITHDRAWN,), _K.CONSENT_HOLD, turn_over, _LONG, when=durable, to=_S.KEPT),
    *_on((_S.WITHDRAWN,), _K.CONSENT_HOLD, turn_over, to=_S.SEALING),
    *_on(_WINDOW, _K.CONSENT_PRESS, settle, _THREE_LOW, when=faults_stand, to=_S.FAULT),
    *_on(_WINDOW, _K.CONSENT_PRESS, settle, begin_choosing, _TICK, when=several_people, to=_S.CHOOSING),
    *_on(_WINDOW, _K.CONSENT_PRESS, settle, consent_step, _RISING, to=_S.ARMED),
    # RECORD: starts on the way down, with a picture allowed once it is let go; stops and marks once it is known which.
    *_on(_READY, _RECORD, show_refusal, _THREE_LOW, to=_S.REFUSED),
    *_on((_S.CHOOSING,), _K.RECORD_DOWN, end_choice, _TICK, when=others_to_come),
    *_on((_S.CHOOSING,), _K.RECORD_DOWN, start, when=all_allow, to=_S.RECORDING),
    *_on((_S.CHOOSING,), _K.RECORD_DOWN, drop_consent, show_refusal, _THREE_LOW, to=_S.REFUSED),
    *_on((_S.ARMED,), _K.RECORD_DOWN, start, when=sound_only, to=_S.RECORDING),
    *_on((_S.ARMED,), _K.RECORD_PRESS, start, when=picture_allowed, to=_S.RECORDING),
    *_on((_S.ARMED,), _K.RECORD_HOLD, begin_framing, _FOUR, when=picture_allowed, to=_S.FRAMING),
    *_on((*_WINDOW, _S.FAULT), _K.RECORD_DOWN, _THREE_LOW),
    *_ignored((_S.ARMED, *_RUNNING), _K.RECORD_DOWN),
    *_on(_RUNNING, _K.RECORD_PRESS, Stop(Cause.BUTTON), to=_S.SEALING),
    *_on(_RUNNING, _K.RECORD_HOLD, bookmark),
    *_ignored(_others(*_READY, *_RUNNING), *_RECORD_END),
    # Framing: RECORD starts the recording, everything else of the hands ends it; the camera is closed first.
    *_on((_S.FRAMING,), (*_CONSENT, _K.BOTH, _K.CONSENT_LAPSED), end_framing, drop_consent, _THREE_LOW, to=_S.IDLE),
    *_on((_S.FRAMING,), _K.RECORD_DOWN, end_framing, start, to=_S.RECORDING),
    *_on((_S.FRAMING,), _K.STOP, end_framing, _RISING, to=_S.ARMED),
    *_on((_S.FRAMING,), _K.PEOPLE, end_framing, drop_consent, set_people, _THREE_LOW, to=_S.IDLE),
    *_on((_S.FRAMING,), _K.FRAMING_LOST, _TWO_LOW, to=_S.ARMED),
    *_ignored(_others(_S.FRAMING), _K.FRAMING_LOST),
    *_on((_S.FRAMING,), (_K.FAULT, _K.STUCK), end_framing, drop_consent, note_fault, _THREE_LOW, to=_S.FAULT),
    # Both at once is a stop, and never anything else.
    *_on(_RUNNING, _K.BOTH, Stop(Cause.BOTH_BUTTONS), to=_S.SEALING),
    *_on(_CONSENTING, (_K.BOTH, _K.CONSENT_LAPSED), drop_consent, to=_S.IDLE),
    *_ignored(_others(*_RUNNING, *_CONSENTING, _S.FRAMING), _K.BOTH),
    # The page.
    *_on(_RUNNING, _K.STOP, Stop(Cause.PAGE), to=_S.SEALING),
    *_on(_RUNNING, _K.MARK, bookmark),
    *_ignored(_others(*_RUNNING, _S.FRAMING), _K.STOP),
    *_ignored(_others(*_RUNNING), _K.MARK),
    *_on(_CONSENTING, _K.PEOPLE, drop_consent, set_people, to=_S.IDLE),
    *_on((*_READY, *_WINDOW, _S.FAULT), _K.PEOPLE, set_people),
    *_ignored(_RUNNING, _K.PEOPLE),
    # The recorder. "Opened" is the moment from which "recording" is true, so it has the tones.
    *_on(_RUNNING, _K.OPENED, _TWO_SHORT),
    *_ignored(_others(*_RUNNING), _K.OPENED),
    *_on(_RUNNING, _K.FAILED, never_began, _THREE_LOW, when=faults_stand, to=_S.FAULT),
    *_on(_RUNNING, _K.FAILED, never_began, show_refusal, _THREE_LOW, to=_S.REFUSED),
    *_on((_S.SEALING,), _K.FAILED, settle, _THREE_LOW, when=faults_stand, to=_S.FAULT),
    *_on((_S.SEALING,), _K.FAILED, settle, show_refusal, _THREE_LOW, to=_S.REFUSED),
    *_ignored(_others(*_RUNNING, _S.SEALING), _K.FAILED),
    *_on(_RUNNING, _K.TROUBLE, note_trouble, _TWO_LOW, when=new_trouble, to=_S.TROUBLED),
    *_ignored(_EVERY, _K.TROUBLE),
    *_on((_S.TROUBLED,), _K.WELL, forget_trouble, when=last_trouble, to=_S.RECORDING),
    *_on((_S.TROUBLED,), _K.WELL, forget_trouble),
    *_ignored(_others(_S.TROUBLED), _K.WELL),
    *_on(_RUNNING, _K.ENDED, open_window, _TWO_LOW, to=_S.SEALING),
    *_ignored(_others(*_RUNNING), _K.ENDED),
    *_on((_S.SEALING,), _K.SEALED, note_sealed, show_white, _LONG, to=_S.SEALED),
    *_on((_S.WITHDRAWN,), _K.SEALED, note_sealed),
    *_ignored(_others(_S.SEALING, _S.WITHDRAWN), _K.SEALED),
    # Faults, and stuck buttons, which are troubles too.
    *_on(_READY, (_K.FAULT, _K.STUCK), note_fault, _THREE_LOW, to=_S.FAULT),
    *_on(_CONSENTING, (_K.FAULT, _K.STUCK), drop_consent, note_fault, _THREE_LOW, to=_S.FAULT),
    *_on((_S.FAULT,), (_K.FAULT, _K.STUCK), note_fault, _THREE_LOW, when=new_fault),
    *_ignored((_S.FAULT,), _K.FAULT, _K.STUCK),
    *_on((*_RUNNING, *_WINDOW), _K.FAULT, note_fault),
    *_on(_RUNNING, _K.STUCK, note_fault, note_trouble, _TWO_LOW, to=_S.TROUBLED),
    *_on(_WINDOW, _K.STUCK, note_fault),
    *_on((_S.FAULT,), (_K.FAULT_CLEARED, _K.FREED), forget_fault, when=last_fault, to=_S.IDLE),
    *_on((_S.FAULT,), (_K.FAULT_CLEARED, _K.FREED), forget_fault),
    *_on((*_RUNNING, *_WINDOW), _K.FAULT_CLEARED, forget_fault),
    *_on((_S.TROUBLED,), _K.FREED, forget_fault, forget_trouble, when=last_trouble, to=_S.RECORDING),
    *_on((_S.TROUBLED,), _K.FREED, forget_fault, forget_trouble),
    *_on((_S.RECORDING, *_WINDOW), _K.FREED, forget_fault),
    *_ignored((*_READY, *_CONSENTING, _S.FRAMING), _K.FAULT_CLEARED, _K.FREED),
    # Room: less of it drops the choice of a picture, more of it waits until nobody chooses.
    *_on(_CONSENTING, _K.SOUND_OFFERED, drop_consent, note_offer, _THREE_LOW, when=picture_chosen, to=_S.IDLE),
    *_on((_S.FRAMING,), _K.SOUND_OFFERED, end_framing, drop_consent, note_offer, _THREE_LOW, to=_S.IDLE),
    *_on(_others(_S.FRAMING), _K.SOUND_OFFERED, note_offer),
    *_ignored((*_CONSENTING, _S.FRAMING), _K.PICTURE_OFFERED),
    *_on(_others(*_CONSENTING, _S.FRAMING), _K.PICTURE_OFFERED, note_offer),
    # Deadlines.
    *_on((_S.CHOOSING,), _K.CHOICE_OVER, end_choice, when=others_to_come),
    *_on((_S.CHOOSING,), _K.CHOICE_OVER, end_choice, _RISING, when=all_allow, to=_S.ARMED),
    *_on((_S.CHOOSING,), _K.CHOICE_OVER, drop_consent, _THREE_LOW, to=_S.IDLE),
    *_ignored(_others(_S.CHOOSING), _K.CHOICE_OVER),
    *_ignored(_others(*_CONSENTING, _S.FRAMING), _K.CONSENT_LAPSED),
    *_on((_S.REFUSED,), _K.REFUSAL_OVER, to=_S.IDLE),
    *_ignored(_others(_S.REFUSED), _K.REFUSAL_OVER),
    *_on((_S.SEALED,), _K.WHITE_OVER, to=_S.KEPT),
    *_ignored(_others(_S.SEALED), _K.WHITE_OVER),
    *_on(_WINDOW, _K.WINDOW_OVER, settle, _THREE_LOW, when=faults_stand, to=_S.FAULT),
    *_on(_WINDOW, _K.WINDOW_OVER, settle, to=_S.IDLE),
    *_ignored(_others(*_WINDOW), _K.WINDOW_OVER),
    *_on(_RUNNING, (_K.NEARLY_FULL, _K.ALL_BUT_FULL), _TWO_LOW),
    *_on(_RUNNING, _K.FULL_LENGTH, Stop(Cause.MAXIMUM_LENGTH), _TWO_LOW, to=_S.SEALING),
    *_ignored(_others(*_RUNNING), _K.NEARLY_FULL, _K.ALL_BUT_FULL, _K.FULL_LENGTH),
)

_ROWS: dict[tuple[State, Kind], tuple[Row, ...]] = {
    key: tuple(rows)
    for key, rows in groupby(
        sorted(TABLE, key=lambda row: (row.state, row.event)), key=lambda row: (row.state, row.event)
    )
}

_TIMERS: dict[State, frozenset[Timer]] = {
    **dict.fromkeys(_EVERY, frozenset()),
    _S.CHOOSING: frozenset({Timer.CHOICE, Timer.CONSENT}),
    **dict.fromkeys((_S.ARMED, _S.FRAMING), frozenset({Timer.CONSENT})),
    _S.REFUSED: frozenset({Timer.REFUSAL}),
    **dict.fromkeys(_RUNNING, frozenset({Timer.WARNING, Timer.LAST_WARNING, Timer.LENGTH})),
    **dict.fromkeys(_WINDOW, frozenset({Timer.WINDOW})),
    _S.SEALED: frozenset({Timer.WHITE, Timer.WINDOW}),
}


class Session:
    """The machine: hand it what happened, do what it answers, in order.

    Not safe for two threads at once. Constructed idle, without any consent; what stood before the process started is
    gone (P1). A box that cannot record is told so by a ``Fault`` right away.
    """

    def __init__(self, rules: Rules | None = None) -> None:
        self._state = State.IDLE
        self._ctx = Context(rules or Rules())

    @property
    def state(self) -> State:
        """Where the session stands."""
        return self._state

    @property
    def context(self) -> Context:
        """All else that it knows."""
        return self._ctx

    @property
    def capturing(self) -> bool:
        """Whether a capture device may be open: exactly then the room light is on (P7)."""
        return self._state.captures

    @property
    def consent(self) -> Consent:
        """What everybody has allowed: of the session that is armed, framing or recording, else ``none``."""
        allowed = self._state in (State.ARMED, State.FRAMING, *_RUNNING)
        return least(self._ctx.choices) if allowed else Consent.NONE

    @property
    def shown(self) -> Consent:
        """What the blue lamps show: the consent, or the choice under way."""
        return self._ctx.shown

    @property
    def recording(self) -> int | None:
        """The ordinal of the recording that runs or whose window is open."""
        return self._ctx.recording if self._state.records or self._ctx.fate else None

    @property
    def fate(self) -> Fate | None:
        """The fate of the recording whose window is open."""
        return self._ctx.fate

    @property
    def people(self) -> int:
        """How many people choose."""
        return self._ctx.people

    @property
    def faults(self) -> frozenset[str]:
        """Why the box could not record the next session."""
        return self._ctx.faults

    @property
    def troubles(self) -> frozenset[str]:
        """What is wrong with the recording that runs."""
        return self._ctx.troubles

    @property
    def next_deadline_us(self) -> int | None:
        """When to send a ``Tick``; ``None`` if time alone changes nothing."""
        return min(self._ctx.timers.values(), default=None)

    def handle(self, event: Event) -> tuple[Action, ...]:
        """What is to be done now that this has happened, in order. Deadlines up to ``event.at_us`` come first."""
        actions: list[Action] = []
        while (due := self._due(event.at_us)) is not None:
            actions += self._take(due)
        if not isinstance(event, Tick) and self._heard(event):
            actions += self._take(event)
        return tuple(actions)

    def _due(self, at_us: int) -> Due | None:
        next_us = self.next_deadline_us
        if next_us is None or next_us > at_us:  # nearly always
            return None
        due_us, _, timer = min((due_us, list(Timer).index(timer), timer) for timer, due_us in self._ctx.timers.items())
        return Due(timer, due_us)

    def _heard(self, event: Event) -> bool:
        match event:
            case Down() | Press() | Hold():
                return event.press > self._ctx.spent.get(event.button, 0)
            case FramingLost():
                return event.framing == self._ctx.framing
            case Opened() | Failed() | Trouble() | Well() | Ended() | Sealed():
                return event.recording == self._ctx.recording
            case _:
                return True

    def _take(self, event: Heard) -> list[Action]:
        rows = _ROWS[self._state, kind_of(event)]
        row = next(row for row in rows if row.guard is None or row.guard(self._ctx, event))
        if row.ignored:
            return []
        ctx, actions = self._ctx.having_spent(event), list[Action]()
        if isinstance(event, Due):
            ctx = ctx.without(event.timer)
        for effect in row.effects:
            ctx, more = effect(ctx, event)
            actions += more
        self._ctx, self._state = ctx.keeping(_TIMERS[row.next_state]), row.next_state
        return actions
