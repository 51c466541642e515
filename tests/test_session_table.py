"""The table as a whole: it is total, every reachable pair keeps the promises, and no two states look alike."""

from __future__ import annotations

import copy
import re
from collections import deque
from dataclasses import replace
from itertools import combinations

import pytest

from device.panel_language import Face, Pattern, face, face_of, notes
from device.press import Both, Down, Freed, Hold, Press, Stuck
from device.session import TABLE, Session
from device.session_context import Kind, Timer, kind_of
from device.session_diagram import mermaid, panel_table, tone_table
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
    Sound,
    StartFraming,
    StartRecording,
    State,
    StopFraming,
    StopRecording,
    StopRequest,
    Tick,
    Tone,
    Trouble,
    TurnOver,
    Well,
    Withdraw,
)
from device.session_rules import Say, all_allow, begin_framing, consent_step, picture_allowed, sound_only, start
from device.words import Button, Consent, Fate, least

RUNNING = (State.RECORDING, State.TROUBLED)
WINDOW = (State.SEALING, State.SEALED, State.KEPT, State.WITHDRAWN)
FOUR = Tone.FOUR_TICKS


# -- the table --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_row_for_every_event_and_exactly_the_last_has_no_guard(state: State) -> None:
    for kind in Kind:
        rows = [row for row in TABLE if (row.state, row.event) == (state, kind)]
        assert [row.guard is None for row in rows] == [False] * (len(rows) - 1) + [True], (state, kind)


def test_the_table_has_no_row_twice() -> None:
    keys = [(row.state, row.event, row.guard) for row in TABLE]
    assert len(keys) == len(set(keys))


def test_only_record_starts_and_only_with_everybodys_leave() -> None:
    rows = [row for row in TABLE if start in row.effects]
    assert {(row.state, row.event, row.guard) for row in rows} == {
        (State.ARMED, Kind.RECORD_DOWN, sound_only),
        (State.ARMED, Kind.RECORD_PRESS, picture_allowed),
        (State.FRAMING, Kind.RECORD_DOWN, None),
        (State.CHOOSING, Kind.RECORD_DOWN, all_allow),
    }


def test_only_record_held_begins_framing_and_only_with_everybodys_leave_to_a_picture() -> None:
    rows = [row for row in TABLE if begin_framing in row.effects or row.next_state is State.FRAMING is not row.state]
    assert [(row.state, row.event, row.guard) for row in rows] == [(State.ARMED, Kind.RECORD_HOLD, picture_allowed)]


def test_only_consent_gives_consent() -> None:
    giving = {row.event for row in TABLE if consent_step in row.effects}
    assert giving == {Kind.CONSENT_DOWN, Kind.CONSENT_PRESS, Kind.CONSENT_HOLD}


def test_a_tick_is_no_row() -> None:
    with pytest.raises(TypeError):
        kind_of(Tick(0))


# -- every reachable state and context, with every event --------------------------------------------------------------


def shape(session: Session) -> tuple[object, ...]:
    """A session with time and ordinals taken out: which timers run and in which order, which presses are spent."""
    ctx = session.context
    timers = tuple(sorted(ctx.timers, key=lambda timer: (ctx.timers[timer], timer)))
    ordinals = {"recording": min(ctx.recording, 1), "framing": min(ctx.framing, 1)}
    plain = replace(ctx, timers={}, spent={}, faults=frozenset(), troubles=frozenset(), **ordinals)
    return (session.state, repr(plain), *map(tuple, map(sorted, (ctx.faults, ctx.troubles))), timers)


def events_for(session: Session) -> list[Event]:
    """Every kind of event, at one same moment; presses that are new, that go on, and that are spent."""
    ctx = session.context
    events: list[Event] = []
    for button in Button:
        spent = ctx.spent.get(button, 0)
        new = max([0, *ctx.spent.values()]) + 1
        events += [kind(button, 0, press) for kind in (Down, Press, Hold) for press in {spent, new} - {0}]
        events += [Stuck(button, 0), Freed(button, 0)]
    for recording in {ctx.recording, ctx.recording - 1} - {-1}:
        events += [Opened(recording, 0), Failed(recording, 0, "x"), Ended(recording, 0, "x"), Sealed(recording, 0)]
        events += [Trouble(recording, 0, "a"), Trouble(recording, 0, "b")]
        events += [Well(recording, 0, "a"), Well(recording, 0, "b")]
    events += [FramingLost(framing, 0, "x") for framing in {ctx.framing, ctx.framing - 1} - {-1}]
    events += [Both(0), Fault(0, "f"), FaultCleared(0, "f"), StopRequest(0), MarkRequest(0)]
    events += [PeopleRequest(0, people) for people in (1, 2, 3)]
    events += [Offer(0, Consent.SOUND), Offer(0, Consent.SOUND_AND_PICTURE)]
    due_us = session.next_deadline_us
    return events if due_us is None else [*events, Tick(due_us)]


