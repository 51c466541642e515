"""A store that remembers what it verified says the same as one that does not, and never anything that is over."""

from __future__ import annotations

import os
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

import device.store
from device.clock import Stamp
from device.errors import StoreError
from device.glimpse import Packing
from device.recording import MANIFEST_NAME, SESSION_NAME
from device.recording.manifest import RecordingState
from device.remembering import MOST_MANIFESTS, RememberingReader
from device.store import Listed, Store, StoreReader
from device.words import By, Consent
from tests.web.published import add_recording, make_store, manifest


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_store(tmp_path / "store")


def both(store: Store, remembering: RememberingReader, recording_id: str) -> tuple[Listed | None, Listed | None]:
    return StoreReader(store.path).find(recording_id), remembering.find(recording_id)


def test_it_says_what_a_plain_reader_says_whatever_happens_to_the_recording(store: Store) -> None:
    remembering = RememberingReader(of=store)
    recording_id = add_recording(store, state=RecordingState.OPEN)
    folder = store.folder(recording_id)

    def grows() -> None:
        with (folder / SESSION_NAME).open("ab") as file:
            file.write(b"more")

    steps = [
        grows,
        lambda: store.write_manifest(manifest(recording_id, duration_us=7)),
        lambda: store.hold(recording_id, at=Stamp("2026-03-03T13:05:00.000Z")),
        lambda: store.release(recording_id),
        lambda: store.mark_withdrawn(recording_id),
        lambda: store.unmark_withdrawn(recording_id),
        lambda: store.write_manifest(manifest(recording_id, duration_us=8)),
        (folder / SESSION_NAME).unlink,
    ]
    for step in steps:
        plain, remembered = both(store, remembering, recording_id)
        assert plain is not None
        assert remembered == plain
        assert remembering.glimpse(recording_id) == plain.glimpse
        assert remembering.glimpse(recording_id) == plain.glimpse
        step()
    assert remembering.glimpse(recording_id) is None
    assert both(store, remembering, recording_id) == (None, None)
    assert remembering.find("999999-aaaaaaaaaa") is None


def test_a_manifest_that_is_still_the_same_is_read_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    really = device.store.read_signed
    monkeypatch.setattr("device.remembering.read_signed", lambda folder: read.append(folder) or really(folder))
    remembering = RememberingReader(of=store)
    ids = [add_recording(store) for _ in range(3)]
    for _ in range(4):
        assert [listed.manifest.id for listed in remembering.listing()] == ids[::-1]
    assert len(read) == 3
    store.write_manifest(manifest(ids[0], duration_us=7))
    assert remembering.listing()[-1].manifest.duration_us == 7
    assert len(read) == 4


def test_a_manifest_that_was_altered_in_its_place_is_found_out(store: Store) -> None:
    """By somebody who even sets its time back."""
    recording_id = add_recording(store)
    remembering = RememberingReader(of=store)
    assert remembering.find(recording_id) is not None
    path = store.folder(recording_id) / MANIFEST_NAME
    before = path.stat()
    with path.open("r+b") as file:
        altered = path.read_bytes().replace(b'"duration_us": 3012000000', b'"duration_us": 3012000001')
        file.write(altered)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert remembering.find(recording_id) is None


def test_what_is_gone_is_forgotten(store: Store) -> None:
    remembering = RememberingReader(of=store)
    recording_id = add_recording(store)
    assert len(remembering.listing()) == 1
    store.mark_withdrawn(recording_id)
    store.erase(recording_id, by=device.store.By.CLIENT, at=Stamp("2026-03-03T13:05:00.000Z"))
    assert remembering.listing() == []
    assert (remembering._known, dict(remembering._recent)) == ({}, {})


@pytest.mark.parametrize("name", ["..", "", "000001-abcdefghij/..", "000001-abcdefghij\n", "notes"])
def test_no_name_leads_out_of_a_store_that_is_remembered(store: Store, name: str) -> None:
    with pytest.raises(StoreError, match="not the id of a recording"):
        RememberingReader(of=store).find(name)


