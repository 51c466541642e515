"""When a box may change over, and whether a version on trial is well: by what was seen, and when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from device.session import State as SessionState
from device.updating_trial import FREE, Health, Patience, Quiet, Seen, Trial, Verdict, ailment

S = 1_000_000
PATIENCE = Patience(quiet_us=900 * S, well_us=120 * S, most_us=600 * S)
WELL = Health(
    version="0.2.0",
    units={"sotto-capture.service": "active", "sotto-web.service": "active"},
    restarts=0,
    seen=Seen("idle"),
    page_answers=True,
)
SICK = {
    "version": replace(WELL, version="0.1.0"),
    "unit": replace(WELL, units={**WELL.units, "sotto-web.service": "failed"}),
    "starting": replace(WELL, units={**WELL.units, "sotto-web.service": "activating"}),
    "silent": replace(WELL, seen=Seen(None)),
    "fault": replace(WELL, seen=Seen("fault")),
    "page": replace(WELL, page_answers=False),
}


def begun(*, was_in_fault: bool = False) -> Trial:
    return Trial("0.2.0", PATIENCE, was_in_fault=was_in_fault, begun_us=0)


@pytest.mark.parametrize("state", SessionState)
def test_only_a_room_in_which_nobody_pressed_anything_is_free(state: SessionState) -> None:
    assert Seen(str(state)).is_free is (state in {SessionState.IDLE, SessionState.FAULT})


def test_every_state_that_is_free_is_one_of_the_sessions() -> None:
    assert set(SessionState) >= FREE


def test_the_room_has_to_be_free_for_a_quarter_of_an_hour_without_a_break() -> None:
    quiet = Quiet()
    quiet.see(Seen("idle"), 0)
    assert not quiet.lasts(PATIENCE, 899 * S)
    assert quiet.lasts(PATIENCE, 900 * S)
    for seen in (Seen("recording"), Seen("sealed"), Seen("idle", is_busy=True)):
        quiet.see(seen, 1000 * S)
        quiet.see(Seen("idle"), 1001 * S)
        assert not quiet.lasts(PATIENCE, 1900 * S)
        assert quiet.lasts(PATIENCE, 1901 * S)


def test_a_box_whose_capture_is_dead_records_nothing_and_can_be_mended() -> None:
    quiet = Quiet()
    quiet.see(Seen(None), 0)
    quiet.see(Seen("fault"), 500 * S)
    assert quiet.lasts(PATIENCE, 900 * S)


def test_a_version_that_is_well_for_two_minutes_is_kept() -> None:
    trial = begun()
    assert [trial.see(WELL, at * S) for at in (0, 60, 119)] == [Verdict.WAIT] * 3
    assert trial.see(WELL, 120 * S) is Verdict.KEEP


@pytest.mark.parametrize("what", SICK)
def test_whatever_is_wrong_with_it_goes_back_in_the_end_and_is_told(what: str) -> None:
    trial = begun()
    assert ailment(SICK[what], version="0.2.0", was_in_fault=False) is not None
    assert [trial.see(SICK[what], at * S) for at in (0, 300, 599)] == [Verdict.WAIT] * 3
    assert trial.see(SICK[what], 600 * S) is Verdict.BACK
    assert trial.why == ailment(SICK[what], version="0.2.0", was_in_fault=False)


def test_it_has_to_be_well_without_a_break() -> None:
    trial = begun()
    trial.see(WELL, 0)
    trial.see(SICK["page"], 100 * S)
    assert trial.see(WELL, 130 * S) is Verdict.WAIT
    assert trial.see(WELL, 249 * S) is Verdict.WAIT
    assert trial.see(WELL, 250 * S) is Verdict.KEEP


def test_a_service_that_ends_and_is_started_again_and_again_is_not_well() -> None:
    trial = begun()
    verdicts = [trial.see(replace(WELL, restarts=at // 10), at * S) for at in range(0, 630, 10)]
    assert Verdict.BACK in verdicts
    assert Verdict.KEEP not in verdicts
    assert trial.why == "a service was started again and again"


def test_nobody_s_recording_ends_for_an_update() -> None:
    trial = begun()
    trial.see(SICK["page"], 590 * S)
    recording = replace(SICK["page"], seen=Seen("recording"))
    assert {trial.see(recording, at * S) for at in range(591, 4000, 60)} == {Verdict.WAIT}
    last = 3951  # the last moment at which it was looked at
    assert trial.see(SICK["page"], (last + 5) * S) is Verdict.WAIT
    assert trial.see(SICK["page"], (last + 20) * S) is Verdict.BACK


def test_a_box_that_could_not_record_before_need_not_record_after() -> None:
    trial = begun(was_in_fault=True)
    trial.see(SICK["fault"], 0)
    assert trial.see(SICK["fault"], 120 * S) is Verdict.KEEP
