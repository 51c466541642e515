"""What people forget: to stop, to be there at all, and that another recording is still being sealed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from device.recording.manifest import Manifest, RecordingState, SoundVerdict
from device.store import Store
from device.words import Button, Consent, Fate
from tests.service.rooms import RATE_HZ, MakeBox, certificates, only, troubled
from tests.support import PATIENCE_S, Box, store_at

SECOND = RATE_HZ * 2  # bytes
SILENCE_MIN = 2


def pass_long(box: Box, seconds: int) -> None:
    """Let more time pass than a slow machine can play in one go."""
    for _ in range(seconds // 10):
        box.pass_s(10)


# -- silence ----------------------------------------------------------------------------------------------------------


def test_a_room_that_everybody_has_left_is_told_a_minute_before_and_then_sealed_and_stopped(
    make_box: MakeBox, room: bytes
) -> None:
    box = make_box(sound=room + bytes(300 * SECOND), max_length_min=10, silence_stop_min=SILENCE_MIN)
    box.begin()
    pass_long(box, 50)
    assert "long silence" not in box.status().recording.troubles  # type: ignore[union-attr]
    seen = box.until(troubled("long silence"))
    assert seen.recording is not None
    assert seen.recording.elapsed_us > 66_000_000
    assert seen.panel.tone == "two low tones"
    spoken = box.panel.tones.count("two low tones")
    assert spoken == 2  # once that there is no sound, and once that it is about to end
    pass_long(box, 40)
    seen = box.until(lambda status: status.last and status.last.sealed)
    assert seen.last is not None
    assert (seen.last.end, seen.last.fate) == ("silence", Fate.KEPT)
    assert box.panel.tones.count("two low tones") == 3
    manifest = only(box)
    assert (manifest.state, manifest.end) == (RecordingState.COMPLETE, "silence")
    assert manifest.report.verdict is not SoundVerdict.SILENT
    assert manifest.duration_us > 126_000_000
    assert box.log.count("microphone closed") == 1


def test_one_sound_in_a_long_silence_is_enough_to_go_on(make_box: MakeBox, room: bytes) -> None:
    """A therapy hour may have minutes without a word; somebody who is there is heard all the same."""
    cough = room[: SECOND // 5]
    sound = cough + bytes(100 * SECOND) + cough + bytes(100 * SECOND) + cough
    box = make_box(sound=sound, loop=False, max_length_min=10, silence_stop_min=SILENCE_MIN)
    box.begin()
    pass_long(box, 50)
    box.until(troubled("long silence"))
    pass_long(box, 20)
    box.until(lambda status: status.recording and "long silence" not in status.recording.troubles)
    assert box.status().recording is not None


def test_a_microphone_that_is_gone_is_no_silence(make_box: MakeBox) -> None:
    box = make_box(max_length_min=10, silence_stop_min=SILENCE_MIN)
    box.begin()
    box.microphone.unplug()
    box.until(troubled("microphone gone"))
    pass_long(box, 150)
    seen = box.status()
    assert seen.recording is not None
    assert seen.recording.elapsed_us > SILENCE_MIN * 60_000_000
    assert "long silence" not in seen.recording.troubles
    box.microphone.plug()
    box.until_state("recording")
    box.end()
    assert only(box).end == "button"


def test_with_silence_stop_0_silence_ends_nothing(make_box: MakeBox) -> None:
    box = make_box(sound=bytes(60 * SECOND), max_length_min=1, silence_stop_min=0)
    box.begin()
    pass_long(box, 50)
    seen = box.until(lambda status: status.last and status.last.sealed)
    assert seen.last is not None
    assert seen.last.end == "maximum length"


# -- the maximum length, and what comes after it ----------------------------------------------------------------------


def test_the_longest_session_is_told_a_minute_before_and_at_its_end(make_box: MakeBox) -> None:
    """And five minutes before, where it is longer than that: tests/test_session.py."""
    box = make_box(max_length_min=2)
    box.begin()
    pass_long(box, 50)
    assert "two low tones" not in box.panel.tones
    seen = box.until(lambda _status: "two low tones" in box.panel.tones)
    assert seen.recording is not None
    assert seen.recording.ends_in_s == pytest.approx(60, abs=10)  # fast time runs on until somebody looks
    pass_long(box, 40)
    box.until_state("sealed", "kept")
    assert box.panel.tones.count("two low tones") == 2
    assert only(box).end == "maximum length"


def test_after_a_recording_that_ended_by_itself_the_next_needs_a_new_consent(make_box: MakeBox) -> None:
    box = make_box(max_length_min=1)
    box.begin()
    box.until_state("sealed", "kept")
    box.record()
    assert box.status().state in {"sealed", "kept"}
    box.pass_s(125)
    assert box.until_state("idle").consent is Consent.NONE
    box.record()
    box.until_state("refused")
    assert box.log.count("microphone opening") == 1
    assert len(box.manifests()) == 1


# -- while the one before is still being sealed -----------------------------------------------------------------------


class SlowToSeal(Store):
    """A store that takes as long as a test likes to seal its first recording."""

    def __init__(self, path: Path) -> None:
        base = store_at(path)
        super().__init__(base.path, device_key=base._device_key)
        self.reached, self.release = threading.Event(), threading.Event()

    def write_manifest(self, manifest: Manifest) -> None:
        if manifest.state is RecordingState.COMPLETE and manifest.id.startswith("000001"):
            self.reached.set()
            assert self.release.wait(4 * PATIENCE_S)
        super().write_manifest(manifest)


def second_while_the_first_is_sealed(make_box: MakeBox, store: SlowToSeal, *, first: Fate) -> Box:
    """A box in which the second recording runs, and the first, ended, hangs in a slow disk."""
    box = make_box(store=store)
    box.begin()
    if first is Fate.WITHDRAWN:
        box.consent()
    else:
        box.record()
    assert store.reached.wait(PATIENCE_S)
    box.consent()
    box.until_state("armed")
    box.record()
    seen = box.until(lambda status: status.recording and status.recording.durable_us > 0)
    assert seen.sealing == 1
    return box


@pytest.mark.parametrize(
    ("first", "second"), [(Fate.KEPT, Fate.KEPT), (Fate.KEPT, Fate.WITHDRAWN), (Fate.WITHDRAWN, Fate.KEPT)]
)
def test_each_has_its_own_fate_when_the_second_ends_while_the_first_is_still_being_sealed(
    make_box: MakeBox, tmp_path: Path, first: Fate, second: Fate
) -> None:
    store = SlowToSeal(tmp_path / "store")
    box = second_while_the_first_is_sealed(make_box, store, first=first)
    if second is Fate.WITHDRAWN:
        box.consent()
        box.until_state("withdrawn")
    else:
        box.record()
        box.until_state("sealed", "kept")
    ids = box.store.ids()
    assert len(ids) == 2
    store.release.set()
    box.pass_s(121)
    box.until(lambda status: status.state == "idle" and status.sealing == 0)
    box.stop()
    kept = [number for number, fate in enumerate((first, second)) if fate is Fate.KEPT]
    assert box.store.ids() == [ids[number] for number in kept]
    assert all(manifest.state is RecordingState.COMPLETE for manifest in box.manifests())
    assert certificates(box) == [name for name in ids if name not in box.store.ids()]


def test_the_first_turned_over_by_nobody_when_consent_is_held_in_the_seconds_window(
    make_box: MakeBox, tmp_path: Path
) -> None:
    """A hold belongs to the recording that ended last, even while the one before it is still being sealed."""
    store = SlowToSeal(tmp_path / "store")
    box = second_while_the_first_is_sealed(make_box, store, first=Fate.KEPT)
    box.record()
    box.until_state("sealed", "kept")
    box.press(Button.CONSENT, for_s=3.5)
    box.until_state("withdrawn")
    first, second = box.store.ids()
    store.release.set()
    box.pass_s(121)
    box.until(lambda status: status.state == "idle" and status.sealing == 0)
    box.stop()
    assert box.store.ids() == [first]
    assert certificates(box) == [second]
