"""What programs put beside a recording: sealed by capture, or as it was sealed before it came; by the real desk."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from device.age.sealing import encrypt
from device.naming_requests import MOST_SEALED_BYTES
from device.recording import ATTACHMENTS_NAME
from device.recording.manifest import RecordingState
from device.recording.named import LabelDocument, NoteDocument, from_bytes
from tests.support import own_open
from tests.web.conftest import Box, audited
from tests.web.naming import Naming, naming
from tests.web.programs import Program, identity_of, mark_of, settle
from tests.web.published import add_recording


@pytest.fixture
def desk(bare_box: Box) -> Iterator[Naming]:
    settle(bare_box.people)
    with audited(bare_box) as auditor, naming(bare_box, auditor) as desk:
        yield desk


@pytest.fixture
def one(desk: Naming) -> Program:
    return Program(desk.box.app().test_client(), "one").sign_in()


@pytest.fixture
def recording_id(desk: Naming) -> str:
    return add_recording(desk.box.store, therapist=mark_of("one"))


def attach(program: Program, recording_id: str, **more: Any) -> Any:
    return program.ask("POST", f"/recordings/{recording_id}/attachments", **more)


def opened(desk: Naming, recording_id: str, name: str) -> bytes:
    return own_open(desk.box.store.folder(recording_id) / ATTACHMENTS_NAME / name, desk.identity)


def test_a_label_is_sealed_beside_the_recording(desk: Naming, one: Program, recording_id: str) -> None:
    sent = {"kind": "label", "client": "K-17", "session": 3, "study": "S", "arm": "B"}
    answer = attach(one, recording_id, json=sent)
    assert (answer.status_code, answer.get_json()) == (201, {"name": "label.age"})
    label = from_bytes(opened(desk, recording_id, "label.age"), LabelDocument)
    assert (label.client, label.session, label.study, label.arm, label.by) == ("K-17", 3, "S", "B", mark_of("one"))


def test_a_note_is_sealed_and_comes_out_as_it_lies_there(desk: Naming, one: Program, recording_id: str) -> None:
    answer = attach(one, recording_id, json={"kind": "note", "text": "<script>alert(1)</script>\nlate"})
    assert answer.get_json() == {"name": "note-001.age"}
    note = from_bytes(opened(desk, recording_id, "note-001.age"), NoteDocument)
    assert note.text == "<script>alert(1)</script>\nlate"
    told = one.get(f"/recordings/{recording_id}").get_json()["attachments"]
    assert [one["name"] for one in told] == ["note-001.age"]
    sealed = one.get(f"/recordings/{recording_id}/attachments/note-001.age").data
    assert len(sealed) == told[0]["size_bytes"]
    assert b"alert" not in sealed


def test_what_a_program_sealed_itself_is_put_there_as_it_is(desk: Naming, one: Program, recording_id: str) -> None:
    sink = io.BytesIO()
    encrypt(io.BytesIO(bytes(60_000)), sink, [identity_of("one").recipient()])
    answer = attach(one, recording_id, data=sink.getvalue(), content_type="application/octet-stream")
    assert (answer.status_code, answer.get_json()) == (201, {"name": "clip-001.age"})
    assert one.get(f"/recordings/{recording_id}/attachments/clip-001.age").data == sink.getvalue()


def test_a_review_that_a_program_sealed_is_put_there_under_its_own_name(
    desk: Naming, one: Program, recording_id: str
) -> None:
    sink = io.BytesIO()
    encrypt(io.BytesIO(bytes(5_000)), sink, [identity_of("one").recipient()])
    for number in (1, 2):
        answer = attach(
            one, recording_id, data=sink.getvalue(), content_type="application/octet-stream", query_string="kind=review"
        )
        assert (answer.status_code, answer.get_json()) == (201, {"name": f"review-00{number}.age"})
    assert one.get(f"/recordings/{recording_id}/attachments/review-001.age").data == sink.getvalue()
    noted = [entry["facts"] for entry in desk.box.noted() if entry["what"] == "named"]
    assert noted[0] == {"attachment": "review", "person": mark_of("one")}


@pytest.mark.parametrize("asked", ["kind=note", "kind=label", "kind=", "kind=review&kind=clip", "sort=review"])
def test_sealed_bytes_of_another_kind_are_refused(desk: Naming, one: Program, recording_id: str, asked: str) -> None:
    sink = io.BytesIO()
    encrypt(io.BytesIO(b"x"), sink, [identity_of("one").recipient()])
    answer = attach(
        one, recording_id, data=sink.getvalue(), content_type="application/octet-stream", query_string=asked
    )
    assert answer.status_code == 400
    assert not (desk.box.store.folder(recording_id) / ATTACHMENTS_NAME).exists()


def test_what_is_not_sealed_is_not_kept(desk: Naming, one: Program, recording_id: str) -> None:
    answer = attach(one, recording_id, data=b"in the plain", content_type="application/octet-stream")
    assert answer.status_code == 400
    assert not (desk.box.store.folder(recording_id) / ATTACHMENTS_NAME).exists()


def test_the_longest_clip_comes_through_and_a_longer_one_does_not(
    desk: Naming, one: Program, recording_id: str
) -> None:
    sink = io.BytesIO()
    encrypt(io.BytesIO(bytes(MOST_SEALED_BYTES)), sink, [identity_of("one").recipient()])
    answer = attach(one, recording_id, data=sink.getvalue(), content_type="application/octet-stream")
    assert answer.status_code == 413
    assert set(answer.get_json()) == {"what", "hint"}


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"kind": "clip", "sealed": b64encode(b"x").decode()},
        {"kind": "measure", "document": "{}"},
        {"kind": "note"},
        {"kind": "note", "text": ""},
        {"kind": "note", "text": "a" * 4001},
        {"kind": "note", "text": "a", "recording": "000001-aaaaaaaaaa"},
        {"kind": "note", "text": "a", "by": "0" * 12},
        {"kind": "label", "client": "two\nlines"},
        {"kind": "label", "client": "K-17", "session": 0},
        {"kind": "label", "session": 1},
    ],
)
def test_what_is_no_attachment_is_refused_and_told_to_nobody(
    desk: Naming, one: Program, recording_id: str, sent: dict[str, Any]
) -> None:
    before = len(desk.box.noted())
    assert attach(one, recording_id, json=sent).status_code == 400
    assert len(desk.box.noted()) == before


def test_what_is_beside_a_recording_was_noted_with_whose_doing_it_was(
    desk: Naming, one: Program, recording_id: str
) -> None:
    attach(one, recording_id, json={"kind": "note", "text": "late"})
    (noted,) = [entry for entry in desk.box.noted() if entry["what"] == "named"]
    assert (noted["recording"], noted["facts"]["person"]) == (recording_id, mark_of("one"))
    assert "late" not in str(desk.box.noted())


@pytest.mark.parametrize(("login", "status"), [("other", 404), ("admin", 403), ("over-one", 201)])
def test_beside_anothers_recording_nobody_puts_anything(
    desk: Naming, one: Program, recording_id: str, login: str, status: int
) -> None:
    program = Program(one.client, login).sign_in()
    assert attach(program, recording_id, json={"kind": "note", "text": "late"}).status_code == status
    there = (desk.box.store.folder(recording_id) / ATTACHMENTS_NAME).exists()
    assert there == (status == 201)


def test_beside_what_is_going_nothing_is_put(desk: Naming, one: Program, recording_id: str) -> None:
    desk.box.store.mark_withdrawn(recording_id)
    assert attach(one, recording_id, json={"kind": "note", "text": "late"}).status_code == 404


def test_beside_a_recording_there_are_only_so_many(desk: Naming, one: Program, recording_id: str) -> None:
    place = desk.box.store.folder(recording_id) / ATTACHMENTS_NAME
    place.mkdir()
    for number in range(1, 201):
        (place / f"note-{number:03d}.age").write_bytes(b"x")
    answer = attach(one, recording_id, json={"kind": "note", "text": "late"})
    assert answer.status_code == 409
    assert "too many" in answer.get_json()["what"]


def test_where_capture_is_gone_it_is_said_that_nothing_was_done(bare_box: Box) -> None:
    settle(bare_box.people)
    recording_id = add_recording(bare_box.store, therapist=mark_of("one"), state=RecordingState.COMPLETE)
    with audited(bare_box):
        one = Program(bare_box.app().test_client(), "one").sign_in()
        answer = attach(one, recording_id, json={"kind": "note", "text": "late"})
    assert answer.status_code == 503
    assert set(answer.get_json()) == {"what", "hint"}
