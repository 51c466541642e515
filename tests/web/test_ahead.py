"""What the first look needs is read before anybody looks: politely, to its end, and nobody is shown what is over."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from shutil import rmtree

import pytest
from flask import Flask
from flask.testing import FlaskClient

import device.retaining
import device.store
from device.attachments import attach
from device.clock import Stamp
from device.errors import AdminError, StoreError
from device.people.person import Role
from device.recording import ATTACHMENTS_NAME, MANIFEST_NAME, SESSION_NAME
from device.recording.beside import Kind
from device.recording.receipt import Receipt
from device.retention import Policy
from device.status import Status, publish
from device.store import Store
from device.web.ahead import Answering, ReadingAhead, read_ahead
from device.web.setup import Setup
from device.words import By
from tests.support import PATIENCE_S
from tests.web.conftest import Box
from tests.web.published import add_recording, manifest, recording, republish, status
from tests.web.visitors import add_person, begin, browser, of_therapist


def tell_nobody(problem: AdminError) -> None:
    raise AssertionError(problem.what)


def read_to_the_end(app: Flask) -> None:
    with closing(read_ahead(app, tell=tell_nobody)) as reading:
        reading._thread.join(PATIENCE_S)
        assert not reading._thread.is_alive()


class Read:
    """The folders whose manifests, and receipts or attachments, were read; of the real functions."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.manifests: list[str] = []
        self.beside: list[str] = []
        self.order: list[str] = []
        for where, kind in (
            ("device.remembering.read_signed", self.manifests),
            ("device.web.proofs.read_receipts", self.beside),
            ("device.web.proofs.digests_beside", self.beside),
        ):
            patch.setattr(where, self._noted(where, kind))

    def _noted(self, where: str, kind: list[str]) -> Callable[..., object]:
        home = device.store if where.endswith("read_signed") else device.retaining
        really = getattr(home, where.rpartition(".")[2])

        def read(folder: Path, *key: bytes) -> object:
            kind.append(folder.name)
            self.order.append(folder.name)
            return really(folder, *key)

        return read


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Read:
    return Read(monkeypatch)


def add_synced(store: Store) -> str:
    """A recording that is at the clinic, with a label; its id."""
    recording_id = add_recording(store)
    name = attach(store.folder(recording_id), Kind.LABEL, b"sealed")
    beside = {f"{ATTACHMENTS_NAME}/{name}": sha256(b"sealed").hexdigest()}
    listed = store.find(recording_id)
    assert listed is not None
    facts = {"digest": listed.manifest.digest, "size_bytes": listed.manifest.size_bytes, "verified_at": "x"}
    store.write_receipt(recording_id, Receipt.model_validate({"remote": "clinic", "beside": beside, **facts}))
    return recording_id


# -- what is read ahead is not read again -----------------------------------------------------------------------------


def test_who_looks_first_waits_for_no_manifest_and_no_receipt(box: Box, read: Read) -> None:
    box.setup = Setup(remote="clinic", policy=Policy(keep_days=30))
    ids = [add_synced(box.store) for _ in range(3)]
    app = box.app(room=False)
    read_to_the_end(app)
    assert sorted(read.manifests) == ids
    assert sorted(set(read.beside)) == ids
    assert read.order == [*ids[::-1], *(one for one in ids[::-1] for _ in range(2))], "what the list needs comes first"
    had = len(read.manifests), len(read.beside)
    admin = browser(app, begin(box.people, add_person(box.people, Role.ADMIN)))
    for path in ("/", "/box/sync", "/box/retention"):
        shown = admin.get(path)
        assert shown.status_code == 200
        assert all(recording_id in shown.text for recording_id in ids)
    assert (len(read.manifests), len(read.beside)) == had


def test_every_template_is_compiled_before_it_is_asked_for(box: Box) -> None:
    app = box.app(room=False)
    cache = app.jinja_env.cache
    assert cache is not None
    assert not list(cache)
    read_to_the_end(app)
    assert {name for _, name in cache} == set(app.jinja_env.list_templates())


def test_what_changes_on_disk_afterwards_is_seen_as_ever(box: Box, read: Read) -> None:
    ids = [add_recording(box.store) for _ in range(4)]
    app = box.app(room=False)
    read_to_the_end(app)
    client = of_therapist(app, box.people)

    def shown() -> str:
        return client.get("/").text

    assert all(recording_id in shown() for recording_id in ids)
    box.store.write_manifest(manifest(ids[0], duration_us=61_000_000, size_bytes=7000))
    assert "1 min 1 s" in shown()
    box.store.mark_withdrawn(ids[1])
    assert "The client withdrew it." in shown()
    box.store.erase(ids[1], by=By.CLIENT, at=Stamp("2026-03-03T13:05:00.000Z"))
    assert ids[1] not in shown()
    (box.store.folder(ids[2]) / SESSION_NAME).unlink()
    assert ids[2] not in shown()
    new = add_recording(box.store)
    assert new in shown()
    assert sorted(read.manifests) == sorted([*ids, ids[0], new])


# -- it goes last -----------------------------------------------------------------------------------------------------


class Turns:
    """Steps without an end, counted; and whether they may be made."""

    def __init__(self) -> None:
        self.made = 0
        self.some_made = threading.Event()
        self.free = True
        self.told: list[str] = []

    def steps(self) -> Iterator[None]:
        while True:
            self.made += 1
            self.some_made.set()
            yield

    def reading(self, may_go_on: Callable[[], bool] | None = None) -> ReadingAhead:
        return ReadingAhead(
            self.steps,
            may_go_on=may_go_on or (lambda: self.free),
            tell=lambda problem: self.told.append(problem.what),
            look_s=0.001,
            again_s=0.001,
        )


