"""A page over a real store, a real published status and real sockets."""

from __future__ import annotations

import queue
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
from device.recording.audited import Happened
from device.recording.chain import AUDIT_NAME
from device.requests import REQUESTS_NAME
from device.room import ROOM_NAME
from device.store import Store, StoreReader
from device.web.app import create_app
from provisioning.verify_audit import verify_audit
from tests.audit.logs import KEY
from tests.web.published import BOX, make_store

FROM_PAGE = {"X-Sotto-Page": "1"}


@dataclass
class Box:
    """What stands behind a page, and what reached it."""

    store: Store
    run: Path
    audit: Path
    heard: queue.Queue[tuple[str, bytes]] = field(default_factory=queue.Queue)

    def app(self, *, room: bool = True) -> Flask:
        return create_app(store=StoreReader(self.store.path), run=self.run, box=BOX, room=room)

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
    """Capture's audit log, and the socket on which the page asks for an entry, for real."""
    auditor = Auditor(lambda: AuditLog(box.audit, device_key=KEY), clock=SystemClock(), boot="b")

    def note(happened: Happened) -> int | None:
        return auditor.note_durably(happened, patience_s=PATIENCE_S)

    with closing(auditor), closing(AuditServer(box.run / AUDIT_SOCKET_NAME, note)):
        yield auditor


@pytest.fixture
def bare_box(tmp_path: Path) -> Box:
    """A box whose capture service does not run: there is nobody who could note anything."""
    run = tmp_path / "run"
    run.mkdir()
    return Box(make_store(tmp_path / "store"), run, tmp_path / "store" / AUDIT_NAME)


@pytest.fixture
def box(bare_box: Box) -> Iterator[Box]:
    with audited(bare_box):
        yield bare_box


@pytest.fixture
def capture(box: Box) -> Iterator[Box]:
    """The box, with somebody who listens to requests and fingers."""
    with listening(box):
        yield box


@pytest.fixture
def client(box: Box) -> FlaskClient:
    return box.app().test_client()
