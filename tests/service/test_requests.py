"""Marks, several people, and what the page may ask."""

from __future__ import annotations

from device.panel_language import Colour
from device.recording import ATTACHMENTS_NAME, SESSION_NAME
from device.requests import Label, Mark, Note, People, Stop
from device.words import Button, Consent
from tests.service.rooms import ForbiddenCamera, MakeBox, certificates, only
from tests.support import Box, own_open


def test_bookmarks_come_from_a_held_record_and_from_the_page(make_box: MakeBox) -> None:
    box = make_box()
    box.begin()
    start_us = box.status().recording.elapsed_us  # type: ignore[union-attr]
    box.pass_s(2)
    box.press(Button.RECORD, for_s=1.7)
    box.service.request(Mark())
    box.pass_s(1)
    assert box.status().state == "recording"
    box.end()
    held_us, page_us = only(box).bookmarks_us
    assert start_us + 1_900_000 < held_us < page_us < only(box).duration_us
    assert page_us - held_us < 2_000_000


def test_of_several_people_the_least_choice_counts(make_box: MakeBox) -> None:
    camera = ForbiddenCamera()
    box = make_box(camera=lambda _clock: camera)
    box.service.request(People(people=2))
    box.until(lambda status: status.people == 2)
    box.consent()
    box.consent()
    box.until_state("choosing")
    box.pass_s(4)
    assert box.until(lambda status: len(status.choices) == 1).choices == (Consent.SOUND_AND_PICTURE,)
    box.consent()
    seen = box.until_state("armed")
    assert (seen.choices, seen.consent) == ((Consent.SOUND_AND_PICTURE, Consent.SOUND), Consent.SOUND)
    box.record()
    box.until(lambda status: status.recording and status.recording.durable_us > 0)
    box.end()
    manifest = only(box)
    assert manifest.consent is Consent.SOUND
    assert manifest.consent_events[0].people == 2
    assert camera.touched == []
    assert box.status().people == 1


def test_the_page_can_stop_but_a_stop_is_never_a_withdrawal(make_box: MakeBox) -> None:
    box = make_box()
    box.begin()
    box.service.request(Stop())
    seen = box.until_state("sealed")
    assert seen.panel.tone == "one long tone"
    assert {lamp.colour for lamp in seen.panel.lamps} == {Colour.NONE, Colour.WHITE}
    assert box.until_state("kept").last is not None
    manifest = only(box)
    assert manifest.end == "page"
    assert (box.store.folder(manifest.id) / SESSION_NAME).exists()


def test_both_buttons_at_once_stop(make_box: MakeBox) -> None:
    box = make_box()
    box.begin()
    for down in (True, False):
        for button in Button:
            box.panel.finger(button, down=down)
        box.pass_s(0.3)
    box.until_state("sealed", "kept")
    assert only(box).end == "both buttons"
    assert certificates(box) == []


def test_the_published_states_tell_a_whole_session_in_order(make_box: MakeBox) -> None:
    box = make_box()
    box.begin()
    box.end()
    box.until_state("kept")
    box.pass_s(121)
    box.until_state("idle")
    assert box.watcher.states == ["idle", "armed", "recording", "sealing", "sealed", "kept", "idle"]
    lights = {status.state: status.panel.room_light for status in box.watcher.statuses}
    assert lights["recording"]
    assert not lights["armed"]
    assert not lights["kept"]
    assert [str(tone) for tone in box.panel.tones] == ["one rising tick", "two short tones", "one long tone"]


def test_a_label_and_notes_are_sealed_beside_the_recording_that_runs_or_whose_window_is_open(make_box: MakeBox) -> None:
    box = make_box()
    box.begin()
    box.service.request(Label(text="first"))
    box.service.request(Note(text="at the window"))
    box.end()
    box.service.request(Label(text="second"))
    box.until(lambda _status: sorted(names(box)) == ["label.age", "note-001.age"])
    box.stop()
    place = box.store.folder(only(box).id) / ATTACHMENTS_NAME
    assert own_open(place / "label.age", box.identity) == b"second"
    assert own_open(place / "note-001.age", box.identity) == b"at the window"


def test_a_label_without_a_recording_is_kept_nowhere(make_box: MakeBox) -> None:
    box = make_box()
    box.service.request(Label(text="for nobody"))
    box.begin()
    box.end()
    box.consent()  # its window is closed, and a label has no place any more
    box.until_state("armed")
    box.service.request(Label(text="too late"))
    box.status()
    box.stop()
    assert names(box) == []


def test_a_label_goes_with_the_recording_that_is_withdrawn(make_box: MakeBox) -> None:
    box = make_box()
    box.begin()
    box.service.request(Label(text="mine"))
    box.until(lambda _status: names(box) == ["label.age"])
    box.consent()
    box.until_state("withdrawn")
    box.consent()
    box.until(lambda _status: not box.store.ids())
    assert names(box) == []


def names(box: Box) -> list[str]:
    return [path.name for path in box.store.path.glob(f"*/{ATTACHMENTS_NAME}/*.age")]