def check(before: Session, event: Event, after: Session, actions: tuple[Action, ...]) -> None:
    was, now = before.state, after.state
    assert after.capturing == (now in (State.FRAMING, *RUNNING)) == face(after).room_light
    assert (after.fate is not None) == (now in WINDOW)
    assert (after.fate is Fate.WITHDRAWN) == (now is State.WITHDRAWN)
    if now not in (State.CHOOSING, State.ARMED, State.FRAMING, *RUNNING):
        assert (after.consent, after.context.choices, after.context.choice) == (Consent.NONE, (), None)
    if now in (State.ARMED, State.FRAMING, *RUNNING):
        assert least(after.context.choices) is after.consent is not Consent.NONE
        assert len(after.context.choices) == after.people
    if now in (State.IDLE, State.REFUSED, State.CHOOSING, State.ARMED, State.FRAMING):
        assert not after.faults
    assert (now is State.TROUBLED) == bool(after.troubles)
    assert (now is State.FAULT) <= bool(after.faults)
    kinds = [type(action) for action in actions]
    starts = [action for action in actions if isinstance(action, StartRecording)]
    if starts:
        assert was in (State.ARMED, State.CHOOSING, State.FRAMING)
        waited = was is State.ARMED and before.consent is Consent.SOUND_AND_PICTURE
        assert isinstance(event, Press if waited else Down)
        assert event.button is Button.RECORD
        assert starts == [StartRecording(before.context.recording + 1, 0, least(starts[0].choices), starts[0].choices)]
        assert starts[0].consent is not Consent.NONE
    fresh = isinstance(event, Down | Press | Hold) and event.press > before.context.spent.get(event.button, 0)
    assert (Withdraw in kinds) == (
        was in RUNNING and fresh and isinstance(event, Down | Press | Hold) and event.button is Button.CONSENT
    )
    assert (TurnOver in kinds) == (
        was in WINDOW and isinstance(event, Hold) and event.button is Button.CONSENT and fresh
    )
    assert (Settle in kinds) == (before.fate is not None and after.fate is None)
    if Settle in kinds:
        settled = [(action.recording, action.fate) for action in actions if isinstance(action, Settle)]
        assert settled == [(before.context.recording, before.fate)]
        assert isinstance(actions[0], Settle)
    if StopRecording in kinds:
        assert was in RUNNING
        assert now is not State.WITHDRAWN
    check_framing(before, event, after, actions)
    check_offer(before, event, after, actions)
    if isinstance(event, Down | Press | Hold) and not fresh:
        assert actions == ()
        assert now is was
    if isinstance(event, PeopleRequest | MarkRequest | StopRequest):
        assert after.consent in (Consent.NONE, before.consent)


def check_offer(before: Session, event: Event, after: Session, actions: tuple[Action, ...]) -> None:
    """Nothing that there is no room for stays chosen; and no choice is made smaller in silence, or larger at all."""
    if after.state in (State.CHOOSING, State.ARMED, State.FRAMING):
        ctx = after.context
        chosen = [*ctx.choices, *([] if ctx.choice is None else [ctx.choice])]
        assert least(chosen).rank <= ctx.most.rank
    if isinstance(event, Offer):
        assert after.consent in (before.consent, Consent.NONE)
        lost = before.context.choices != after.context.choices
        assert (Sound(Tone.THREE_LOW) in actions) == lost or before.state is State.CHOOSING
        assert not lost or after.state is State.IDLE
        assert not lost or event.most is Consent.SOUND
        if before.state in (State.CHOOSING, State.ARMED, State.FRAMING) and after.state is before.state:
            assert after.context.most.rank <= before.context.most.rank


def check_framing(before: Session, event: Event, after: Session, actions: tuple[Action, ...]) -> None:
    """The camera of a framing check is open in that state and in no other, and a hand has opened it."""
    was, now = before.state, after.state
    started = [action for action in actions if isinstance(action, StartFraming)]
    stopped = [action for action in actions if isinstance(action, StopFraming)]
    assert bool(started) == (now is State.FRAMING is not was)
    if started:
        assert was is State.ARMED
        assert isinstance(event, Hold)
        assert event.button is Button.RECORD
        assert before.consent is after.consent is Consent.SOUND_AND_PICTURE
        assert started == [StartFraming(before.context.framing + 1, 0)]
    if was is State.FRAMING:
        lost = isinstance(event, FramingLost) and event.framing == before.context.framing
        assert bool(stopped) == (now is not State.FRAMING and not lost)
        assert not stopped or actions[0] is stopped[0]  # closed before anything else is done
        assert now in (State.FRAMING, State.ARMED, State.RECORDING) or after.consent is Consent.NONE
    else:
        assert not stopped


