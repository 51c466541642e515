"""A big recovery at the start: lamp, buttons and page answer meanwhile, and nothing is recorded before it is over."""

from __future__ import annotations

import threading

from device.capture.putting_in_order import WHAT, Progress
from device.errors import StoreError
from device.notify import ALIVE, READY
from device.panel_language import Colour, Pattern
from device.recording.manifest import RecordingState
from tests.service.rooms import MakeBox, only
from tests.support import PATIENCE_S


class LongRecovery:
    """A recovery that takes until it is released."""

    def __init__(self, problem: Exception | None = None) -> None:
        self.release = threading.Event()
        self.tell: Progress = lambda _done, _total: None
        self.problem = problem

    def __call__(self, progress: Progress) -> None:
        self.tell = progress
        progress(0, 12)
        assert self.release.wait(4 * PATIENCE_S)
        if self.problem is not None:
            raise self.problem


def test_while_the_recordings_are_put_in_order_the_box_answers_and_records_nothing(make_box: MakeBox) -> None:
    recovery, told = LongRecovery(), list[str]()
    box = make_box(recover=recovery, notify=told.append)
    seen = box.until_state("fault")
    assert seen.recovering
    assert {(lamp.colour, lamp.pattern) for lamp in seen.panel.lamps} == {(Colour.YELLOW, Pattern.HZ_2)}
    assert seen.faults == ((WHAT, "wait: it can record when that is done (0 of 12 so far)"),)
    assert told[0] == READY  # the service manager does not wait for it, and the watchdog is fed meanwhile
    fed = told.count(ALIVE)
    box.pass_s(5)
    assert told.count(ALIVE) > fed
    box.consent()
    box.record()
    assert box.status().state == "fault"
    assert box.log.events == []
    recovery.tell(3, 12)
    box.until(lambda status: "3 of 12" in status.faults[0][1])
    recovery.release.set()
    seen = box.until_state("idle")
    assert (seen.faults, seen.recovering) == ((), False)
    box.begin()
    box.end()
    assert only(box).state is RecordingState.COMPLETE


def test_what_is_in_order_in_a_moment_is_no_fault(make_box: MakeBox) -> None:
    box = make_box(recover=lambda progress: progress(0, 1))
    assert box.until_state("idle").faults == ()
    assert "fault" not in box.watcher.states
    assert box.panel.tones == []


def test_a_recovery_that_fails_stays_a_fault_that_says_what_to_do(make_box: MakeBox) -> None:
    for problem in (StoreError("the store failed: x", "y"), ZeroDivisionError()):
        recovery = LongRecovery(problem)
        recovery.release.set()
        box = make_box(recover=recovery)
        ((what, hint),) = box.until_state("fault").faults
        assert what.startswith("the recordings could not be put in order: ")
        assert "start the capture service again" in hint
        box.pass_s(11)
        assert box.status().state == "fault"
        box.stop()


def test_a_service_that_is_stopped_does_not_wait_for_a_recovery(make_box: MakeBox) -> None:
    recovery = LongRecovery()
    box = make_box(recover=recovery)
    box.until_state("fault")
    box.stop()
    recovery.release.set()