def test_it_waits_for_its_turn_and_goes_on_afterwards() -> None:
    turns = Turns()
    turns.free = False
    asked = threading.Semaphore(0)

    def may_go_on() -> bool:
        asked.release()
        return turns.free

    with closing(turns.reading(may_go_on)):
        assert all(asked.acquire(timeout=PATIENCE_S) for _ in range(5))
        assert turns.made == 0
        turns.free = True
        assert turns.some_made.wait(PATIENCE_S)


@pytest.mark.parametrize("free", [True, False])
def test_it_ends_when_it_is_closed_whether_it_reads_or_waits(*, free: bool) -> None:
    turns = Turns()
    turns.free = free
    reading = turns.reading()
    if free:
        assert turns.some_made.wait(PATIENCE_S)
    reading.close()
    assert not reading._thread.is_alive()
    made = turns.made
    reading.close()
    assert turns.made == made
    assert turns.told == []


def test_while_somebody_is_answered_nothing_is_read_ahead(box: Box, read: Read) -> None:
    add_recording(box.store)
    app = box.app(room=False)
    inside, leave = threading.Event(), threading.Event()

    def slow() -> str:
        inside.set()
        assert leave.wait(PATIENCE_S)
        return "done"

    app.view_functions["static"] = lambda filename: slow()
    asking = threading.Thread(target=lambda: browser(app).get("/static/slow"))
    asking.start()
    try:
        assert inside.wait(PATIENCE_S)
        may_go_on = app.extensions["sotto-ahead"].may_go_on
        assert not may_go_on()
        with closing(read_ahead(app, tell=tell_nobody)) as reading:
            assert read.manifests == []
            leave.set()
            reading._thread.join(PATIENCE_S)
            assert may_go_on()
            assert len(read.manifests) == 1
    finally:
        leave.set()
        asking.join(PATIENCE_S)


def test_an_answer_that_fails_is_over_too() -> None:
    def failing(_environ: object, _start: object) -> list[bytes]:
        assert answering.anybody
        raise OSError("gone")

    answering = Answering(failing)
    with pytest.raises(OSError, match="gone"):
        answering({}, lambda *_: lambda _bytes: None)
    assert not answering.anybody


@pytest.mark.parametrize(
    ("now", "reads"),
    [
        (status(), True),
        (status(recording=recording()), False),
        (status(sealing=1), False),
        (status(recording=recording(), published_unix_s=0.0), True),  # capture is gone: nothing is recorded
    ],
)
def test_while_something_is_recorded_or_sealed_nothing_is_read_ahead(box: Box, now: Status, *, reads: bool) -> None:
    app = box.app(room=False)
    if now.published_unix_s:
        republish(box.run, now)
    else:
        publish(now, box.run)
    assert app.extensions["sotto-ahead"].may_go_on() is reads


def test_what_is_not_read_ahead_yet_is_read_for_whoever_looks(box: Box, client: FlaskClient) -> None:
    recording_id = add_recording(box.store)
    republish(box.run, status(recording=recording()))
    with closing(read_ahead(client.application, tell=tell_nobody)):
        assert recording_id in client.get("/").text


# -- what goes wrong is told ------------------------------------------------------------------------------------------


def test_a_store_that_is_away_is_told_once_and_read_when_it_is_back(box: Box, read: Read) -> None:
    add_recording(box.store)
    app, told, away = box.app(room=False), list[str](), box.store.path.with_name("away")
    box.store.path.rename(away)
    made = app.extensions["sotto-ahead"]
    begun = threading.Semaphore(0)

    def steps() -> Iterator[None]:
        begun.release()
        return made.steps()

    def tell(problem: AdminError) -> None:
        assert isinstance(problem, StoreError)
        assert problem.hint
        told.append(problem.what)

    with closing(ReadingAhead(steps, may_go_on=lambda: True, tell=tell, again_s=0.01)) as reading:
        assert all(begun.acquire(timeout=PATIENCE_S) for _ in range(3))
        away.rename(box.store.path)
        reading._thread.join(PATIENCE_S)
        assert not reading._thread.is_alive()
    assert len(told) == 1
    assert "it cannot be listed" in told[0]
    assert len(read.manifests) == 1


def test_a_recording_that_goes_while_all_are_read_keeps_nothing_from_being_read(box: Box, read: Read) -> None:
    ids = [add_recording(box.store) for _ in range(3)]
    app = box.app(room=False)
    steps = app.extensions["sotto-ahead"].steps()
    while not read.manifests:
        next(steps)
    rmtree(box.store.folder(ids[1]))
    (box.store.folder(ids[0]) / MANIFEST_NAME).write_bytes(b"{}")
    for _ in steps:
        pass
    assert set(read.manifests) == {ids[2], ids[0]}


def test_an_error_of_our_own_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr("threading.excepthook", ended.append)

    def steps() -> Iterator[None]:
        yield
        raise ZeroDivisionError

    with closing(ReadingAhead(steps, may_go_on=lambda: True, tell=tell_nobody)) as reading:
        reading._thread.join(PATIENCE_S)
    assert [(one.exc_type, one.thread and one.thread.name) for one in ended] == [(ZeroDivisionError, "reading ahead")]