def test_every_reachable_pair_keeps_the_promises() -> None:
    first = Session()
    seen = {shape(first)}
    queue = deque([first])
    pairs: set[tuple[object, ...]] = set()
    taken: set[tuple[State, Kind]] = set()
    handled = 0
    while queue:
        before = queue.popleft()
        for event in events_for(before):
            after = copy.copy(before)  # its context is frozen
            actions = after.handle(event)
            check(before, event, after, actions)
            handled += 1
            if not isinstance(event, Tick):
                taken.add((before.state, kind_of(event)))
            pairs.add((before.state, type(event).__name__, after.state))
            if (key := shape(after)) not in seen:
                seen.add(key)
                queue.append(after)
    print(f"{len(seen)} contexts, {handled} (context, event) pairs, {len(pairs)} distinct steps")
    assert {state for state, *_ in seen} == set(State)
    assert taken == {(state, kind) for state in State for kind in Kind if kind not in TIMER_KINDS}
    assert len(seen) >= 500
    assert handled >= 15_000


TIMER_KINDS = {
    Kind.CHOICE_OVER,
    Kind.CONSENT_LAPSED,
    Kind.REFUSAL_OVER,
    Kind.WHITE_OVER,
    Kind.WINDOW_OVER,
    Kind.NEARLY_FULL,
    Kind.ALL_BUT_FULL,
    Kind.FULL_LENGTH,
}


def test_every_deadline_has_its_kind_and_only_the_states_it_belongs_to_listen() -> None:
    assert len(TIMER_KINDS) == len(Timer)
    listening = {
        kind: {row.state for row in TABLE if row.event is kind and not row.ignored} for kind in sorted(TIMER_KINDS)
    }
    assert listening == {
        Kind.CHOICE_OVER: {State.CHOOSING},
        Kind.CONSENT_LAPSED: {State.CHOOSING, State.ARMED, State.FRAMING},
        Kind.REFUSAL_OVER: {State.REFUSED},
        Kind.WHITE_OVER: {State.SEALED},
        Kind.WINDOW_OVER: set(WINDOW),
        Kind.NEARLY_FULL: set(RUNNING),
        Kind.ALL_BUT_FULL: set(RUNNING),
        Kind.FULL_LENGTH: set(RUNNING),
    }


# -- what is seen and heard -------------------------------------------------------------------------------------------

Gray = tuple[bool, Pattern, Pattern]


def gray(shown: Face) -> Gray:
    """The face without its colours."""
    return (shown.room_light, shown.lamps[0].pattern, shown.lamps[1].pattern)


ALIKE = {
    # kept is idle to whoever walks in; a turn without a choice allows nothing, as idle; a refusal is a short fault
    frozenset({"idle", "kept"}),
    frozenset({"idle", "choosing none"}),
    frozenset({"kept", "choosing none"}),
    frozenset({"refused", "fault"}),
}


def faces() -> dict[str, Face]:
    shown = {str(state): face_of(state, Consent.NONE) for state in State if state not in (State.CHOOSING, State.ARMED)}
    for choice in Consent:
        shown[f"choosing {choice}"] = face_of(State.CHOOSING, choice)
        if choice is not Consent.NONE:
            shown[f"armed {choice}"] = face_of(State.ARMED, choice)
    shown["armed sound, no room for a picture"] = face_of(State.ARMED, Consent.SOUND, scant=True)
    shown["idle, recordings are not synced"] = face_of(State.IDLE, Consent.NONE, unsynced=True)
    return shown


@pytest.mark.parametrize(("one", "other"), list(combinations(faces(), 2)))
def test_states_differ_without_colour_unless_they_look_alike_on_purpose(one: str, other: str) -> None:
    assert (gray(faces()[one]) == gray(faces()[other])) == (frozenset({one, other}) in ALIKE)


def test_the_room_light_is_on_exactly_while_a_device_may_be_open() -> None:
    assert {name for name, shown in faces().items() if shown.room_light} == {"framing", "recording", "troubled"}


