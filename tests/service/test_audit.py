"""P11 in the real service: everything that happens stands in the log, in order, and in words that name nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from device.audit import AuditLog, newest_entries
from device.capture.auditor import Auditor
from device.clock import PacedClock, Stamp
from device.compose_camera import clock_camera, clock_stills
from device.errors import RecipientError
from device.recording.audited import Happened, What
from device.recording.chain import Head
from device.requests import People, Stop
from device.words import Button
from provisioning.verify_audit import verify_audit
from tests.audit.logs import KEY
from tests.service.rooms import MakeBox
from tests.support import PATIENCE_S, Box, fill, small_disk, store_at

Audited = Callable[..., Box]


class Kept:
    """The log of a box, to be read once the box has stopped."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.auditor: Auditor | None = None
        self.stalls = threading.Event()
        self.stalls.set()

    def make(self, clock: PacedClock) -> Auditor:
        kept = self

        class Log(AuditLog):
            def append(self, happened: Happened, stamp: Stamp) -> Head:
                assert kept.stalls.wait(PATIENCE_S)
                return super().append(happened, stamp)

        self.auditor = Auditor(lambda: Log(self.folder, device_key=KEY), clock=clock, boot="b")
        return self.auditor

    def entries(self) -> list[dict[str, Any]]:
        """Everything in order; the log is verified first."""
        assert self.auditor is not None
        self.auditor.close()
        assert verify_audit(self.folder).bad is None
        return list(newest_entries(self.folder))[::-1]

    def told(self) -> list[str]:
        """What happened, by whom, and the facts that matter."""
        return [_line(entry) for entry in self.entries()]


def _line(entry: dict[str, Any]) -> str:
    facts = entry.get("facts", {})
    parts = [entry["what"], entry.get("by", "?")]
    parts += [
        str(facts[name]) for name in ("consent", "cause", "fate", "trouble", "state", "standing") if name in facts
    ]
    return " / ".join(parts)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "audit")


@pytest.fixture
def audited(make_box: MakeBox, kept: Kept) -> Iterator[Audited]:
    yield lambda **settings: make_box(auditor=kept.make, **settings)
    kept.stalls.set()


def test_a_whole_session_stands_in_the_log_in_order(audited: Audited, kept: Kept) -> None:
    box = audited()
    recording_id = box.begin().recording.id  # type: ignore[union-attr]
    box.end()
    box.pass_s(121)
    box.until_state("idle")
    box.stop()
    assert kept.told() == [
        "consent / client / sound",
        "start / therapist / sound",
        "recording begun / box",
        "stop / therapist / button",
        "sealed / box / complete",
        "settled / box / kept",
    ]
    entries = kept.entries()
    assert {entry["recording"] for entry in entries[2:]} == {recording_id}
    (manifest,) = box.manifests()
    facts = entries[4]["facts"]
    assert (facts["digest"], facts["chunks"]) == (manifest.digest, manifest.chunks)
    assert facts["duration_us"] == manifest.duration_us
    times = [entry["monotonic_us"] for entry in entries]
    assert times == sorted(times)


def test_a_withdrawal_and_the_erasure_stand_in_the_log(audited: Audited, kept: Kept) -> None:
    box = audited()
    box.begin()
    box.consent()
    box.until(lambda status: status.last and status.last.sealed)
    digest = box.manifests()[0].digest
    box.pass_s(125)
    box.until_state("idle")
    box.stop()
    assert kept.told()[3:] == [
        "withdrawn / client",
        "sealed / box / complete",
        "settled / box / withdrawn",
        "erased / client",
    ]
    assert kept.entries()[-1]["facts"] == {"digest": digest}


def test_a_fate_that_was_turned_over_stands_in_the_log(audited: Audited, kept: Kept) -> None:
    box = audited()
    box.begin()
    box.end()
    for _ in range(2):
        box.press(Button.CONSENT, for_s=3.5)
    box.until_state("kept")
    box.stop()
    assert [line for line in kept.told() if line.startswith("turned over")] == [
        "turned over / client / withdrawn",
        "turned over / client / kept",
    ]


def test_consent_given_changed_taken_back_and_lapsed_stands_in_the_log(audited: Audited, kept: Kept) -> None:
    box = audited(camera=lambda clock: clock_camera((160, 96), 5, clock=clock))
    for _ in range(3):
        box.consent()
    box.until_state("idle")
    box.consent()
    box.until_state("armed")
    box.pass_s(61)
    box.until_state("idle")
    box.service.request(People(people=2))
    box.consent()
    box.pass_s(4)
    box.consent()
    box.pass_s(4)
    box.until_state("armed")
    box.service.request(People(people=3))
    box.until_state("idle")
    box.stop()
    entries = kept.entries()
    assert [_line(entry) for entry in entries] == [
        "consent / client / sound",
        "consent / client / sound_and_picture",
        "consent / client / none",
        "consent / client / sound",
        "consent / box / none / nobody pressed",
        "consent / client / sound",
        "consent / page / none",
    ]
    assert [entry["facts"]["people"] for entry in entries][-2:] == [2, 3]


