"""A small practice: client codes with labelled sessions, measures in some of them, and a real recording in each."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.age.identities import KeyIdentity
from device.age.recipients import Recipient
from device.age.sealing import encrypt
from device.measures.document import measured
from device.measures.measure import Measure
from device.measures.shelf import read_shelf
from device.people.database import Database
from device.people.passwords import Passwords
from device.people.people import People
from device.people.person import Person, Role
from device.recording import ATTACHMENTS_NAME, SESSION_NAME
from device.recording.beside import Kind
from device.recording.chain import AUDIT_NAME
from device.recording.named import LabelDocument, padded
from device.recording.signing import fingerprint
from device.shapes import Shape
from device.store import Store
from tests.provisioning.conftest import Sealed
from tests.reader.rooms import LOGIN, MARK, Room
from tests.web.conftest import Box, audited
from tests.web.naming import naming
from tests.web.published import manifest
from tests.web.test_serve import serving

FIRST: Final = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
WEEK: Final = timedelta(days=7)

# By client code: what came out of each session, one after the other; ``None``: nothing was asked in it.
COURSES: Final[Mapping[str, Sequence[Mapping[str, int] | None]]] = {
    "A-04": [{"phq-9": 17, "alliance-4": 78}, {"phq-9": 15, "alliance-4": 81}, None, {"phq-9": 11, "alliance-4": 85}],
    "B-17": [{"phq-9": 9, "alliance-4": 80}, {"phq-9": 12, "alliance-4": 74}, {"phq-9": 16, "alliance-4": 61}],
    "C-02": [None, None],
}


@dataclass(frozen=True)
class Session:
    """One recording of the practice."""

    recording: str
    client: str
    number: int


def sealed_for(recipient: Recipient, document: bytes) -> bytes:
    """A small document, as a box seals it."""
    sealed = io.BytesIO()
    encrypt(io.BytesIO(document), sealed, [recipient])
    return sealed.getvalue()


def answered(measure: Measure, score: int, at: str) -> bytes:
    """A measure answered so that its score is that: the lines of a form of four all alike, items from the first on."""
    if measure.scale_of(measure.items[0]).kind == "line":
        answers = {item.id: score for item in measure.items}
    else:
        answers, left = {}, score
        for item in measure.items:
            if item.only_if_any_at_least is None:
                answers[item.id] = min(3, left)
                left -= answers[item.id]
            else:
                answers[item.id] = 1
    document = measured(measure, answers, by=MARK, person=1, started=at, finished=at, clock_trusted=True)
    assert document.scores[0].value == score
    return padded(Kind.MEASURE, document.model_dump_json().encode())


def put(store: Path, recording: str, name: str, sealed: bytes) -> None:
    """An attachment in its place."""
    folder = store / recording / ATTACHMENTS_NAME
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(sealed)


def fill(store: Store, recorded: Sealed, recipient: Recipient, courses: Any = COURSES, **facts: Any) -> list[Session]:
    """Put a practice into a store; every session has the same sound (and picture), sealed to that recipient."""
    shelf = read_shelf().measures
    sessions = []
    weeks = max(map(len, courses.values()))
    order = [(week, client) for week in range(weeks) for client, course in courses.items() if week < len(course)]
    for week, client in order:
        at = (FIRST + week * WEEK + timedelta(hours=len(sessions) % 5)).isoformat(timespec="milliseconds")
        at = at.replace("+00:00", "Z")
        folder = store.new_folder()
        (folder / SESSION_NAME).write_bytes(recorded.file.read_bytes())
        store.write_manifest(_manifest(folder.name, recorded, at, facts))
        label = LabelDocument(at=at, clock_trusted=True, by=MARK, client=client, session=week + 1)
        put(store.path, folder.name, "label.age", sealed_for(recipient, padded(Kind.LABEL, _json(label))))
        for number, (measure, score) in enumerate((courses[client][week] or {}).items(), start=1):
            document = answered(shelf[measure], score, at)
            put(store.path, folder.name, f"measure-{number:03d}.age", sealed_for(recipient, document))
        sessions.append(Session(folder.name, client, week + 1))
    return sessions


def _manifest(recording: str, recorded: Sealed, at: str, facts: Mapping[str, Any]) -> Any:
    usual = {
        "box": "Room 3",
        "started": at,
        "therapist": MARK,
        "chunks": recorded.chunks,
        "size_bytes": recorded.file.stat().st_size,
        "duration_us": recorded.index.duration_us if recorded.index else 0,
    }
    return manifest(recording, **(usual | dict(facts)))


def _json(document: Shape) -> bytes:
    return document.model_dump_json().encode()


@contextmanager
def practice_room(store: Store, device_key: Ed25519PrivateKey, identity: KeyIdentity) -> Iterator[Room]:
    """A box with that store, whose capture puts what it is handed beside recordings; Ada has that identity."""
    key = fingerprint(device_key.public_key().public_bytes_raw())
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        database = ends.enter_context(closing(Database(folder)))
        people = People(database, fingerprint=lambda: key, passwords=Passwords(memory_kib=8, passes=1))
        people.put(Person(MARK, LOGIN, "Ada", frozenset({Role.THERAPIST}), recipient=str(identity.recipient())))
        (run := folder / "run").mkdir()
        box = Box(store, run, store.path / AUDIT_NAME, people, name="Room 3")
        ends.enter_context(naming(box, ends.enter_context(audited(box))))
        yield Room(ends.enter_context(serving(box)).rstrip("/"), key, box)
