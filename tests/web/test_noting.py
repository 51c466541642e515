"""P11 on the page: what is looked at or pulled is in the audit log before it leaves, or it does not leave."""

from __future__ import annotations

import json
import os
import socket
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from device.audit_requests import AUDIT_SOCKET_NAME, AuditServer, NoteRequest, note_by_capture
from device.datagrams import users_named
from device.recording.audited import Happened, What
from device.web.noting import Noting
from tests.audit.logs import ID
from tests.web.conftest import Box, audited
from tests.web.published import add_recording
from tests.web.visitors import THERAPIST, of_therapist

SEALED = bytes(range(256)) * 40_000  # 10 MB
MIB = 1 << 20


def session(recording_id: str) -> str:
    return f"/recordings/{recording_id}/session.mp4.age"


@pytest.fixture
def recording_id(bare_box: Box) -> str:
    return add_recording(bare_box.store, sealed=SEALED)


def facts(box: Box, what: str) -> list[dict[str, object]]:
    return [entry.get("facts", {}) for entry in box.noted() if entry["what"] == what]


# -- views ------------------------------------------------------------------------------------------------------------


def test_looking_at_the_list_and_at_one_recording_is_noted_once_a_minute(
    box: Box, client: FlaskClient, recording_id: str
) -> None:
    for _ in range(3):
        for path in ("/", "/room", f"/recordings/{recording_id}/", f"/recordings/{recording_id}/manifest.json"):
            assert client.get(path).status_code == 200
    assert [(entry["what"], entry.get("recording"), entry["by"], entry["facts"]) for entry in box.noted()] == [
        ("view", None, "page", {"of": "list", "person": THERAPIST}),
        ("view", recording_id, "page", {"of": "facts", "person": THERAPIST}),
        ("view", recording_id, "page", {"of": "manifest", "person": THERAPIST}),
    ]


def test_what_shows_nothing_of_a_recording_is_not_noted(box: Box, client: FlaskClient) -> None:
    for path in ("/", "/room", "/status.json", "/recordings/000001-abcdefghij/", "/static/style.css", "/framing.jpg"):
        with client.get(path):
            pass
    assert box.noted() == []


def test_the_same_is_noted_again_after_a_minute() -> None:
    now_s, asked = [1000.0], list[NoteRequest]()
    noting = Noting(Path("/nowhere"), now_s=lambda: now_s[0], ask=lambda request, _run: asked.append(request) or 1)
    for at_s in (1000.0, 1059.0, 1060.0, 1061.0, 1121.0):
        now_s[0] = at_s
        assert noting.view("list")
    assert len(asked) == 3


# -- pulls ------------------------------------------------------------------------------------------------------------


def test_a_whole_download_is_one_entry(box: Box, client: FlaskClient, recording_id: str) -> None:
    assert client.get(session(recording_id)).data == SEALED
    assert facts(box, "pull") == [{"person": THERAPIST, "up_to_bytes": len(SEALED), "size_bytes": len(SEALED)}]


def test_a_download_in_many_ranges_is_a_few_entries_that_never_say_too_little(
    box: Box, client: FlaskClient, recording_id: str
) -> None:
    step, handed = 1 << 16, 0
    for start in range(0, len(SEALED), step):
        answer = client.get(session(recording_id), headers={"Range": f"bytes={start}-{start + step - 1}"})
        assert answer.status_code == 206
        handed += len(answer.data)
    assert handed == len(SEALED)
    pulls = facts(box, "pull")
    assert [pull["up_to_bytes"] for pull in pulls] == [MIB, 2 * MIB, 4 * MIB, 8 * MIB, 16 * MIB]
    assert {pull.get("since") for pull in pulls[1:]} == {1}


@given(
    sizes=st.lists(st.integers(1, 40 * MIB), min_size=1, max_size=60),
    pauses_s=st.lists(st.sampled_from([0.0, 1.0, 700.0]), min_size=60, max_size=60),
)
def test_at_no_moment_has_more_left_than_was_noted(sizes: list[int], pauses_s: list[float]) -> None:
    now_s, noted = [0.0], list[NoteRequest]()
    noting = Noting(Path("/x"), now_s=lambda: now_s[0], ask=lambda request, _run: noted.append(request) or len(noted))
    handed = 0
    for size, pause_s in zip(sizes, pauses_s, strict=False):
        now_s[0] += pause_s
        handed = size if pause_s > 600 else handed + size
        assert noting.pull(ID, wanted_bytes=size, size_bytes=50 * MIB)
        assert noted[-1].up_to_bytes is not None
        assert handed <= noted[-1].up_to_bytes
    assert len(noted) <= 10 + 8 * sum(pause_s > 600 for pause_s in pauses_s[: len(sizes)])


def test_what_hands_out_no_bytes_is_no_pull(box: Box, client: FlaskClient, recording_id: str) -> None:
    head = client.head(session(recording_id))
    client.get(session(recording_id), headers={"If-None-Match": head.headers["ETag"]})
    client.get(session(recording_id), headers={"Range": f"bytes={len(SEALED)}-"})
    assert box.noted() == []


