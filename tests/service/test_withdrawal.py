"""P3 in the real service: devices closed at once, erased when the window closes, unless it was turned over."""

from __future__ import annotations

import threading
import time
from collections import deque
from pathlib import Path
from statistics import median

import pytest

from device.clock import boot_id
from device.panel_language import Pattern
from device.recording import ERASE_ORDERS_NAME, ERASED_NAME, WITHDRAWN_NAME
from device.recording.erasure import EraseCertificate
from device.recording.manifest import RecordingState
from device.recording.signing import verify
from device.store import Store
from device.words import Button, Consent
from tests.service.rooms import MakeBox, certificates, only
from tests.support import (
    PATIENCE_S,
    SECOND_US,
    store_at,
)


def test_a_withdrawal_closes_the_microphone_within_200_ms(make_box: MakeBox) -> None:
    took_ms = []
    for number in range(3):
        box = make_box(speed=1)
        box.begin()
        box.clock.keep_pace("test", None)  # at the speed of a room
        pressed_s = time.monotonic()
        box.panel.finger(Button.CONSENT, down=True)
        box.until(lambda status: status.state == "withdrawn" and not status.panel.room_light)
        took_ms.append((box.log.last_s("microphone closed") - pressed_s) * 1000)
        box.panel.finger(Button.CONSENT, down=False)
        assert box.log.last_s("light off") > box.log.last_s("microphone closed")
        box.stop()
        assert (box.store.folder(box.store.ids()[number]) / WITHDRAWN_NAME).exists()
    print(f"\npress to closed: {', '.join(f'{ms:.0f}' for ms in took_ms)} ms")
    # What the promise allows is 200, and this is no box: something else may have had the processor.
    assert min(took_ms) < 200
    assert median(took_ms) < 500


def test_a_press_while_the_box_had_no_moment_for_it_is_heard(make_box: MakeBox) -> None:
    """The kernel keeps edges with their times; whoever fetches them late must not take the press for a spike."""
    box = make_box()
    box.begin()
    edges: deque[tuple[Button, bool, int]] = deque()
    tell = box.panel._on_level
    assert tell is not None

    def fetch() -> None:
        while edges:
            tell(*edges.popleft())

    box.panel.poll = fetch  # type: ignore[method-assign]
    busy, free = threading.Event(), threading.Event()

    def be_busy(_now_us: int) -> None:
        busy.set()
        assert free.wait(PATIENCE_S)

    box.service.post(be_busy)
    assert busy.wait(PATIENCE_S)
    for down in (True, False):
        edges.append((Button.CONSENT, down, box.clock.now_us()))
        box.pass_s(0.15)
    box.pass_s(0.5)
    free.set()
    box.until(lambda status: status.state == "withdrawn" and not status.panel.room_light)


def test_a_withdrawal_does_not_wait_for_a_disk_that_stalls(make_box: MakeBox, tmp_path: Path) -> None:
    stalled, release = threading.Event(), threading.Event()

    class StallingStore(Store):
        stalls = False

        def look(self) -> None:
            if self.stalls:
                stalled.set()
                assert release.wait(PATIENCE_S)
            super().look()

    base = store_at(tmp_path / "store")
    store = StallingStore(base.path, device_key=base._device_key)
    box = make_box(store=store)
    box.begin()
    store.stalls = True
    box.clock.keep_pace("test", None)
    assert stalled.wait(PATIENCE_S)
    box.press(Button.CONSENT)
    box.until(lambda status: status.state == "withdrawn" and not status.panel.room_light)
    assert box.log.count("microphone closed") == 1
    release.set()


