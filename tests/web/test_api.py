"""The interface for programs: what it tells, to whom, and what it never does."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.age.recipients import parse_recipient
from device.age.sealing import encrypt
from device.clock import Stamp
from device.recording import ATTACHMENTS_NAME, RECEIPTS_NAME
from device.recording.manifest import PictureFacts, RecordingState
from device.recording.receipt import RECEIPT_KIND, Receipt
from device.recording.signing import verify
from device.words import Consent
from tests.web.conftest import Box
from tests.web.programs import Program, identity_of, mark_of, settle
from tests.web.published import add_recording

SEALED = bytes(range(256)) * 700


@pytest.fixture
def clinic(box: Box) -> Box:
    settle(box.people)
    return box


@pytest.fixture
def programs(clinic: Box) -> dict[str, Program]:
    """A program of each person, signed in."""
    client = clinic.app().test_client()
    return {login: Program(client, login).sign_in() for login in ("one", "other", "over-one", "admin")}


def of(login: str) -> dict[str, Any]:
    """Whose a recording is."""
    return {"therapist": mark_of(login)}


def ids(program: Program, query: str = "") -> list[str]:
    answer = program.get(f"/recordings{query}")
    assert answer.status_code == 200, answer.text
    return [entry["id"] for entry in answer.get_json()["recordings"]]


# What is told.


def test_a_recording_is_told_with_all_that_a_list_shows(clinic: Box, programs: dict[str, Program]) -> None:
    recording_id = add_recording(clinic.store, sealed=SEALED, bookmarks_us=(1, 2), **of("one"))
    (entry,) = programs["one"].get("/recordings").get_json()["recordings"]
    assert entry == {
        "id": recording_id,
        "box": 'Room <b>3</b> & "garden"',
        "state": "complete",
        "started": "2026-03-03T13:05:00.000Z",
        "ended": "2026-03-03T13:55:12.000Z",
        "clock_trusted": True,
        "duration_us": 3_012_000_000,
        "consent": "sound",
        "picture": False,
        "sound": "good",
        "bookmarks": 2,
        "therapist": mark_of("one"),
        "size_bytes": len(SEALED),
        "digest": "ab" * 32,
        "held": False,
        "going": None,
        "downloadable": True,
    }


def test_what_is_not_as_usual_is_told_too(clinic: Box, programs: dict[str, Program]) -> None:
    picture = PictureFacts(width=1280, height=720, camera="simulated")
    first = add_recording(clinic.store, consent=Consent.SOUND_AND_PICTURE, picture=picture, **of("one"))
    clinic.store.hold(first, at=Stamp("2026-03-03T14:00:00.000Z"))
    add_recording(clinic.store, withdrawn=True, **of("one"))
    add_recording(clinic.store, state=RecordingState.OPEN, ended=None, digest=None, **of("one"))
    opened, going, held = programs["one"].get("/recordings").get_json()["recordings"]
    assert (held["picture"], held["held"], held["downloadable"]) == (True, True, True)
    assert (going["going"], going["downloadable"]) == ("client", False)
    assert (opened["state"], opened["ended"], opened["digest"]) == ("open", None, None)
    assert opened["downloadable"] is False


def test_the_facts_of_one_tell_what_lies_beside_it(clinic: Box, programs: dict[str, Program]) -> None:
    recording_id = add_recording(clinic.store, **of("one"))
    attach(clinic, recording_id, "note-001.age", b"a note")
    (clinic.store.folder(recording_id) / ATTACHMENTS_NAME / "half.age.new").write_bytes(b"")
    facts = programs["one"].get(f"/recordings/{recording_id}").get_json()
    (attached,) = facts.pop("attachments")
    assert attached["name"] == "note-001.age"
    assert attached["size_bytes"] > 100
    assert [facts] == programs["one"].get("/recordings").get_json()["recordings"]


def attach(box: Box, recording_id: str, name: str, text: bytes) -> bytes:
    """An attachment sealed to the key of ``one``."""
    sink = io.BytesIO()
    encrypt(io.BytesIO(text), sink, [parse_recipient(str(identity_of("one").recipient()))])
    place = box.store.folder(recording_id) / ATTACHMENTS_NAME
    place.mkdir(exist_ok=True)
    (place / name).write_bytes(sink.getvalue())
    return sink.getvalue()


def test_an_attachment_comes_as_it_was_sealed(clinic: Box, programs: dict[str, Program]) -> None:
    recording_id = add_recording(clinic.store, **of("one"))
    sealed = attach(clinic, recording_id, "label.age", b"client 17, session 3")
    address = f"/recordings/{recording_id}/attachments/label.age"
    answer = programs["one"].get(address)
    assert (answer.status_code, answer.data) == (200, sealed)
    assert answer.headers["Content-Length"] == str(len(sealed))
    head = programs["one"].ask("HEAD", address)
    assert (head.status_code, head.data, head.headers["Content-Length"]) == (200, b"", str(len(sealed)))


def test_the_sealed_bytes_are_those_of_the_page(clinic: Box, programs: dict[str, Program]) -> None:
    recording_id = add_recording(clinic.store, sealed=SEALED, **of("one"))
    address = f"/recordings/{recording_id}/session.mp4.age"
    whole = programs["one"].get(address)
    assert (whole.status_code, whole.data) == (200, SEALED)
    part = programs["one"].get(address, headers={"Range": "bytes=65536-131071"})
    assert (part.status_code, part.data) == (206, SEALED[65_536:131_072])
    again = programs["one"].get(address, headers={"Range": "bytes=7-", "If-Range": part.headers["ETag"]})
    assert (again.status_code, again.data) == (206, SEALED[7:])
    changed = programs["one"].get(address, headers={"Range": "bytes=7-", "If-Range": '"other"'})
    assert (changed.status_code, changed.data) == (200, SEALED)
    beyond = programs["one"].get(address, headers={"Range": f"bytes={len(SEALED)}-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(SEALED)}")


def test_the_manifest_comes_as_it_was_signed(clinic: Box, programs: dict[str, Program]) -> None:
    recording_id = add_recording(clinic.store, **of("one"))
    answer = programs["one"].get(f"/recordings/{recording_id}/manifest.json")
    assert verify("manifest", answer.data).payload["id"] == recording_id


def test_receipts_come_as_they_were_signed_and_only_those_that_hold(clinic: Box, programs: dict[str, Program]) -> None:
    recording_id = add_recording(clinic.store, **of("one"))
    address = f"/recordings/{recording_id}/receipts"
    assert programs["one"].get(address).get_json() == {"receipts": []}
    receipt = Receipt(remote="clinic", digest="ab" * 32, size_bytes=7, verified_at="2026-03-03T20:00:00.000Z")
    clinic.store.write_receipt(recording_id, receipt)
    place = clinic.store.folder(recording_id) / RECEIPTS_NAME
    (place / "forged.json").write_bytes((place / "clinic.json").read_bytes().replace(b"ab", b"cd"))
    (place / "broken.json").write_bytes(b"{")
    (told,) = programs["one"].get(address).get_json()["receipts"]
    held = verify(RECEIPT_KIND, json.dumps(told).encode())
    assert Receipt.model_validate(held.payload) == receipt


# Parts of the list.


def test_a_long_list_can_be_had_in_parts(clinic: Box, programs: dict[str, Program]) -> None:
    made = [add_recording(clinic.store, **of("one")) for _ in range(5)][::-1]
    first = programs["one"].get("/recordings?limit=2").get_json()
    assert ([entry["id"] for entry in first["recordings"]], first["more"]) == (made[:2], True)
    second = programs["one"].get(f"/recordings?limit=3&before={made[1]}").get_json()
    assert ([entry["id"] for entry in second["recordings"]], second["more"]) == (made[2:], False)
    assert ids(programs["one"], f"?before={made[-1]}") == []


def test_more_never_speaks_of_what_is_not_told(clinic: Box, programs: dict[str, Program]) -> None:
    add_recording(clinic.store, **of("other"))
    mine = add_recording(clinic.store, **of("one"))
    told = programs["one"].get("/recordings?limit=1").get_json()
    assert ([entry["id"] for entry in told["recordings"]], told["more"]) == ([mine], False)


def test_a_list_that_is_the_same_is_not_sent_again(clinic: Box, programs: dict[str, Program]) -> None:
    add_recording(clinic.store, **of("one"))
    etag = programs["one"].get("/recordings").headers["ETag"]
    same = programs["one"].get("/recordings", headers={"If-None-Match": etag})
    assert (same.status_code, same.data) == (304, b"")
    add_recording(clinic.store, **of("one"))
    assert programs["one"].get("/recordings", headers={"If-None-Match": etag}).status_code == 200


def test_a_question_that_makes_no_sense_is_refused(programs: dict[str, Program]) -> None:
    senseless = "limit=0", "limit=x", "limit=1&limit=2", "before=000001", "therapist=one", "unknown=1", "limit=", "=1"
    for query in senseless:
        answer = programs["one"].get(f"/recordings?{query}")
        assert answer.status_code == 400, query
        assert answer.get_json()["hint"] == "Look at /api/v1/openapi.json for what can be asked, and how."


# Who is told.


def test_each_is_told_of_those_that_they_may_know_of(clinic: Box, programs: dict[str, Program]) -> None:
    ones, others, nobodys = (
        add_recording(clinic.store, therapist=mark) for mark in (mark_of("one"), mark_of("other"), None)
    )
    assert ids(programs["one"]) == [ones]
    assert ids(programs["other"]) == [others]
    assert ids(programs["over-one"]) == [ones]
    assert ids(programs["admin"]) == [nobodys, others, ones]
    assert ids(programs["admin"], f"?therapist={mark_of('other')}") == [others]
    assert ids(programs["over-one"], f"?therapist={mark_of('other')}") == []


BENEATH = ["", "/manifest.json", "/session.mp4.age", "/receipts", "/attachments/label.age"]


@pytest.mark.parametrize("path", BENEATH)
def test_of_anothers_recording_nothing_is_told_not_even_that_it_is_there(
    clinic: Box, programs: dict[str, Program], path: str
) -> None:
    recording_id = add_recording(clinic.store, **of("one"))
    attach(clinic, recording_id, "label.age", b"client 17")
    assert programs["one"].get(f"/recordings/{recording_id}{path}").status_code == 200
    assert programs["over-one"].get(f"/recordings/{recording_id}{path}").status_code == 200
    refused = programs["other"].get(f"/recordings/{recording_id}{path}")
    absent = programs["other"].get(f"/recordings/999999-aaaaaaaaaa{path}")
    assert (refused.status_code, refused.data) == (absent.status_code, absent.data)
    assert refused.status_code == 404


@pytest.mark.parametrize("path", ["/manifest.json", "/session.mp4.age", "/attachments/label.age"])
def test_an_admin_has_the_facts_and_nothing_else(clinic: Box, programs: dict[str, Program], path: str) -> None:
    recording_id = add_recording(clinic.store, **of("one"))
    attach(clinic, recording_id, "label.age", b"client 17")
    facts = programs["admin"].get(f"/recordings/{recording_id}").get_json()
    assert (facts["state"], facts["attachments"]) == ("complete", None)
    assert programs["admin"].get(f"/recordings/{recording_id}{path}").status_code == 403


def test_a_stranger_is_told_to_sign_in(clinic: Box) -> None:
    client = clinic.app().test_client()
    beneath = [f"/recordings/000001-aaaaaaaaaa{path}" for path in BENEATH]
    for shown in (None, "", "Bearer", "Bearer x", "Basic b25lOm9uZQ==", "Bearer " + "a" * 5000):
        headers = {} if shown is None else {"Authorization": shown}
        for path in ("/recordings", "/me", "/tokens", *beneath):
            answer = client.get(f"/api/v1{path}", headers=headers)
            assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer"), (shown, path)
            assert set(answer.get_json()) == {"what", "hint"}


@pytest.mark.parametrize("path", BENEATH[1:])
def test_of_a_withdrawn_recording_nothing_is_handed_out(clinic: Box, programs: dict[str, Program], path: str) -> None:
    recording_id = add_recording(clinic.store, withdrawn=True, **of("one"))
    attach(clinic, recording_id, "label.age", b"client 17")
    answer = programs["one"].get(f"/recordings/{recording_id}{path}")
    assert answer.status_code == 404
    assert "withdrew" in answer.get_json()["what"]


# What is noted.


def test_what_is_told_or_handed_out_is_noted_first(clinic: Box, programs: dict[str, Program]) -> None:
    recording_id = add_recording(clinic.store, sealed=SEALED, **of("one"))
    attach(clinic, recording_id, "label.age", b"client 17")
    before = len(clinic.noted())
    for path in ("", *(f"/{recording_id}{beneath}" for beneath in BENEATH)):
        programs["one"].get(f"/recordings{path}")
    noted = [(entry["what"], entry.get("recording"), entry["facts"].get("of")) for entry in clinic.noted()[before:]]
    assert noted == [
        ("view", None, "list"),
        ("view", recording_id, "facts"),
        ("view", recording_id, "manifest"),
        ("pull", recording_id, None),
        ("view", recording_id, "attachment"),
    ]


@pytest.mark.parametrize("path", ["", *BENEATH])
def test_what_cannot_be_noted_does_not_leave(clinic: Box, programs: dict[str, Program], path: str) -> None:
    recording_id = add_recording(clinic.store, **of("one"))
    attach(clinic, recording_id, "label.age", b"client 17")
    (clinic.run / "audit.sock").unlink()
    answer = programs["one"].get(f"/recordings/{recording_id}{path}" if path else "/recordings")
    assert answer.status_code == 503
    assert "could not be noted" in answer.get_json()["what"]


# What changes something.


def test_what_cannot_be_done_says_what_can(programs: dict[str, Program]) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for path in ("/recordings", "/recordings/000001-aaaaaaaaaa", "/me", "/openapi.json"):
            answer = programs["one"].ask(method, path)
            assert answer.status_code == 405
            assert "GET" in answer.headers["Allow"]


def test_an_attachment_that_somebody_put_there_as_a_link_is_not_followed(
    clinic: Box, programs: dict[str, Program], tmp_path: Any
) -> None:
    secret = tmp_path / "secret.age"
    secret.write_bytes(b"secret")
    recording_id = add_recording(clinic.store, **of("one"))
    place = clinic.store.folder(recording_id) / ATTACHMENTS_NAME
    place.mkdir()
    (place / "label.age").symlink_to(secret)
    facts = programs["one"].get(f"/recordings/{recording_id}").get_json()
    assert facts["attachments"] == []
    assert programs["one"].get(f"/recordings/{recording_id}/attachments/label.age").status_code == 404
    (place / "label.age").unlink()
    place.rmdir()
    place.symlink_to(tmp_path)
    assert programs["one"].get(f"/recordings/{recording_id}").get_json()["attachments"] == []
    assert programs["one"].get(f"/recordings/{recording_id}/attachments/secret.age").status_code == 404


# Names that lead elsewhere.

TRICKY = [
    "..",
    ".",
    "/",
    "%2e%2e",
    "%2F",
    "%252e",
    "\\",
    "\x00",
    "%00",
    "\n",
    "000001-aaaaaaaaaa",
    "secret.age",
    ".age",
]
names = st.lists(st.sampled_from(TRICKY) | st.text(max_size=6), max_size=6).map("".join)


def test_no_name_leads_out_of_the_store(clinic: Box, programs: dict[str, Program]) -> None:
    recording_id = add_recording(clinic.store, **of("one"))
    attach(clinic, recording_id, "label.age", b"client 17")
    for place in (clinic.store.path.parent, clinic.store.path, clinic.store.folder(recording_id)):
        for name in ("secret.age", ".age", "label.age"):
            (place / name).write_bytes(b"what nobody asked for")

    @settings(deadline=None, max_examples=300)
    @given(whose=st.just(recording_id) | names, name=names, kind=st.sampled_from(["attachments/", "receipts/", ""]))
    def ask(whose: str, name: str, kind: str) -> None:
        answer = programs["one"].get(f"/recordings/{whose}/{kind}{name}")
        assert b"what nobody asked for" not in answer.data
        assert answer.status_code in {200, 308, 404, 405}

    ask()


def test_no_range_breaks_it_and_none_gets_what_is_not_there(clinic: Box, programs: dict[str, Program]) -> None:
    recording_id = add_recording(clinic.store, sealed=SEALED, **of("one"))

    @settings(deadline=None, max_examples=300)
    @given(
        header=st.from_regex("bytes=[0-9]{0,7}-[0-9]{0,7}", fullmatch=True)
        | st.text("bytes=0123456789-, ", max_size=30)
    )
    def ask(header: str) -> None:
        with programs["one"].get(f"/recordings/{recording_id}/session.mp4.age", headers={"Range": header}) as answer:
            assert answer.status_code in {200, 206, 416}
            if answer.status_code == 206:
                first, last = answer.headers["Content-Range"].removeprefix("bytes ").partition("/")[0].split("-")
                assert answer.data == SEALED[int(first) : int(last) + 1]
            elif answer.status_code == 200:
                assert answer.data == SEALED

    ask()
