"""A page over a real store, a real published status and real sockets."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from device.datagrams import DatagramServer
from device.requests import REQUESTS_NAME
from device.room import ROOM_NAME
from device.store import Store, StoreReader
from device.web.app import create_app
from tests.web.published import BOX, make_store

FROM_PAGE = {"X-Sotto-Page": "1"}


@dataclass
class Box:
    """What stands behind a page, and what reached it."""

    store: Store
    run: Path
    heard: queue.Queue[tuple[str, bytes]] = field(default_factory=queue.Queue)

    def app(self, *, room: bool = True) -> Flask:
        return create_app(store=StoreReader(self.store.path), run=self.run, box=BOX, room=room)

    def next_heard(self) -> tuple[str, bytes]:
        """The next datagram: by which socket it came, and what it was."""
        return self.heard.get(timeout=10)


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


@pytest.fixture
def box(tmp_path: Path) -> Box:
    run = tmp_path / "run"
    run.mkdir()
    return Box(make_store(tmp_path / "store"), run)


@pytest.fixture
def capture(box: Box) -> Iterator[Box]:
    """The box, with somebody who listens to requests and fingers."""
    with listening(box):
        yield box


@pytest.fixture
def client(box: Box) -> FlaskClient:
    return box.app().test_client()