def test_nobody_takes_framing_for_another_state_from_the_lamps_or_the_sounder_alone() -> None:
    """The room light is on and nothing is recorded: the lamps say so without it, and so does the tone."""
    lamps = {name: gray(shown)[1:] for name, shown in faces().items()}
    assert [name for name, shown in lamps.items() if shown == lamps["framing"]] == ["framing"]
    entering = [row for row in TABLE if any(isinstance(effect, Say) and effect.tone is FOUR for effect in row.effects)]
    assert {row.next_state for row in entering} == {State.FRAMING}
    sounding = {tone: sum(note.hz > 0 for note in notes(tone)) for tone in Tone}
    assert [tone for tone, count in sounding.items() if count == sounding[FOUR]] == [FOUR]


def test_sound_for_want_of_room_is_told_by_the_lamps_alone_and_only_where_sound_is_given() -> None:
    """The second press gives no picture: the lamp says why, with the light dark and without colour."""
    lamps = {name: gray(shown)[1:] for name, shown in faces().items()}
    scant = "armed sound, no room for a picture"
    assert [name for name, shown in lamps.items() if shown == lamps[scant]] == [scant]
    for state in State:
        for choice in Consent:
            with_room, without = face_of(state, choice), face_of(state, choice, scant=True)
            assert (with_room == without) == ((state, choice.rank > 0) != (State.ARMED, True))


def test_recordings_that_are_not_synced_are_told_while_the_box_is_idle_and_never_over_what_somebody_chose() -> None:
    """Calm, in the light of the lamps alone, and nothing of a session is told otherwise for it."""
    lamps = {name: gray(shown)[1:] for name, shown in faces().items()}
    unsynced = "idle, recordings are not synced"
    assert [name for name, shown in lamps.items() if shown == lamps[unsynced]] == [unsynced]
    for state in State:
        for choice in Consent:
            synced, waiting = face_of(state, choice), face_of(state, choice, unsynced=True)
            assert (synced != waiting) == (state in {State.IDLE, State.KEPT})
            assert synced.room_light == waiting.room_light
    lit_ms, dark_ms = Pattern.WINK_ONE.beats_ms
    assert dark_ms > 10 * lit_ms


@pytest.mark.parametrize("pattern", Pattern)
def test_no_pattern_flashes_more_than_three_times_in_any_second(pattern: Pattern) -> None:
    beats = pattern.beats_ms
    edges, now_ms = [], 0
    while beats and now_ms < 10_000:
        for n, beat_ms in enumerate(beats):
            if n % 2 == 0:
                edges.append(now_ms)
            now_ms += beat_ms
    assert all(sum(start_ms <= edge < start_ms + 1000 for edge in edges) <= 3 for start_ms in edges)
    still = (Pattern.OFF, Pattern.DIM, Pattern.STEADY)
    assert bool(beats) == (pattern not in still)


def test_every_tone_differs_in_notes_and_all_but_high_and_low_in_rhythm() -> None:
    assert len({notes(tone) for tone in Tone}) == len(Tone)
    assert len({tuple((note.hz > 0, note.ms) for note in notes(tone)) for tone in Tone}) == len(Tone)


def test_every_tone_is_said_somewhere() -> None:
    session, heard = Session(), set[Tone]()
    story: list[Event] = [
        PeopleRequest(0, 2),
        Down(Button.CONSENT, 0, 1),
        PeopleRequest(0, 1),
        Down(Button.RECORD, 0, 2),
        Down(Button.CONSENT, 0, 3),
        Down(Button.CONSENT, 0, 4),
        Hold(Button.RECORD, 0, 5),
        Down(Button.RECORD, 0, 6),
        Opened(1, 0),
        Trouble(1, 0, "no sound"),
        StopRequest(0),
        Sealed(1, 0),
        Hold(Button.CONSENT, 0, 7),
    ]
    for event in story:
        heard |= {action.tone for action in session.handle(event) if isinstance(action, Sound)}
    assert heard == set(Tone)


# -- the pictures -----------------------------------------------------------------------------------------------------


def test_the_diagram_has_every_change_of_state_once_and_nothing_that_is_ignored() -> None:
    lines = mermaid().splitlines()
    assert lines[0] == "stateDiagram-v2"
    edges = [re.fullmatch(r"    (\w+) --> (\w+) : ([^:]+)", line) for line in lines[2:]]
    drawn = [(edge[1], edge[2]) for edge in edges if edge]
    assert len(drawn) == len(edges) == len(set(drawn))
    changes = {(row.state, row.next_state) for row in TABLE if row.state is not row.next_state}
    assert {edge for edge in drawn if edge[0] != edge[1]} == changes


def test_the_tables_of_the_panel_name_every_state_and_every_tone() -> None:
    assert all(f"| {state}" in panel_table() for state in State)
    assert all(f"| {tone} |" in tone_table() for tone in Tone)
    assert "| recording | steady | off | off | two short tones |" in panel_table()
