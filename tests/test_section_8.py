"""Every fault that ARCHITECTURE, section 8, tells of has tests that show it; the table there and this one are compared.

A row without a test, a test that is not there, and a line here without a row fail. What is not built yet says so.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NOT_BUILT = "not built yet: "

SHOWN: dict[str, tuple[str, ...]] = {
    "microphone gone mid-session": (
        "service/test_troubles.py::test_a_microphone_that_was_gone_leaves_a_gap_of_exact_length",
        "capture/test_feeds.py::test_another_microphone_in_place_of_the_first_is_not_taken",
    ),
    "it cannot be opened, and there is a second": (
        "service/test_troubles.py::test_a_second_microphone_steps_in_mid_session_and_everybody_is_told",
        "service/test_troubles.py::test_a_session_that_begins_on_the_second_microphone_says_so_from_the_start",
        "service/test_troubles.py::test_a_stand_in_that_hears_otherwise_is_not_mixed_into_the_recording",
    ),
    "the microphone lost sound without a word": (
        "capture/test_pipeline.py::test_sound_that_went_missing_without_a_word_is_marked_as_a_gap",
        "capture/test_sample_clock.py::test_a_loss_that_nobody_told_of_is_counted_once_and_exactly",
    ),
    "no sound above the floor for 10 s after start": (
        "service/test_troubles.py::test_silence_is_told_after_ten_seconds_and_forgotten_when_there_is_sound",
    ),
    "camera hangs or dies": (
        "service/test_consent.py::test_a_camera_that_dies_and_comes_back_is_noted_and_costs_no_sound",
        "service/test_consent.py::test_a_camera_that_dies_five_times_is_given_up_and_the_sound_is_complete",
        "capture/test_camera.py::test_a_program_that_hangs_is_not_waited_for",
        "capture/test_camera.py::test_one_that_cannot_be_ended_is_left_behind_in_time_and_taken_away_when_it_does_end",
    ),
    "too much to do": (
        "capture/test_ladder.py::test_what_is_too_much_sends_it_down_at_once_and_says_why",
        "service/test_ladder.py::test_a_disk_that_stalls_for_half_a_minute_costs_the_picture_and_no_sound",
    ),
    "little room before a session": (
        "service/test_room.py::test_with_room_for_the_sound_alone_sound_is_all_that_can_be_chosen_and_the_lamp_says_so",
        "service/test_room.py::test_without_room_for_a_whole_sessions_sound_nothing_can_be_started",
        "service/test_store_faults.py::test_a_store_filled_by_others_refuses_a_start_until_there_is_room_again",
    ),
    "little room during one": (
        "service/test_ladder.py::test_room_that_something_else_takes_costs_the_picture_first",
        "service/test_room.py::test_a_store_that_is_nearly_full_ends_the_recording_complete_and_the_room_is_told",
        "service/test_room.py::test_the_picture_goes_before_the_recording_does",
    ),
    "others fill the store at once": (
        "service/test_troubles.py::test_a_store_that_others_fill_at_once_ends_the_recording_which_is_sealed_as_it_is",
    ),
    "nobody stops it": (
        "service/test_forgotten.py::test_a_room_that_everybody_has_left_is_told_a_minute_before_and_then_sealed_and_stopped",
        "service/test_forgotten.py::test_the_longest_session_is_told_a_minute_before_and_at_its_end",
    ),
    "a start after a cut": (
        "service/test_putting_in_order.py::test_while_the_recordings_are_put_in_order_the_box_answers_and_records_nothing",
        "service/test_putting_in_order.py::test_what_is_in_order_in_a_moment_is_no_fault",
    ),
    "write or fsync error": (
        "service/test_store_faults.py::test_a_failing_fsync_ends_the_recording_which_is_sealed_as_it_is_and_told",
        "crash/test_faults.py::test_a_recording_whose_fsync_failed_is_written_no_further",
        "crash/test_faults.py::test_whatever_call_fails_nothing_durable_is_lost_and_it_is_told",
    ),
    "remote down, slow, lying, full, wrong certificate": (
        "sync/test_faults.py::test_an_hours_outage_costs_a_handful_of_tries_and_the_next_chance_succeeds",
        "sync/test_faults.py::test_a_server_that_only_says_that_it_stored_never_gets_a_recording_deleted",
        "sync/test_faults.py::test_a_server_that_spoils_everything_never_gets_a_recording_deleted",
        "sync/test_faults.py::test_a_full_remote_is_asked_with_the_least_there_is_and_takes_all_once_it_has_room",
        "sync/test_service.py::test_killed_at_any_moment_again_and_again_everything_arrives_whole",
        "sync/test_stuck.py::test_the_lamp_in_the_room_and_the_page_say_so_and_a_session_is_as_ever",
        "remote/test_contract.py::test_who_is_refused_is_told_to_whoever_set_it_up_with_advice_and_without_secrets",
        "remote/test_contract.py::test_a_put_and_a_read_are_given_up_when_the_server_falls_silent_in_the_middle",
        "web/test_syncing.py::test_a_remote_that_is_away_is_a_warning_only_once_it_is_stuck",
    ),
    "an erasure meets a full or failing store": (
        "test_erasing.py::test_the_header_is_overwritten_even_where_not_one_more_name_can_be_made",
        "test_erasing.py::test_a_call_that_fails_leaves_no_header_and_what_was_not_done_is_told_and_done_next_time",
        "capture/test_upkeep.py::test_a_withdrawn_recording_that_could_not_be_erased_is_erased_at_the_next_round",
    ),
    "a second program would write to the store": (
        "test_retention_verb.py::test_it_says_no_while_another_program_writes_to_the_store",
    ),
    "clock unset": ("service/test_store_faults.py::test_with_a_clock_that_was_never_set_the_box_records_and_says_so",),
    "under-voltage, heat": (
        "service/test_ladder.py::test_heat_costs_the_frame_rate_then_the_bitrate_then_the_picture_and_never_the_sound",
        "capture/test_machine.py::test_under_voltage_is_the_alarm_of_the_pis_own_sensor",
        "capture/test_ladder.py::test_what_is_too_much_sends_it_down_at_once_and_says_why",
    ),
}


def rows() -> list[str]:
    """The first column of the table, as it stands."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    section = text.partition("\n## 8. ")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [line.split("|")[1].strip() for line in lines[1:]]


@cache
def named_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_every_fault_of_section_8_has_its_line_here_and_no_line_is_without_one() -> None:
    assert len(rows()) > 9
    assert sorted(rows()) == sorted(SHOWN)


@pytest.mark.parametrize("fault", SHOWN)
def test_every_fault_of_section_8_is_shown_by_tests_that_are_there(fault: str) -> None:
    assert SHOWN[fault]
    for shown in SHOWN[fault]:
        if shown.startswith(NOT_BUILT):
            assert shown.removeprefix(NOT_BUILT).split()[0] in (ROOT / "docs/architecture.md").read_text("utf-8")
            continue
        path, _, name = shown.partition("::")
        assert name.startswith("test_")
        assert name in named_in(ROOT / "tests" / path), f"{shown} is not there"
