"""The sealed bytes: whole, in slices, and nothing else from the store or beyond it."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from device.recording import MANIFEST_NAME, SESSION_NAME, is_recording_id
from device.recording.manifest import RecordingState
from device.recording.signing import verify
from device.web.ranges import Span, UnsatisfiableError, parse_range
from tests.web.conftest import Box, people_in
from tests.web.published import add_recording, make_store
from tests.web.visitors import of_therapist

SEALED = bytes(range(256)) * 700


@pytest.fixture
def address(box: Box) -> str:
    return f"/recordings/{add_recording(box.store, sealed=SEALED)}/session.mp4.age"


def test_the_whole_file_comes_as_a_file_to_save(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    assert (answer.status_code, answer.data) == (200, SEALED)
    assert answer.headers["Content-Length"] == str(len(SEALED))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{address.split("/")[2]}.mp4.age"'


def test_head_tells_the_same_without_the_bytes(client: FlaskClient, address: str) -> None:
    whole, head = client.get(address), client.head(address, headers={"Range": "bytes=0-9"})
    assert (head.status_code, head.data) == (200, b"")
    for name in ("Content-Length", "ETag", "Accept-Ranges", "Content-Disposition", "Cache-Control"):
        assert head.headers[name] == whole.headers[name]


def oracle(first: int | None, last: int | None, size: int) -> slice | None:
    """What RFC 9110 wants of ``bytes=first-last``, said with Python's slices; ``None`` where nothing satisfies it."""
    everything = range(size)
    if first is None:
        wanted = everything[-last:] if last else range(0)
    else:
        wanted = everything[first : None if last is None else last + 1]
    return slice(wanted[0], wanted[-1] + 1) if wanted else None


numbers = st.none() | st.integers(min_value=0, max_value=300)


@given(first=numbers, last=numbers, size=st.integers(min_value=0, max_value=200))
def test_a_range_is_what_slicing_says(first: int | None, last: int | None, size: int) -> None:
    header = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    if (first is None and last is None) or (first is not None and last is not None and last < first):
        assert parse_range(header, size=size) is None  # that is no range: the whole is answered
        return
    wanted = oracle(first, last, size)
    if wanted is None:
        with pytest.raises(UnsatisfiableError):
            parse_range(header, size=size)
    else:
        assert parse_range(header, size=size) == Span(wanted.start, wanted.stop)


@given(st.text(max_size=40))
def test_no_header_breaks_it(header: str) -> None:
    try:
        span = parse_range(header, size=100)
    except UnsatisfiableError:
        return
    assert span is None or 0 <= span.start < span.stop <= 100


@pytest.mark.parametrize(
    ("header", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=65536-131071", 65_536, 131_072),
        ("bytes=100-", 100, len(SEALED)),
        ("bytes=-100", len(SEALED) - 100, len(SEALED)),
        ("bytes=5-999999999", 5, len(SEALED)),
    ],
)
def test_a_slice_comes_exactly(client: FlaskClient, address: str, header: str, start: int, stop: int) -> None:
    answer = client.get(address, headers={"Range": header})
    assert (answer.status_code, answer.data) == (206, SEALED[start:stop])
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(SEALED)}"
    assert answer.headers["Content-Length"] == str(stop - start)


@pytest.mark.parametrize(
    "header", ["bytes=0-1,5-6", "bytes=-", "bytes=9-3", "chunks=0-1", "bytes=a-b", "bytes=" + "9" * 5000]
)
def test_what_is_no_single_range_gets_the_whole(client: FlaskClient, address: str, header: str) -> None:
    answer = client.get(address, headers={"Range": header})
    assert (answer.status_code, answer.data) == (200, SEALED)


@pytest.mark.parametrize("header", [f"bytes={len(SEALED)}-", "bytes=-0"])
def test_beyond_the_end_is_refused_with_the_size(client: FlaskClient, address: str, header: str) -> None:
    answer = client.get(address, headers={"Range": header})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(SEALED)}"
    assert f"Ask for bytes within its size, {len(SEALED)} bytes." in answer.text


