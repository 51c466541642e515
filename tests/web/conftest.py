"""A page over a real store, a real published status and real sockets."""

from __future__ import annotations

import os
import queue
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from device.audit import AuditLog, newest_entries
from device.audit_requests import AUDIT_SOCKET_NAME, PATIENCE_S, AuditServer
from device.capture.auditor import Auditor
from device.clock import SystemClock
from device.datagrams import DatagramServer
from device.people.database import Database
from device.people.passwords import Passwords
from device.people.people import People
from device.people.person import Person, Role
from device.proving import PROOF_SOCKET_NAME, ProofServer
from device.recording.audited import Happened
from device.recording.chain import AUDIT_NAME
from device.recording.enrolment import ENROLMENT_KIND, enrolment
from device.recording.signing import sign_line
from device.requests import REQUESTS_NAME
from device.room import ROOM_NAME
from device.store import Store, StoreReader
from device.web.app import create_app
from device.web.front import Front
from device.web.setup import Setup
from provisioning.verify_audit import verify_audit
from tests.audit.logs import KEY
from tests.web.published import BOX, make_store
from tests.web.visitors import add_person, begin, browser, of_therapist, the_therapist

FROM_PAGE = {"X-Sotto-Page": "1"}
LOOPBACK = Front()
FINGERPRINT = "0123456789abcdef"


@dataclass
class Box:
    """What stands behind a page, and what reached it."""

    store: Store
    run: Path
    audit: Path
    people: People
    setup: Setup = field(default_factory=Setup)
    name: str = BOX
    heard: queue.Queue[tuple[str, bytes]] = field(default_factory=queue.Queue)

    def app(self, *, room: bool = True, front: Front = LOOPBACK) -> Flask:
        return create_app(
            store=StoreReader(self.store.path),
            run=self.run,
            box=self.name,
            room=room,
            people=self.people,
            setup=self.setup,
            front=front,
        )

    def noted(self) -> list[dict[str, Any]]:
        """What stands in the audit log, oldest first; it has to hold."""
        if not self.audit.exists():
            return []
        assert verify_audit(self.audit).bad is None
        return list(newest_entries(self.audit))[::-1]

    def next_heard(self) -> tuple[str, bytes]:
        """The next datagram: by which socket it came, and what it was."""
        return self.heard.get(timeout=60)


@contextmanager
def people_in(folder: Path) -> Iterator[People]:
    """The people of a box, in a database of their own. A password costs next to nothing here."""
    with closing(Database(folder)) as database:
        yield People(database, fingerprint=lambda: FINGERPRINT, passwords=Passwords(memory_kib=8, passes=1))


@contextmanager
def listening(box: Box) -> Iterator[None]:
    """Capture's two sockets, for real."""
    servers = [
        DatagramServer(box.run / name, lambda data, name=name: box.heard.put((name, data)))  # type: ignore[misc]  # mypy knows no types for defaults of a lambda
        for name in (REQUESTS_NAME, ROOM_NAME)
    ]
    try:
        yield
    finally:
        for server in servers:
            server.close()


@contextmanager
def audited(box: Box) -> Iterator[Auditor]:
    """Capture's audit log, and the sockets on which the page asks for an entry and for a proof, for real."""
    auditor = Auditor(lambda: AuditLog(box.audit, device_key=KEY), clock=SystemClock(), boot="b")

    def note(happened: Happened) -> int | None:
        return auditor.note_durably(happened, patience_s=PATIENCE_S)

    def prove(challenge: bytes) -> bytes:
        return sign_line(ENROLMENT_KIND, enrolment(box=box.name, challenge=challenge), KEY)

    users = frozenset({os.geteuid()})
    with (
        closing(auditor),
        closing(AuditServer(box.run / AUDIT_SOCKET_NAME, note, users=users)),
        closing(ProofServer(box.run / PROOF_SOCKET_NAME, prove, users=users)),
    ):
        yield auditor


@pytest.fixture
def bare_box(tmp_path: Path) -> Iterator[Box]:
    """A box whose capture service does not run: there is nobody who could note anything."""
    run = tmp_path / "run"
    run.mkdir()
    with people_in(tmp_path) as people:
        yield Box(make_store(tmp_path / "store"), run, tmp_path / "store" / AUDIT_NAME, people)


@pytest.fixture
def box(bare_box: Box) -> Iterator[Box]:
    with audited(bare_box):
        yield bare_box


@pytest.fixture
def capture(box: Box) -> Iterator[Box]:
    """The box, with somebody who listens to requests and fingers."""
    with listening(box):
        yield box


@contextmanager
def app_of_nobody() -> Iterator[Flask]:
    """A page with all routes there can be, for those who only look at them."""
    with tempfile.TemporaryDirectory() as folder, people_in(Path(folder)) as people:
        store = make_store(Path(folder) / "store")
        yield Box(store, Path(folder), Path(folder) / "audit", people).app()


@pytest.fixture
def therapist(box: Box) -> Person:
    """Whose the recordings are, where a test says nothing else."""
    return the_therapist(box.people)


@pytest.fixture
def client(box: Box) -> FlaskClient:
    """The browser of that therapist."""
    return of_therapist(box.app(), box.people)


@pytest.fixture
def stranger(box: Box) -> FlaskClient:
    """A browser in which nobody is signed in."""
    return browser(box.app())


@pytest.fixture
def admin(box: Box) -> FlaskClient:
    """The browser of an admin."""
    return browser(box.app(), begin(box.people, add_person(box.people, Role.ADMIN)))
