"""The journal: a line and its fields, and nobody waits for it."""

from __future__ import annotations

import threading

import pytest

from device.capture.diary import entry_of
from device.journal import Entry, Priority, Scribe, to_stderr, where_it_belongs
from device.press import Stuck
from device.session_events import Failed, Fault, FaultCleared, FramingLost, Offer, Sealed, State, Tick, Trouble, Well
from device.words import Button, Consent


def test_without_a_journal_the_line_goes_to_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    assert where_it_belongs() is to_stderr
    to_stderr(Entry("idle -> armed", fields={"SOTTO_STATE": "armed"}))
    assert capsys.readouterr().err == "sotto: idle -> armed\n"


def test_entries_are_written_in_order_and_the_last_before_the_end() -> None:
    written: list[str] = []
    scribe = Scribe(lambda entry: written.append(entry.message))
    for number in range(20):
        scribe(Entry(str(number)))
    scribe.close()
    assert written == [str(number) for number in range(20)]


def test_a_journal_that_stalls_keeps_nobody_waiting() -> None:
    stalled, go_on = threading.Event(), threading.Event()

    def stall(_entry: Entry) -> None:
        stalled.set()
        go_on.wait()

    scribe = Scribe(stall)
    scribe(Entry("the first"))
    assert stalled.wait(60)
    for number in range(1000):
        scribe(Entry(str(number)))
    scribe.close(patience_s=0.01)
    go_on.set()


@pytest.mark.parametrize(
    ("event", "before", "after", "expected"),
    [
        (Tick(1), State.IDLE, State.IDLE, None),
        (
            Sealed(3, 1),
            State.SEALING,
            State.SEALED,
            ("sealing -> sealed", Priority.INFO, {"SOTTO_STATE": "sealed", "SOTTO_RECORDING": "3"}),
        ),
        (
            Trouble(3, 1, "no sound"),
            State.RECORDING,
            State.TROUBLED,
            ("no sound", Priority.WARNING, {"SOTTO_STATE": "troubled", "SOTTO_RECORDING": "3"}),
        ),
        (
            Well(3, 1, "no sound"),
            State.TROUBLED,
            State.RECORDING,
            ("over: no sound", Priority.NOTICE, {"SOTTO_STATE": "recording"}),
        ),
        (Failed(3, 1, "busy"), State.RECORDING, State.REFUSED, ("busy", Priority.WARNING, {"SOTTO_WHAT": "busy"})),
        (FramingLost(3, 1, "gone"), State.FRAMING, State.ARMED, ("gone", Priority.WARNING, {"SOTTO_STATE": "armed"})),
        (Fault(1, "no recipient"), State.IDLE, State.FAULT, ("no recipient", Priority.ERROR, {"SOTTO_STATE": "fault"})),
        (
            Offer(1, Consent.SOUND),
            State.ARMED,
            State.IDLE,
            ("armed -> idle: the store has room for sound only", Priority.INFO, {"SOTTO_STATE": "idle"}),
        ),
        (Offer(1, Consent.SOUND), State.IDLE, State.IDLE, None),
        (FaultCleared(1, "x"), State.FAULT, State.IDLE, ("over: x", Priority.NOTICE, {"SOTTO_STATE": "idle"})),
        (
            Stuck(Button.RECORD, 1),
            State.IDLE,
            State.FAULT,
            ("idle -> fault", Priority.ERROR, {"SOTTO_BEFORE": "idle"}),
        ),
    ],
    ids=str,
)
def test_states_and_troubles_are_written_down_and_nothing_else(
    event: object, before: State, after: State, expected: tuple[str, Priority, dict[str, str]] | None
) -> None:
    entry = entry_of(event, before=before, after=after)  # type: ignore[arg-type]
    if expected is None:
        assert entry is None
        return
    message, priority, fields = expected
    assert entry is not None
    assert (entry.message, entry.priority) == (message, priority)
    assert fields.items() <= entry.fields.items()
