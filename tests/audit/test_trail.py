"""Whatever the session machine does, in every state that can be reached, stands in the log; and nothing else does."""

from __future__ import annotations

import copy
from collections import Counter, deque
from collections.abc import Iterator

import pytest

from device.capture.trail import Stand, faults, trail_of
from device.errors import MissingPackageError, RecipientError, SottoError, StoreError, StoreFullError
from device.press import Down, Hold, Press
from device.recording.audited import Happened, What, Who
from device.session import Session
from device.session_context import Rules
from device.session_events import (
    Action,
    Event,
    Settle,
    StartFraming,
    StartRecording,
    State,
    StopFraming,
    StopRecording,
    TurnOver,
    Withdraw,
)
from device.words import Button, Consent
from tests.test_session_table import events_for, shape

ENTRIES: dict[type, What] = {
    StartFraming: What.FRAMING_BEGUN,
    StopFraming: What.FRAMING_ENDED,
    StartRecording: What.START,
    StopRecording: What.STOP,
    Withdraw: What.WITHDRAWN,
    TurnOver: What.TURNED_OVER,
    Settle: What.SETTLED,
}
Step = tuple[Session, Event, Session, tuple[Action, ...], list[Happened]]


def steps() -> Iterator[Step]:
    """Every event in every state and context that can be reached, with up to two people."""
    first = Session(Rules())
    seen, waiting = {shape(first)}, deque([first])
    while waiting:
        before = waiting.popleft()
        for event in events_for(before):
            after = copy.copy(before)
            actions = after.handle(event)
            stood = Stand.of(before)
            told = list(trail_of(event, actions, before=stood, session=after, find_id=lambda _: None))
            yield before, event, after, actions, told
            if shape(after) not in seen and after.people < 3 and len(after.troubles) + len(after.faults) < 2:
                seen.add(shape(after))
                waiting.append(after)


@pytest.fixture(scope="module")
def every() -> list[Step]:
    found = list(steps())
    assert {before.state for before, *_ in found} == set(State)
    return found


def test_each_thing_that_is_done_has_one_entry_of_its_own(every: list[Step]) -> None:
    kinds = set(ENTRIES.values())
    for _, event, _, actions, told in every:
        done = Counter(ENTRIES[type(action)] for action in actions if type(action) in ENTRIES)
        noted = Counter(one.what for one in told if one.what in kinds)
        by_itself = [one for one in told if one.facts.get("cause") in {"by itself", "camera gone"}]
        assert noted - Counter(one.what for one in by_itself) == done, (event, actions, told)


def test_consent_in_the_log_is_consent_in_the_room(every: list[Step]) -> None:
    for before, event, after, actions, told in every:
        consents = [one for one in told if one.what is What.CONSENT]
        starts = [action for action in actions if isinstance(action, StartRecording)]
        if after.state.records or before.state.records:
            assert len(consents) == sum(start.consent is not before.consent for start in starts)
        else:
            assert len(consents) == (before.consent is not after.consent), (before.state, event, told)
        for one in consents:
            now = starts[0].consent if starts else after.consent
            assert one.facts["consent"] == now.value
            assert (one.by is Who.CLIENT) >= (now is not Consent.NONE)


def test_the_clients_doing_is_what_the_clients_button_did(every: list[Step]) -> None:
    for _, event, _, _, told in every:
        mine = isinstance(event, Down | Press | Hold) and event.button is Button.CONSENT
        for one in told:
            if one.what in {What.WITHDRAWN, What.TURNED_OVER}:
                assert mine
                assert one.by is Who.CLIENT
            if one.what is What.START:
                assert one.by is Who.THERAPIST


def test_a_start_that_was_wanted_and_refused_is_noted(every: list[Step]) -> None:
    for before, event, after, _, told in every:
        refused = [one for one in told if one.what is What.START_REFUSED]
        if (
            after.state is State.REFUSED
            and before.state not in (State.REFUSED, State.SEALING)
            and not before.state.records
        ):
            assert len(refused) == 1, (before.state, event)
        if refused:
            assert refused[0].facts["cause"] in {"no consent", "fault", "window open"}


@pytest.mark.parametrize(
    ("problem", "standing"),
    [
        (StoreFullError("a", "b"), "store full"),
        (StoreError("a", "b"), "store"),
        (RecipientError("a", "b"), "recipient"),
        (MissingPackageError("a", "b"), "package"),
        (SottoError("Anna Meier", "b"), "other"),
    ],
)
def test_a_fault_is_told_by_its_kind_and_never_by_its_sentence(problem: SottoError, standing: str) -> None:
    assert faults([problem, problem]).facts == {"standing": (standing,)}
    assert faults([]).facts == {"standing": ()}