def test_the_last_choice_and_the_start_may_be_one_press(audited: Audited, kept: Kept) -> None:
    box = audited()
    box.service.request(People(people=2))
    box.consent()
    box.record()
    box.consent()
    box.record()
    box.until_state("recording")
    box.stop()
    assert kept.told()[:2] == ["consent / client / sound", "start / therapist / sound"]
    assert kept.entries()[1]["facts"]["people"] == 2


def test_a_start_that_was_refused_stands_in_the_log_with_its_reason(audited: Audited, kept: Kept) -> None:
    box = audited()
    box.record()
    box.until_state("refused")
    box.pass_s(4)
    box.begin()
    box.end()
    box.record()
    box.stop()
    refused = [line for line in kept.told() if line.startswith("start refused")]
    assert refused == ["start refused / therapist / no consent", "start refused / therapist / window open"]


def test_a_fault_stands_in_the_log_and_so_does_a_start_that_it_refused(audited: Audited, kept: Kept) -> None:
    box = audited(recipients=[], standing=(RecipientError("there is no recipient", "make a key"),))
    box.until_state("fault")
    box.record()
    box.stop()
    entries = kept.entries()
    assert [entry["what"] for entry in entries] == ["faults", "start refused"]
    assert entries[0]["facts"] == {"standing": ["recipient"]}
    assert entries[1]["facts"] == {"cause": "fault"}


def test_a_microphone_that_goes_and_comes_back_leaves_a_gap_of_exact_length(audited: Audited, kept: Kept) -> None:
    box = audited()
    box.begin()
    box.microphone.unplug()
    box.until_state("troubled")
    box.pass_s(2)
    box.microphone.plug()
    box.until_state("recording")
    box.pass_s(1)
    box.end()
    box.stop()
    lines = kept.told()
    assert "trouble / box / microphone gone" in lines
    assert "trouble over / box / microphone gone" in lines
    (manifest,) = box.manifests()
    gaps = [entry["facts"] for entry in kept.entries() if entry["what"] == "gap"]
    assert gaps == [gap.model_dump() for gap in manifest.gaps]
    assert manifest.gaps
    assert lines.index("sealed / box / complete") > max(at for at, line in enumerate(lines) if line.startswith("gap"))


def test_a_framing_check_stands_in_the_log(audited: Audited, kept: Kept) -> None:
    box = audited(
        camera=lambda clock: clock_camera((160, 96), 5, clock=clock),
        stills=lambda clock: clock_stills((160, 96), clock=clock),
    )
    box.consent()
    box.consent()
    box.press(Button.RECORD, for_s=1.8)
    box.until_state("framing")
    box.service.request(Stop())
    box.until_state("armed")
    box.stop()
    assert [line for line in kept.told() if "framing" in line] == [
        "framing check begun / therapist",
        "framing check ended / page",
    ]


def test_a_stop_from_the_page_and_one_by_both_buttons_are_told_apart(audited: Audited, kept: Kept) -> None:
    box = audited()
    box.begin()
    box.service.request(Stop())
    box.until_state("sealed", "kept")
    box.begin()
    for down in (True, False):
        for button in Button:
            box.panel.finger(button, down=down)
        box.pass_s(0.2)
    box.until_state("sealed", "kept")
    box.stop()
    stops = [line for line in kept.told() if line.startswith("stop")]
    assert stops == ["stop / page / page", "stop / ? / both buttons"]


def test_a_log_whose_disk_stalls_delays_neither_a_press_nor_the_sound(audited: Audited, kept: Kept) -> None:
    box = audited()
    kept.stalls.clear()
    box.begin()
    box.pass_s(3)
    box.consent()
    seen = box.until(lambda status: status.state == "withdrawn" and not status.panel.room_light)
    assert not seen.faults
    kept.stalls.set()
    box.stop()
    assert kept.told()[:4] == [
        "consent / client / sound",
        "start / therapist / sound",
        "recording begun / box",
        "withdrawn / client",
    ]
    assert box.manifests()[0].gaps == ()


def test_a_log_that_cannot_be_written_is_a_fault_and_does_not_stop_a_recording(
    audited: Audited, kept: Kept, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "small", 64) as disk:
        kept.folder = disk / "audit"
        box = audited(store=store_at(tmp_path / "store"))
        recording_id = box.begin().recording.id  # type: ignore[union-attr]
        filling = fill(disk)
        assert kept.auditor is not None
        while kept.auditor.problem is None:  # what is left of the last page still takes some
            kept.auditor.note_durably(Happened(What.VIEW), patience_s=0.1)  # one that fails waits for a disk with room
        seen = box.until(lambda status: status.faults)
        assert seen.state == "recording"
        assert "an audit entry could not be written" in seen.faults[0][0]
        box.end()
        assert box.manifests()[0].id == recording_id
        filling.unlink()
        box.until(lambda status: not status.faults)
        box.stop()
        whats = [entry["what"] for entry in kept.entries()]
        assert whats.index("stop") < whats.index("sealed")
        assert {"faults"} <= set(whats)


def test_nothing_in_the_log_of_a_session_is_text_that_a_person_could_have_typed(audited: Audited, kept: Kept) -> None:
    box = audited()
    box.begin()
    box.end()
    box.stop()
    assert "Room 1" not in str(kept.entries())