def test_a_resumed_download_never_joins_two_files(box: Box, client: FlaskClient, address: str) -> None:
    etag = client.head(address).headers["ETag"]
    assert not etag.startswith("W/")
    resumed = client.get(address, headers={"Range": "bytes=10-", "If-Range": etag})
    assert (resumed.status_code, resumed.data) == (206, SEALED[10:])
    for other in ('"other"', f"W/{etag}", "Wed, 21 Oct 2026 07:28:00 GMT"):
        whole = client.get(address, headers={"Range": "bytes=10-", "If-Range": other})
        assert (whole.status_code, whole.data) == (200, SEALED)
    (box.store.folder(address.split("/")[2]) / SESSION_NAME).write_bytes(SEALED[::-1] + b"more")
    changed = client.get(address, headers={"Range": "bytes=10-", "If-Range": etag})
    assert changed.status_code == 200


def test_what_is_already_there_is_not_sent_again(client: FlaskClient, address: str) -> None:
    etag = client.head(address).headers["ETag"]
    answer = client.get(address, headers={"If-None-Match": etag, "Range": "bytes=0-5"})
    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", etag)


def test_the_manifest_comes_as_it_was_signed(box: Box, client: FlaskClient) -> None:
    recording_id = add_recording(box.store)
    answer = client.get(f"/recordings/{recording_id}/manifest.json")
    assert answer.mimetype == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert verify("manifest", answer.data).payload["id"] == recording_id
    assert json.loads(answer.data)["signature"]


def test_an_open_recording_is_refused_in_plain_words(box: Box, client: FlaskClient) -> None:
    recording_id = add_recording(box.store, state=RecordingState.OPEN)
    answer = client.get(f"/recordings/{recording_id}/session.mp4.age")
    assert (answer.status_code, answer.mimetype) == (409, "text/plain")
    assert answer.text == "This recording is still being recorded.\nWait until it is sealed, then try again.\n"


@pytest.mark.parametrize("name", ["session.mp4.age", "manifest.json"])
def test_a_withdrawn_recording_hands_out_nothing(box: Box, client: FlaskClient, name: str) -> None:
    recording_id = add_recording(box.store, withdrawn=True)
    answer = client.get(f"/recordings/{recording_id}/{name}")
    assert answer.status_code == 404
    assert "withdrew" in answer.text


def test_a_link_is_not_followed_wherever_it_stands(box: Box, client: FlaskClient, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    recording_id = add_recording(box.store)
    file = box.store.folder(recording_id) / SESSION_NAME
    file.unlink()
    file.symlink_to(secret)
    assert client.get(f"/recordings/{recording_id}/session.mp4.age").status_code == 404
    moved = add_recording(box.store)
    folder = box.store.folder(moved)
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    assert client.get(f"/recordings/{moved}/session.mp4.age").status_code == 404
    assert client.get(f"/recordings/{moved}/manifest.json").status_code == 404


def test_a_pipe_in_the_place_of_the_file_keeps_nobody_waiting(box: Box, client: FlaskClient) -> None:
    recording_id = add_recording(box.store)
    file = box.store.folder(recording_id) / SESSION_NAME
    file.unlink()
    os.mkfifo(file)
    assert client.get(f"/recordings/{recording_id}/session.mp4.age").status_code == 404


tricky = st.sampled_from(
    ["..", ".", "/", "%2e%2e", "%2F", "\\", "\x00", "\n", "000001-aaaaaaaaaa", "erased", "secret.txt"]
)
ids = st.lists(tricky | st.text(max_size=6), max_size=6).map("".join)


@given(recording_id=ids, name=st.sampled_from(["", "session.mp4.age", "manifest.json"]))
def test_no_id_leads_out_of_the_store(recording_id: str, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        around = Path(folder)
        (around / "secret.txt").write_bytes(b"secret")
        for place in (around, around / "store"):
            place.mkdir(exist_ok=True)
            for file in (SESSION_NAME, MANIFEST_NAME):
                (place / file).write_bytes(b"secret")
        with people_in(around) as people:
            app = Box(make_store(around / "store"), around, around / "audit", people).app()
            client = of_therapist(app, people)
            answer = client.get(f"/recordings/{recording_id}/{name}", follow_redirects=False)
        assert b"secret" not in answer.data.replace(b"secret.txt", b"")
        assert answer.status_code in {200, 308, 404}
        if answer.status_code == 200:
            assert not is_recording_id(recording_id)
            assert answer.request.path == "/"  # nothing but the list
