"""Marks, several people, and what the page may ask."""

from __future__ import annotations

from device.panel_language import Colour
from device.recording import SESSION_NAME
from device.requests import Mark, People, Stop
from device.words import Button, Consent
from tests.service.rooms import ForbiddenCamera, MakeBox, certificates, only


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