# -- nobody notes it --------------------------------------------------------------------------------------------------


def test_without_capture_nothing_is_handed_out_and_it_is_said_in_words(bare_box: Box, recording_id: str) -> None:
    client = of_therapist(bare_box.app(), bare_box.people)
    for path in (session(recording_id), f"/recordings/{recording_id}/manifest.json"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert answer.text == (
            "This could not be noted in the audit log, so it is not handed out.\n"
            "See that the capture service runs and that the store has room, then try again.\n"
        )
    answer = client.get(session(recording_id), headers={"Range": "bytes=0-9"})
    assert (answer.status_code, SEALED[:10] in answer.data) == (503, False)
    answer = client.get(f"/recordings/{recording_id}/")
    assert answer.status_code == 503
    assert recording_id not in answer.text.replace(f"/recordings/{recording_id}", "")


def test_without_capture_the_page_still_says_how_the_box_is_and_lists_nothing(bare_box: Box, recording_id: str) -> None:
    for path in ("/", "/room"):
        answer = of_therapist(bare_box.app(), bare_box.people).get(path)
        assert answer.status_code == 200
        assert "The capture service does not answer." in answer.text
        assert "This could not be noted in the audit log" in answer.text
        assert recording_id not in answer.text


def test_a_refused_download_works_once_capture_is_back(bare_box: Box, recording_id: str) -> None:
    client = of_therapist(bare_box.app(), bare_box.people)
    assert client.get(session(recording_id)).status_code == 503
    with audited(bare_box):
        assert client.get(session(recording_id)).data == SEALED
    assert client.get(session(recording_id), headers={"Range": "bytes=0-9"}).status_code == 503
    assert len(facts(bare_box, "pull")) == 1


# -- the socket -------------------------------------------------------------------------------------------------------


def ask(run: Path, asked: bytes) -> object:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.settimeout(10)
        client.connect(str(run / AUDIT_SOCKET_NAME))
        client.send(asked)
        return json.loads(client.recv(1024))["number"]


@pytest.mark.parametrize(
    "asked",
    [
        b"",
        b"{",
        b"[]",
        b'{"what": "start"}',
        b'{"what": "consent"}',
        b'{"what": "erased"}',
        b'{"what": "view", "recording": "Anna Meier"}',
        b'{"what": "view", "of": "Anna Meier"}',
        b'{"what": "view", "note": "Anna Meier"}',
        b'{"what": "pull", "up_to_bytes": -1}',
        b"x" * 5000,
    ],
)
def test_nothing_but_its_own_vocabulary_is_noted(box: Box, asked: bytes) -> None:
    if asked:
        assert ask(box.run, asked) is None
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.connect(str(box.run / AUDIT_SOCKET_NAME))  # and is gone
    assert ask(box.run, b'{"what": "login", "granted": false}') == 1
    assert [entry["what"] for entry in box.noted()] == ["login"]


def test_an_entry_is_durable_when_its_number_is_told(box: Box) -> None:
    for number in range(1, 6):
        assert note_by_capture(NoteRequest(what="view", of="list"), box.run) == number
        assert len(box.noted()) == number


def test_a_log_that_cannot_take_it_in_is_answered_with_no(tmp_path: Path) -> None:
    heard: list[Happened] = []
    done = threading.Event()

    def note(happened: Happened) -> None:
        heard.append(happened)
        done.set()

    server = AuditServer(tmp_path / AUDIT_SOCKET_NAME, note, users=frozenset({os.geteuid()}))
    try:
        assert note_by_capture(NoteRequest(what="logout"), tmp_path) is None
    finally:
        server.close()
    assert done.is_set()
    assert [happened.what for happened in heard] == [What.LOGOUT]
    assert note_by_capture(NoteRequest(what="logout"), tmp_path) is None
    assert not (tmp_path / AUDIT_SOCKET_NAME).exists()


def test_nobody_but_the_page_gets_an_entry(tmp_path: Path) -> None:
    heard: list[Happened] = []
    server = AuditServer(tmp_path / AUDIT_SOCKET_NAME, lambda happened: heard.append(happened) or 1, users=frozenset())
    with closing(server):
        assert note_by_capture(NoteRequest(what="logout"), tmp_path) is None
    assert heard == []


def test_its_socket_is_for_the_services_group_alone(tmp_path: Path) -> None:
    with closing(AuditServer(tmp_path / AUDIT_SOCKET_NAME, lambda _: 1, users=frozenset({os.geteuid()}))):
        assert stat.S_IMODE((tmp_path / AUDIT_SOCKET_NAME).stat().st_mode) == 0o660


def test_the_users_that_may_ask_are_the_named_one_and_our_own() -> None:
    assert users_named("root") == {0, os.geteuid()}
    assert users_named("nobody-of-that-name") == {os.geteuid()}
