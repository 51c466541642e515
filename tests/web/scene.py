"""A clinic's ordinary week in one box: everybody who comes to its page, and everything that they may find there."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from device.belonging import beside_of, digest_of
from device.capture.waiting import WaitingRoom
from device.clock import Stamp, SystemClock, boot_id, stamp, wire_time
from device.people.person import Person, Role
from device.recording import ATTACHMENTS_NAME
from device.recording.beside import Kind
from device.recording.manifest import ConsentEvent, GapFact, PictureFacts, RecordingState, SoundReport, SoundVerdict
from device.recording.receipt import Receipt
from device.retention import Policy
from device.sync_status import SYNC_FOLDER_NAME, SyncState, SyncStatus, publish_sync
from device.web.setup import Setup
from device.words import By, Consent
from tests.web.conftest import Box
from tests.web.published import add_recording
from tests.web.visitors import THERAPIST

OTHER = "0123456789ab"
SETUP = Setup(
    microphone="the sound card Mic",
    second_microphone="whatever is in the USB socket 1-1.2",
    camera="camera 0 of the Raspberry Pi, 1280 × 720",
    policy=Policy(keep_days=30, warn_days=7),
    remote="clinic",
)


@dataclass(frozen=True)
class Scene:
    """Who there is, and which recordings."""

    therapist: Person
    other: Person
    supervisor: Person
    admin: Person
    kept: str  # of the therapist: sent, labelled, with measures
    moving: str  # of the therapist: on its way just now
    quiet: str  # of the other therapist
    nobodys: str


def make_scene(box: Box) -> Scene:
    """Put all of it there, as capture, sync and an admin would leave it."""
    therapist = _person(box, THERAPIST, "First therapist", Role.THERAPIST)
    other = _person(box, OTHER, "Second therapist", Role.THERAPIST)
    supervisor = _person(box, "aa" * 6, "A supervisor", Role.SUPERVISOR, supervisees=frozenset({THERAPIST, OTHER}))
    admin = _person(box, "ad" * 6, "An admin", Role.ADMIN)
    nobodys = _add(box, days=6, therapist=None)
    kept = _add(
        box,
        days=5,
        consent=Consent.SOUND_AND_PICTURE,
        picture=PictureFacts(width=1280, height=720, camera="picamera2: 0", pictures=75_000),
        consent_events=(ConsentEvent(at_us=-7_000_000, what="consented", consent=Consent.SOUND_AND_PICTURE),),
        bookmarks_us=(601_000_000, 2_220_000_000),
        gaps=(GapFact(start_sample=48_000 * 700, samples=4_800, cause="the microphone was read too late"),),
    )
    _attach(box, kept, "label.age", "measure-001.age", "measure-002.age", "note-001.age")
    _verify(box, kept)
    quiet = _add(box, days=4, therapist=OTHER, report=SoundReport(peak_dbfs=-38.0, verdict=SoundVerdict.QUIET))
    _verify(box, quiet)
    _add(box, days=3, state=RecordingState.INTERRUPTED, report=SoundReport(), end=None)
    gone = _add(box, days=3, therapist=OTHER)
    box.store.erase(gone, by=By.CLIENT, at=Stamp(wire_time(_days_ago(3))))
    _add(box, days=2, therapist=OTHER, report=SoundReport(verdict=SoundVerdict.SILENT))
    held = _add(box, days=1, therapist=OTHER)
    box.store.hold(held, at=Stamp(wire_time(_days_ago(1))))
    moving = _add(box, days=0)
    _attach(box, moving, "label.age")
    sync_now(box, moving)
    _give(box, other)
    return Scene(therapist, other, supervisor, admin, kept, moving, quiet, nobodys)


def _give(box: Box, person: Person) -> None:
    """That person has given a label and a measure before a session: one was left, one waits."""
    room, now = WaitingRoom(box.store.path), stamp(SystemClock(), boot_id())
    room.put(Kind.LABEL, b"age-encryption.org/v1\n", by=person.mark, at=now)
    room.leave(room.all())
    room.put(Kind.MEASURE, b"age-encryption.org/v1\n", by=person.mark, at=now)


def sync_now(box: Box, recording_id: str, **facts: Any) -> None:
    """Publish that sync sends this recording."""
    (box.run / SYNC_FOLDER_NAME).mkdir(exist_ok=True)
    usual: dict[str, Any] = {
        "state": SyncState.SENDING,
        "remote": "clinic",
        "published_unix_s": time.time() + 30,  # so that it is fresh for a minute and a half
        "recording": recording_id,
        "sent_bytes": 312_000_000,
        "size_bytes": 890_000_000,
        "bytes_per_s": 4_200_000,
        "waiting": 4,
        "waiting_bytes": 2_400_000_000,
        "last_success": wire_time(_days_ago(0)),
    }
    publish_sync(SyncStatus.model_validate({**usual, **facts}), box.run)


def _person(box: Box, mark: str, name: str, *roles: Role, supervisees: frozenset[str] = frozenset()) -> Person:
    person = Person(mark, f"login-{mark}", name, frozenset(roles), supervisees=supervisees)
    box.people.put(person)
    return person


def _days_ago(days: int) -> datetime:
    return datetime.now(UTC).replace(hour=9, minute=5, second=0, microsecond=0) - timedelta(days=days)


def _add(box: Box, *, days: int, **facts: Any) -> str:
    began = _days_ago(days)
    ended = began + timedelta(minutes=50, seconds=12)
    usual = {"started": wire_time(began), "ended": wire_time(ended), "box": "Room 3"}
    return add_recording(box.store, sealed=bytes(150_000), **{**usual, **facts})


def _attach(box: Box, recording_id: str, *names: str) -> None:
    folder = box.store.folder(recording_id) / ATTACHMENTS_NAME
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"age-encryption.org/v1\n")


def _verify(box: Box, recording_id: str) -> None:
    listed = box.store.find(recording_id)
    assert listed is not None
    assert listed.manifest.digest is not None
    receipt = Receipt(
        remote="clinic",
        digest=listed.manifest.digest,
        size_bytes=listed.manifest.size_bytes,
        verified_at=wire_time(_days_ago(0)),
        beside=_beside(box, recording_id),
    )
    box.store.write_receipt(recording_id, receipt)


def _beside(box: Box, recording_id: str) -> dict[str, str]:
    folder = box.store.folder(recording_id)
    return {name: digest_of(folder / name) for name in beside_of(folder)}