def test_the_digests_of_groups_are_not_kept(store: Store) -> None:
    recording_id = add_recording(store, digest_groups=("ab" * 32,) * 700)
    listed = RememberingReader(of=store).find(recording_id)
    assert listed is not None
    assert listed.manifest.digest_groups == ()
    assert listed.manifest.digest == "ab" * 32


# -- memory does not grow with the store ------------------------------------------------------------------------------


def test_of_thousands_of_recordings_a_few_hundred_bytes_each_are_remembered(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.fsync", lambda _descriptor: None)
    count = 2000
    made = [Path(store.path / f"{number:06d}-abcdefghij") for number in range(1, count + 1)]
    for folder in made:
        folder.mkdir()
        (folder / SESSION_NAME).write_bytes(b"sealed")
        store.write_manifest(manifest(folder.name, size_bytes=6))
    remembering = RememberingReader(of=store)

    def look(ids: list[str]) -> None:
        for recording_id in ids:
            assert remembering.glimpse(recording_id) is not None

    tracemalloc.start()
    try:
        look(remembering.ids()[:MOST_MANIFESTS])
        before, _ = tracemalloc.get_traced_memory()
        look(remembering.ids()[MOST_MANIFESTS:])
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(remembering._recent) == MOST_MANIFESTS
    each_bytes = (after - before) / (count - MOST_MANIFESTS)
    assert each_bytes < 400, "a manifest takes 9000"


def test_a_glimpse_of_a_recording_that_is_remembered_reads_no_manifest(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where whole manifests of others have been read since."""
    monkeypatch.setattr("device.remembering.MOST_MANIFESTS", 1)
    remembering, ids = RememberingReader(of=store), [add_recording(store, duration_us=n) for n in range(3)]
    first = [remembering.glimpse(recording_id) for recording_id in ids]
    monkeypatch.setattr("device.remembering.read_signed", lambda folder: pytest.fail(f"{folder} was read"))
    assert [remembering.glimpse(recording_id) for recording_id in ids] == first
    assert [glimpse.duration_us for glimpse in first if glimpse] == [0, 1, 2]


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"ended": None, "digest": None, "therapist": None, "consent": Consent.SOUND_AND_PICTURE},
        {"digest": "AB" * 32},
        {"digest": "ab"},
        {"digest": "no digest"},
        {"started": "at " * 100},
        {"started": "\ud800", "box": "Räume"},
        {"duration_us": 1 << 70},
        {"bookmarks_us": (1, 2, 3)},
    ],
)
def test_a_glimpse_says_what_the_manifest_says_however_strange(store: Store, facts: dict[str, Any]) -> None:
    made = Listed(manifest("000001-abcdefghij", **facts), 7, By.CLIENT, held=True, key=b"k" * 32)
    packing = Packing()
    packed = packing.pack(made.manifest, made.key, stamp=b"s" * 32)
    if packed is not None:
        found = packing.unpack(packed, recording_id=made.manifest.id, size_bytes=7, going=By.CLIENT, held=True)
        assert found == made.glimpse
    assert (packed is None) == (
        facts.get("digest", "ab" * 32) not in (None, "ab" * 32)
        or len(facts.get("started", "")) in (1, 300)
        or facts.get("duration_us", 0) >= 1 << 64
    )


def test_the_manifest_of_another_recording_is_no_glimpse(store: Store) -> None:
    one, other = add_recording(store), add_recording(store)
    (store.folder(one) / MANIFEST_NAME).write_bytes((store.folder(other) / MANIFEST_NAME).read_bytes())
    remembering = RememberingReader(of=store)
    assert [remembering.glimpse(one) for _ in range(2)] == [None, None]


def test_many_may_ask_at_once(store: Store) -> None:
    ids = [add_recording(store) for _ in range(20)]
    remembering, wrong = RememberingReader(of=store), []

    def look() -> None:
        for _ in range(20):
            found = [listed.manifest.id for listed in remembering.listing()]
            if found != ids[::-1]:
                wrong.append(found)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert wrong == []


def test_a_store_that_is_not_there_is_told_as_ever(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        RememberingReader(of=StoreReader(tmp_path / "nowhere")).ids()
