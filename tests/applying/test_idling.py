"""A box is changed while nobody is there: never in a session, and never near one."""

from __future__ import annotations

import pytest

from device.idling import why_not_now
from device.status import FramingStatus, LastStatus, RecordingStatus, Status
from device.updating_trial import QUIET_S
from device.words import Consent, Fate
from tests.web.published import status

NOW = 1_800_000_000.0
IDLE = status(published_unix_s=NOW)


def why(status: Status | None, *, ended_before_s: float | None = None) -> str | None:
    ended = None if ended_before_s is None else NOW - ended_before_s
    return why_not_now(status, unix_s=NOW, last_ended_unix_s=ended)


def test_while_nobody_is_there_it_may_be_changed() -> None:
    assert why(IDLE) is None
    assert why(IDLE.model_copy(update={"state": "fault"})) is None
    assert why(IDLE, ended_before_s=QUIET_S + 1) is None


@pytest.mark.parametrize(
    "state",
    ["choosing", "armed", "framing", "recording", "troubled", "sealing", "sealed", "kept", "withdrawn", "refused"],
)
def test_never_in_a_session(state: str) -> None:
    assert why(IDLE.model_copy(update={"state": state})) == "a session is under way"


def test_never_while_a_device_is_open_a_window_or_a_recording_is_not_closed() -> None:
    recording = RecordingStatus(
        id=None,
        consent=Consent.SOUND,
        elapsed_us=0,
        durable_us=0,
        size_bytes=0,
        devices_open=(),
        troubles=(),
        pictures=0,
    )
    last = LastStatus(id=None, fate=Fate.KEPT, sealed=True, window_left_s=1)
    for change in ({"recording": recording}, {"framing": FramingStatus(devices_open=())}, {"last": last}):
        assert why(IDLE.model_copy(update=change)) == "a session is under way"
    for closing in ({"sealing": 1}, {"recovering": True}):
        assert why(IDLE.model_copy(update=closing)) == "a recording is being closed"


def test_never_within_a_quarter_of_an_hour_after_one_whichever_way_the_clock_was_put() -> None:
    for before_s in (0, QUIET_S - 1, 1 - QUIET_S):
        assert why(IDLE, ended_before_s=before_s) == "a session ended a short while ago"


def test_never_while_nothing_is_known() -> None:
    assert (
        why(None)
        == why(IDLE.model_copy(update={"published_unix_s": NOW - 6}))
        == "capture runs and does not say how it is"
    )
