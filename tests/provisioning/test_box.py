"""What a box answers is checked: a box that is broken, or was taken over, gains nothing by its answers."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import flask
import pytest
from werkzeug.serving import make_server

from device.errors import RemoteAbsentError, RemoteError
from device.recording.beside import Kind
from provisioning.box import Box
from provisioning.errors import NoRangeError, UnreachableError
from provisioning.holdings import holdings
from tests.support import PATIENCE_S

ID = "000007-abcdefghij"
ENTRY = {
    "id": ID,
    "box": "Room 3",
    "state": "complete",
    "started": "2026-03-02T09:00:00.000Z",
    "ended": None,
    "clock_trusted": True,
    "duration_us": 5,
    "consent": "sound",
    "picture": False,
    "sound": "good",
    "bookmarks": 0,
    "therapist": None,
    "size_bytes": 2_500_000,
    "digest": None,
    "held": False,
    "going": None,
    "downloadable": True,
}
CONTENT = bytes(range(256)) * 9766
Answer = Callable[[str], Any]


@pytest.fixture
def served() -> Iterator[Callable[[Answer], Box]]:
    """A box that answers whatever a test wants, told the path and what follows it."""
    running = []

    def start(answer: Answer) -> Box:
        app = flask.Flask("box")

        @app.route("/api/v1/<path:path>", methods=["GET", "POST"])
        def any_path(path: str) -> Any:
            assert flask.request.headers["Authorization"] == "Bearer secret"
            query = flask.request.query_string.decode()
            return answer(f"{path}?{query}" if query else path)

        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        running.append((server, thread))
        return Box(f"http://127.0.0.1:{server.server_port}/", lambda _address: "secret")

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join(timeout=PATIENCE_S)
        server.server_close()


def listing(*entries: dict[str, Any], more: bool = False) -> str:
    return json.dumps({"recordings": entries, "more": more})


@pytest.mark.parametrize(
    "said",
    [
        "not JSON",
        "[]",
        listing(ENTRY | {"id": "../../etc"}),
        listing(ENTRY | {"size_bytes": -1}),
        listing(ENTRY | {"state": "new"}),
        listing(ENTRY | {"therapist": "\x1b[2J"}),
        json.dumps({"recordings": [ENTRY]}),
    ],
)
def test_a_list_as_no_box_writes_it_is_told(served: Callable[[Answer], Box], said: str) -> None:
    with pytest.raises(UnreachableError, match="as no box does"):
        list(served(lambda _path: said).names(""))


def test_a_list_that_never_ends_ends(served: Callable[[Answer], Box]) -> None:
    asked: list[str] = []

    def endless(path: str) -> str:
        asked.append(path)
        return listing(ENTRY, more=True)

    assert len(list(served(endless).names(""))) == 2 * len(asked) == 200


def test_a_box_tells_no_names_that_lead_elsewhere(served: Callable[[Answer], Box]) -> None:
    names = ("../../x.age", "a/b.age", ".hidden.age", "label.age", "x.exe", "", "note-001.age")
    attachments = [{"name": name, "size_bytes": 5} for name in names]
    box = served(lambda _path: json.dumps(ENTRY | {"attachments": attachments}))
    (held,) = holdings(box.names(ID)).recordings
    assert held.attachments == ("attachments/label.age", "attachments/note-001.age")


def test_the_facts_of_another_recording_are_not_taken(served: Callable[[Answer], Box]) -> None:
    box = served(lambda _path: json.dumps(ENTRY | {"attachments": None}))
    assert list(box.names("000008-abcdefghij")) == []
    assert list(box.names("no-id")) == []


def test_bytes_come_by_one_request_from_where_they_are_wanted(served: Callable[[Answer], Box]) -> None:
    asked: list[str | None] = []

    def ranged(_path: str) -> Any:
        asked.append(flask.request.headers.get("Range"))
        return flask.send_file(io.BytesIO(CONTENT), "application/octet-stream", conditional=True, etag="x")

    box = served(ranged)
    name = f"{ID}/session.mp4.age"
    assert b"".join(box.read(name)) == CONTENT
    assert b"".join(box.read(name, start=2_000_000)) == CONTENT[2_000_000:]
    assert b"".join(box.read(name, start=7, end=1_500_000)) == CONTENT[7:1_500_000]
    assert b"".join(box.read(name, start=len(CONTENT))) == b""
    assert b"".join(box.read(name, start=9, end=9)) == b""
    assert asked == [None, "bytes=2000000-", "bytes=7-1499999", f"bytes={len(CONTENT)}-"]


def test_a_server_that_knows_no_ranges_is_told_and_not_read_from_the_start(served: Callable[[Answer], Box]) -> None:
    box = served(lambda _path: flask.Response(CONTENT))
    with pytest.raises(NoRangeError):
        list(box.read(f"{ID}/session.mp4.age", start=5))


def test_what_is_not_there_is_absent_and_what_is_far_too_large_is_told(served: Callable[[Answer], Box]) -> None:
    box = served(lambda path: flask.Response(bytes(9 << 20)) if "large" in path else flask.Response("none", 404))
    with pytest.raises(RemoteAbsentError):
        list(box.read(f"{ID}/manifest.json"))
    with pytest.raises(UnreachableError, match="far too large"):
        list(box.read(f"{ID}/attachments/large.age"))
    assert list(box.names(ID)) == []
    with pytest.raises(UnreachableError, match="no list"):
        list(box.names(""))


def test_nothing_is_written_to_a_box_as_to_a_remote(served: Callable[[Answer], Box]) -> None:
    box = served(lambda _path: "")
    with pytest.raises(RemoteError):
        box.put("x", None)
    with pytest.raises(RemoteError):
        box.erase("x")


@pytest.mark.parametrize("status", [200, 307, 400, 403, 404, 409, 413, 429, 500, 599])
def test_a_review_that_a_box_did_not_keep_is_told(served: Callable[[Answer], Box], status: int) -> None:
    asked: list[str] = []

    def refuse(path: str) -> flask.Response:
        asked.append(path)
        return flask.Response('{"name": "review-001.age"}', status, {"Location": "/api/v1/elsewhere"})

    with pytest.raises(UnreachableError):
        served(refuse).put_beside(ID, Kind.REVIEW, b"sealed")
    assert asked == [f"recordings/{ID}/attachments?kind=review"]


@pytest.mark.parametrize("said", ["", "{}", '{"name": "../x"}', '{"name": "\\u001b[2J"}'])
def test_a_name_as_no_box_gives_is_not_shown(served: Callable[[Answer], Box], said: str) -> None:
    with pytest.raises(UnreachableError, match="as no box does"):
        served(lambda _path: flask.Response(said, 201)).put_beside(ID, Kind.REVIEW, b"sealed")