def test_what_was_withdrawn_is_erased_when_its_window_closes(make_box: MakeBox) -> None:
    box = make_box()
    recording_id = box.begin().recording.id  # type: ignore[union-attr]
    assert recording_id is not None
    box.consent()
    window_ends_us = box.clock.now_us() + 119_000_000
    seen = box.until(lambda status: status.last and status.last.sealed)
    assert seen.state == "withdrawn"
    assert {lamp.pattern for lamp in seen.panel.lamps} == {Pattern.WINK_THREE}
    assert seen.panel.tone == "three falling tones"
    assert seen.last is not None
    assert (seen.last.fate, seen.last.id) == ("withdrawn", recording_id)
    assert (box.store.folder(recording_id) / WITHDRAWN_NAME).exists()
    assert box.sealed(recording_id).exists()
    box.pass_s((window_ends_us - box.clock.now_us()) / SECOND_US)
    assert box.store.ids() == [recording_id]
    box.pass_s(10)
    box.until_state("idle")
    box.stop()
    assert box.store.ids() == []
    assert certificates(box) == [recording_id]
    assert sorted(path.name for path in box.store.path.iterdir()) == [ERASE_ORDERS_NAME, ERASED_NAME]
    (proof,) = (box.store.path / ERASED_NAME).iterdir()
    certificate = EraseCertificate.model_validate(verify("erase certificate", proof.read_bytes()).payload)
    assert certificate.boot == boot_id()
    assert certificate.clock_trusted
    assert certificate.monotonic_us is not None
    assert window_ends_us <= certificate.monotonic_us <= box.clock.now_us()


def test_a_withdrawal_can_be_turned_over_and_the_recording_is_kept(make_box: MakeBox) -> None:
    box = make_box()
    box.begin()
    box.consent()
    box.until(lambda status: status.last and status.last.sealed)
    box.press(Button.CONSENT, for_s=3.5)
    seen = box.until_state("kept")
    assert seen.panel.tone == "one long tone"
    box.pass_s(121)
    box.until_state("idle")
    box.stop()
    manifest = only(box)
    assert manifest.state is RecordingState.COMPLETE
    assert [event.what for event in manifest.consent_events] == ["consented", "withdrawn", "kept"]
    assert not (box.store.folder(manifest.id) / WITHDRAWN_NAME).exists()
    assert certificates(box) == []


def test_a_recording_that_was_kept_can_be_withdrawn_in_its_window(make_box: MakeBox) -> None:
    box = make_box()
    box.begin()
    box.end()
    recording_id = only(box).id
    box.press(Button.CONSENT, for_s=3.5)
    box.until_state("withdrawn")
    box.pass_s(121)
    box.until_state("idle")
    box.stop()
    assert box.store.ids() == []
    assert certificates(box) == [recording_id]


def test_a_frightened_client_who_keeps_holding_consent_has_withdrawn(make_box: MakeBox) -> None:
    box = make_box()
    box.begin()
    box.press(Button.CONSENT, for_s=6)
    box.until_state("withdrawn")
    box.pass_s(121)
    box.stop()
    assert box.store.ids() == []


@pytest.mark.parametrize("withdrawn", [True, False], ids=["withdrawn", "kept"])
def test_the_next_clients_press_settles_the_recording_before_and_arms_a_new_one(
    make_box: MakeBox,
    withdrawn: bool,  # noqa: FBT001
) -> None:
    box = make_box()
    box.begin()
    if withdrawn:
        box.consent()
        box.until_state("withdrawn")
    else:
        box.end()
    first = box.store.ids()[0]
    box.consent()
    seen = box.until_state("armed")
    assert (seen.consent, seen.last) == (Consent.SOUND, None)
    box.record()
    box.until(lambda status: status.recording and status.recording.durable_us > 0)
    box.end()
    box.stop()
    kept = [manifest.id for manifest in box.manifests()]
    assert len(kept) == (1 if withdrawn else 2)
    assert (first in kept) != withdrawn
    assert certificates(box) == ([first] if withdrawn else [])


def test_stopping_the_service_in_a_withdrawal_window_leaves_the_mark(make_box: MakeBox) -> None:
    box = make_box()
    box.begin()
    box.consent()
    box.until_state("withdrawn")
    box.stop()
    (recording_id,) = box.store.ids()
    assert (box.store.folder(recording_id) / WITHDRAWN_NAME).exists()
    assert [event.what for event in only(box).consent_events] == ["consented", "withdrawn"]
