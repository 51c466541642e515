"""Capture is reminded of who works in the room, and only of what the page still knows."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from device.errors import AdminError
from device.naming_requests import Asked, Named, NotNamedError, OnDuty, Reason
from device.people.duty import Duty
from device.status import publish
from device.web.reminding import Reminder
from tests.support import PATIENCE_S
from tests.web.published import status

ANNA, BEN = "a" * 12, "b" * 12
NOON_S = 1_800_000_000.0


class Page:
    """What a page knows, what capture publishes, and what it was asked."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self.held: str | None = None
        self.asked: list[Asked] = []
        self.ask = self._remember
        self.reminder = Reminder(run, held=self._held, unix_s=lambda: NOON_S, ask=self._ask, every_s=3600)

    def _held(self, now_s: float) -> Duty | None:
        return None if self.held is None else Duty(self.held, now_s - 60, now_s + 3600)

    def _ask(self, asked: Asked, _run: Path) -> Named:
        return self.ask(asked)

    def _remember(self, asked: Asked) -> Named:
        self.asked.append(asked)
        return Named()

    def look(self, on_duty: str | None, *, times: int = 1, old_s: float = 0.0) -> list[Asked]:
        publish(status(on_duty=on_duty, published_unix_s=NOON_S - old_s), self.run)
        for _ in range(times):
            self.reminder.look()
        return self.asked


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    page = Page(tmp_path)
    with closing(page.reminder):
        yield page


def test_after_a_reboot_capture_is_told_who_is_checked_in_and_for_how_long(page: Page) -> None:
    page.held = ANNA
    assert page.look(None, times=2) == [OnDuty(by=ANNA, therapist=ANNA, for_s=3600)]
    assert len(page.look(ANNA, times=5)) == 1


def test_whoever_checked_out_while_capture_was_away_does_not_stay_on_duty(page: Page) -> None:
    assert page.look(BEN, times=2) == [OnDuty(by=BEN, therapist=None)]


def test_a_check_in_under_way_is_let_be(page: Page) -> None:
    page.look(ANNA)  # capture knows it already, the page not yet
    page.held = ANNA
    assert page.look(ANNA, times=3) == []
    page.held = BEN
    page.look(ANNA)
    page.held = None
    assert page.look(ANNA) == [], "what differs in another way differs for the first time"


def test_a_capture_service_that_is_away_is_told_nothing(page: Page) -> None:
    page.reminder.look()
    page.held = ANNA
    assert page.look(None, times=3, old_s=60.0) == []


@pytest.mark.parametrize("problem", [AdminError("away", "start it"), NotNamedError(Reason.NOT_NOTED, "no", "later")])
def test_what_could_not_be_told_is_told_later(page: Page, problem: Exception) -> None:
    tried, told = threading.Event(), threading.Event()

    def ask(_asked: Asked, _run: Path) -> Named:
        if tried.is_set():
            told.set()
            return Named()
        tried.set()
        raise problem

    page.held = ANNA
    publish(status(on_duty=None, published_unix_s=NOON_S), page.run)
    with closing(Reminder(page.run, held=page._held, unix_s=lambda: NOON_S, ask=ask, every_s=0.01)) as reminder:
        reminder.start()
        assert told.wait(PATIENCE_S)


def test_one_that_is_ended_before_it_began_just_ends(page: Page) -> None:
    Reminder(page.run, held=page._held, unix_s=lambda: NOON_S).close()


def test_one_whose_beginning_was_cut_short_just_ends(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM makes the main thread exit wherever it is: also while it waits for the new thread to say that it runs."""
    reminder = Reminder(page.run, held=page._held, unix_s=lambda: NOON_S)
    monkeypatch.setattr(reminder._thread._started, "wait", lambda *_: sys.exit(0))
    with pytest.raises(SystemExit), closing(reminder):
        reminder.start()
