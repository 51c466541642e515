"""What the page names beside real recordings; and that nothing it asks disturbs one, nor its withdrawal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from device.capture import desk as desk_module
from device.capture.take import Take
from device.errors import StoreError
from device.naming_requests import Asked, AskFor, Declined, Label, Leave, Measure, Note, NotNamedError, OnDuty, Reason
from device.recording import ATTACHMENTS_NAME, WITHDRAWN_NAME
from device.recording.beside import Kind, Wish
from device.recording.named import LabelDocument, NoteDocument, from_bytes
from device.words import Button
from tests.service.rooms import MakeBox, certificates, only, samples_in
from tests.support import PATIENCE_S, Box, own_open

ANNA, BEN = "a" * 12, "b" * 12


def names(box: Box) -> list[str]:
    return sorted(path.name for path in box.store.path.glob(f"*/{ATTACHMENTS_NAME}/*.age"))


def beside(box: Box, recording_id: str) -> list[str]:
    place = box.store.folder(recording_id) / ATTACHMENTS_NAME
    return sorted(path.name for path in place.glob("*.age"))


def label_of(box: Box, recording_id: str) -> str:
    sealed = box.store.folder(recording_id) / ATTACHMENTS_NAME / "label.age"
    return from_bytes(own_open(sealed, box.identity), LabelDocument).client


def until(holds: Callable[[], object]) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until_s, "never came true"
        time.sleep(0.01)


def test_a_label_and_notes_are_sealed_beside_the_recording_that_runs_or_whose_window_is_open(make_box: MakeBox) -> None:
    box = make_box()
    running = box.begin().recording.id  # type: ignore[union-attr]
    assert box.desk.answer(Label(by=ANNA, client="first")).recording == running
    box.desk.answer(Note(by=ANNA, text="at the window"))
    box.end()
    assert box.desk.answer(Label(by=ANNA, client="second")).recording == running
    box.stop()
    assert beside(box, only(box).id) == ["label.age", "note-001.age"]
    assert label_of(box, only(box).id) == "second"
    note = own_open(box.store.folder(only(box).id) / ATTACHMENTS_NAME / "note-001.age", box.identity)
    assert from_bytes(note, NoteDocument).text == "at the window"


def test_what_is_named_once_the_window_has_closed_belongs_to_the_next(make_box: MakeBox) -> None:
    box = make_box()
    box.desk.answer(OnDuty(by=ANNA, therapist=ANNA))
    first = box.begin().recording.id  # type: ignore[union-attr]
    box.end()
    box.consent()  # which closes its window
    box.until_state("armed")
    assert box.desk.answer(Label(by=ANNA, client="the next client")).recording is None
    assert box.desk.answer(Label(by=ANNA, client="the first client", recording=first)).recording == first
    box.record()
    second = box.until(lambda status: status.recording and status.recording.durable_us > 0).recording.id  # type: ignore[union-attr]
    until(lambda: beside(box, second or "") == ["label.age"])
    box.end()
    box.stop()
    assert label_of(box, first or "") == "the first client"
    assert label_of(box, second or "") == "the next client"


def test_once_its_window_has_closed_a_recording_gets_nothing_more_by_itself_however_long_it_takes_to_seal(
    make_box: MakeBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = make_box()
    first = box.begin().recording.id or ""  # type: ignore[union-attr]
    with monkeypatch.context() as slow:
        slow.setattr(Take, "over", property(lambda _take: False))
        box.end()
        box.consent()
        box.until_state("armed")
        assert box.desk.answer(Label(by=ANNA, client="the next client")).recording is None
    box.stop()
    assert beside(box, first) == []


def test_what_was_given_before_is_beside_the_recording_that_begins_and_a_start_that_fails_takes_nothing(
    make_box: MakeBox,
) -> None:
    box = make_box()
    box.desk.answer(OnDuty(by=ANNA, therapist=ANNA))
    box.desk.answer(Measure(by=ANNA, document='{"kind": "sotto-measure"}'))
    box.record()  # nobody consented
    box.until_state("refused")
    box.pass_s(4)
    assert [one.left for one in box.desk.waiting.all()] == [False]
    box.begin()
    until(lambda: names(box) == ["measure-001.age"])
    box.end()
    box.stop()
    assert box.desk.waiting.all() == ()


def test_whoever_was_checked_in_when_it_began_stands_in_the_manifest_and_on_the_status(make_box: MakeBox) -> None:
    box = make_box()
    assert box.status().on_duty is None
    box.desk.answer(OnDuty(by=ANNA, therapist=ANNA, for_s=3600))
    assert box.status().on_duty == ANNA
    box.begin()
    box.desk.answer(OnDuty(by=BEN, therapist=BEN))  # who comes in the middle takes nothing of what runs
    box.end()
    box.consent()
    box.until_state("armed")
    box.desk.answer(OnDuty(by=BEN, therapist=None))
    box.record()
    box.until(lambda status: status.recording and status.recording.durable_us > 0)
    box.end()
    box.stop()
    assert [manifest.therapist for manifest in box.manifests()] == [ANNA, None]


def test_a_check_in_that_is_over_leaves_no_mark(make_box: MakeBox) -> None:
    box = make_box()
    box.desk.answer(OnDuty(by=ANNA, therapist=ANNA, for_s=5))
    box.pass_s(6)
    assert box.status().on_duty is None
    box.begin()
    box.end()
    box.stop()
    assert only(box).therapist is None


def test_a_label_goes_with_the_recording_that_is_withdrawn_and_nothing_comes_after_it(make_box: MakeBox) -> None:
    box = make_box()
    recording_id = box.begin().recording.id or ""  # type: ignore[union-attr]
    box.desk.answer(Label(by=ANNA, client="mine"))
    box.consent()
    box.until_state("withdrawn")
    until((box.store.folder(recording_id) / WITHDRAWN_NAME).exists)
    for asked in (Label(by=ANNA, client="late"), Note(by=ANNA, recording=recording_id, text="late")):
        with pytest.raises(NotNamedError) as refused:
            box.desk.answer(asked)
        assert refused.value.reason is Reason.GOING
    box.consent()
    box.until(lambda _status: not box.store.ids())
    box.stop()
    assert names(box) == []
    assert certificates(box) == [recording_id]


# -- it disturbs nobody -----------------------------------------------------------------------------------------------


@contextmanager
def asking(box: Box, *asked: Asked, threads: int = 2) -> Iterator[list[int]]:
    """Somebody asks all of this, over and over; how often so far."""
    over, answered = threading.Event(), [0]

    def ask() -> None:
        while not over.is_set():
            for one in asked:
                with suppress(NotNamedError, StoreError):
                    box.desk.answer(one)
                answered[0] += 1

    askers = [threading.Thread(target=ask) for _ in range(threads)]
    for asker in askers:
        asker.start()
    try:
        yield answered
    finally:
        over.set()
        for asker in askers:
            asker.join(PATIENCE_S)


def test_a_page_that_asks_without_end_takes_nothing_from_the_sound(
    make_box: MakeBox, room: bytes, tmp_path: Path
) -> None:
    box = make_box(speed=4.0)
    everything = (
        OnDuty(by=ANNA, therapist=ANNA),
        Label(by=ANNA, client="a"),
        Note(by=ANNA, text="x" * 4000),
        Measure(by=BEN, document="x" * 32_000),
        Declined(by=ANNA),
        Leave(by=ANNA),
        OnDuty(by=ANNA, therapist=None),
    )
    with asking(box, *everything) as answered:
        recording_id = box.begin().recording.id or ""  # type: ignore[union-attr]
        wish = AskFor(by=ANNA, recording=recording_id, wish=Wish.DELETION)
        with asking(box, wish, threads=1):
            box.pass_s(8)
        box.end()
    box.stop()
    manifest = only(box)
    assert answered[0] > 10
    assert manifest.gaps == ()
    assert manifest.end == "button"
    heard = box.sound(recording_id, tmp_path)
    assert len(heard) == samples_in(manifest.duration_us) * 2
    assert heard in room * (len(heard) // len(room) + 2)
    assert manifest.duration_us > 8_000_000


def test_a_disk_that_stalls_at_a_label_delays_neither_sound_nor_stop_nor_withdrawal(
    make_box: MakeBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = make_box()
    stalled, goes_on = threading.Event(), threading.Event()
    real = desk_module.attach

    def stalling(folder: Path, kind: Kind, sealed: bytes) -> str:
        stalled.set()
        assert goes_on.wait(4 * PATIENCE_S)
        return real(folder, kind, sealed)

    monkeypatch.setattr(desk_module, "attach", stalling)
    recording_id = box.begin().recording.id or ""  # type: ignore[union-attr]
    asker = threading.Thread(target=lambda: box.desk.answer(Label(by=ANNA, client="a")))
    asker.start()
    assert stalled.wait(PATIENCE_S)
    durable_us = box.status().recording.durable_us  # type: ignore[union-attr]
    box.until(lambda status: status.recording and status.recording.durable_us > durable_us + 1_000_000)
    box.press(Button.CONSENT)
    seen = box.until_state("withdrawn")
    assert not seen.panel.room_light
    until((box.store.folder(recording_id) / WITHDRAWN_NAME).exists)
    box.until(lambda status: status.last and status.last.sealed)
    goes_on.set()
    asker.join(PATIENCE_S)
    box.consent()
    box.until(lambda _status: not box.store.ids())
    box.stop()
    assert names(box) == [], "what came as it was withdrawn is erased with it"


def test_a_desk_that_is_broken_breaks_no_recording(make_box: MakeBox, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("Zephyr")

    box = make_box()
    for name in ("attach", "seal", "link", "manifest_of", "waits_still"):
        monkeypatch.setattr(desk_module, name, broken)
    monkeypatch.setattr(box.desk._counting, "_count", broken)
    box.desk.answer(OnDuty(by=ANNA, therapist=ANNA))
    box.begin()
    with pytest.raises(ValueError, match="Zephyr"):
        box.desk.answer(Label(by=ANNA, client="a"))
    box.end()
    box.stop()
    assert only(box).end == "button"
    assert only(box).therapist == ANNA


def test_the_service_ends_though_somebody_still_asks(make_box: MakeBox) -> None:
    box = make_box()
    with asking(box, Note(by=ANNA, text="a")):
        box.begin()
        box.stop()
    assert only(box).digest is not None
