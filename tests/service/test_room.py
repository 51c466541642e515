"""Little room: what is offered before a session, what goes first during one, how it ends before the store is full."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.capture.needs import AFTERWARDS_BYTES, MARGIN_BYTES, RESERVE_BYTES, session_bytes
from device.panel_language import Colour, Pattern
from device.recording.manifest import RecordingState
from device.store import Store
from device.words import Button, Consent
from tests.service.rooms import ForbiddenCamera, MakeBox, certificates, only, samples_in
from tests.support import Box, fill, small_disk, store_at

MINUTES = 10
WITH_PICTURE = session_bytes(MINUTES * 60, bitrate=ForbiddenCamera.bitrate)
SOUND_ONLY = session_bytes(MINUTES * 60, bitrate=None)
PLENTY = 1 << 40


def test_what_merely_goes_on_is_told_no_more_than_twice_a_second(make_box: MakeBox) -> None:
    # Ten times a second was a tenth of what recording costs, for a page that asks once a second.
    box = make_box()
    box.begin()
    before = len(box.watcher.statuses)
    box.pass_s(10)
    # Less often only for this clock, which is twenty times as fast as the machine that has to keep pace.
    assert 5 <= len(box.watcher.statuses) - before <= 22
    box.stop()


class SmallStore(Store):
    """A store with so much room, as it says."""

    room_bytes = PLENTY

    def free_bytes(self) -> int:
        return self.room_bytes


@pytest.fixture
def store(tmp_path: Path) -> SmallStore:
    known = store_at(tmp_path / "store")
    return SmallStore(known.path, device_key=known._device_key)


def box_in(make_box: MakeBox, store: Store) -> tuple[Box, ForbiddenCamera]:
    camera = ForbiddenCamera()
    return make_box(store=store, camera=lambda _clock: camera, max_length_min=MINUTES), camera


def lamps(box: Box) -> list[tuple[str, str]]:
    return [(lamp.colour, lamp.pattern) for lamp in box.status().panel.lamps]


# -- before a session -------------------------------------------------------------------------------------------------


def test_with_room_for_the_sound_alone_sound_is_all_that_can_be_chosen_and_the_lamp_says_so(
    make_box: MakeBox, store: SmallStore
) -> None:
    store.room_bytes = WITH_PICTURE - 1
    box, camera = box_in(make_box, store)
    assert not box.until_state("idle").room_for_picture
    box.consent()
    assert box.until_state("armed").consent is Consent.SOUND
    assert lamps(box) == [(Colour.BLUE, Pattern.DARK_MOMENT), (Colour.NONE, Pattern.OFF)]
    box.consent()
    assert box.status().state == "idle"
    box.begin()
    box.end()
    assert only(box).consent is Consent.SOUND
    assert only(box).picture is None
    assert camera.touched == []


def test_with_room_for_all_of_it_both_can_be_chosen(make_box: MakeBox, store: SmallStore) -> None:
    store.room_bytes = WITH_PICTURE
    box, _ = box_in(make_box, store)
    box.consent()
    box.consent()
    seen = box.status()
    assert (seen.consent, seen.room_for_picture) == (Consent.SOUND_AND_PICTURE, True)
    assert lamps(box) == [(Colour.BLUE, Pattern.STEADY)] * 2


def test_without_room_for_a_whole_sessions_sound_nothing_can_be_started(make_box: MakeBox, store: SmallStore) -> None:
    store.room_bytes = SOUND_ONLY - 1
    box, _ = box_in(make_box, store)
    seen = box.until_state("fault")
    assert [what for what, _ in seen.faults] == ["the store has no room for a whole session"]
    box.consent()
    box.record()
    assert box.status().state == "fault"
    assert box.log.events == []
    store.room_bytes = SOUND_ONLY
    box.until_state("idle")
    box.begin()
    box.end()
    assert only(box).state is RecordingState.COMPLETE


def test_a_picture_that_was_chosen_and_lost_its_room_is_dropped_with_three_low_tones_not_reduced(
    make_box: MakeBox, store: SmallStore
) -> None:
    box, camera = box_in(make_box, store)
    box.consent()
    box.consent()
    assert box.status().consent is Consent.SOUND_AND_PICTURE
    store.room_bytes = WITH_PICTURE - 1
    seen = box.until_state("idle")
    assert (seen.panel.tone, seen.room_for_picture) == ("three low tones", False)
    box.record()
    box.until_state("refused")
    assert box.log.events == []
    assert camera.touched == []


def test_room_that_comes_back_is_offered_again_once_there_is_some_to_spare(
    make_box: MakeBox, store: SmallStore
) -> None:
    store.room_bytes = WITH_PICTURE - 1
    box, _ = box_in(make_box, store)
    box.until(lambda status: not status.room_for_picture)
    store.room_bytes = WITH_PICTURE
    box.pass_s(11)
    assert not box.status().room_for_picture
    store.room_bytes = WITH_PICTURE + (64 << 20)
    box.until(lambda status: status.room_for_picture)


def test_a_box_without_a_camera_misses_no_room_for_a_picture(make_box: MakeBox, store: SmallStore) -> None:
    store.room_bytes = SOUND_ONLY
    box = make_box(store=store, max_length_min=MINUTES)
    box.consent()
    assert box.until_state("armed").room_for_picture
    assert lamps(box)[0] == (Colour.BLUE, Pattern.STEADY)


# -- during a session -------------------------------------------------------------------------------------------------


def test_a_store_that_is_nearly_full_ends_the_recording_complete_and_the_room_is_told(
    make_box: MakeBox, store: SmallStore, tmp_path: Path, room: bytes
) -> None:
    box = make_box(store=store, max_length_min=MINUTES)
    box.begin()
    store.room_bytes = RESERVE_BYTES
    box.pass_s(11)
    assert box.status().state == "recording"
    store.room_bytes = RESERVE_BYTES - 1
    seen = box.until(lambda status: status.last and status.last.sealed)
    assert seen.last is not None
    assert (seen.last.end, seen.last.fate) == ("the store is full", "kept")
    assert "two low tones" in box.panel.tones
    manifest = only(box)
    assert (manifest.state, manifest.end) == (RecordingState.COMPLETE, "the store is full")
    sound = box.sound(manifest.id, tmp_path)
    assert len(sound) == 2 * samples_in(manifest.duration_us)
    assert sound == (room * 200)[: len(sound)]
    box.pass_s(121)
    assert box.until_state("fault").faults


def test_the_picture_goes_before_the_recording_does() -> None:
    assert MARGIN_BYTES > RESERVE_BYTES


def test_what_is_left_when_the_store_is_full_holds_the_end_mark_the_withdrawal_and_its_certificate(
    make_box: MakeBox, tmp_path: Path
) -> None:
    """On a real disk, of which somebody else takes all but a part of what is kept for afterwards."""
    with small_disk(tmp_path / "disk", 64 * 1024) as disk:
        box = make_box(store=store_at(disk))
        recording_id = box.begin().recording.id  # type: ignore[union-attr]
        assert recording_id is not None
        fill(disk, but=AFTERWARDS_BYTES)
        box.until(lambda status: status.last and status.last.sealed)
        manifest = only(box)
        assert (manifest.state, manifest.end) == (RecordingState.COMPLETE, "the store is full")
        box.press(Button.CONSENT, for_s=3.5)
        assert box.until_state("withdrawn").last is not None
        box.pass_s(121)
        box.until(lambda _status: box.store.ids() == [])
        box.stop()
        assert certificates(box) == [recording_id]


def test_a_camera_that_there_is_no_room_for_any_more_when_it_would_open_stays_closed(
    make_box: MakeBox, store: SmallStore
) -> None:
    """The room goes between the last look at it and the press: the ladder has the last word."""
    box, camera = box_in(make_box, store)
    health = box.service._health
    box.consent()
    box.consent()
    health.surroundings = type(health.surroundings)(health.surroundings.machine, MARGIN_BYTES, MINUTES * 60)
    box.record()
    seen = box.until(lambda status: status.recording and "no picture" in status.recording.troubles)
    assert seen.state == "troubled"
    box.pass_s(2)
    box.end()
    assert camera.touched == ["step no_picture", "kill"]
    picture = only(box).picture
    assert picture is not None
    assert [step.cause for step in picture.steps] == ["the store has too little room"]
