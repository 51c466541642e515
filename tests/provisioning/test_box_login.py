"""Opening what is still on a box: the clinic's program signs in with its key; and boxes that want more than that."""

from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import flask
import pytest
from werkzeug.serving import make_server

from device.age.sealing import encrypt
from device.people.person import Person, Role
from device.recording import MANIFEST_NAME
from device.recording.audited import What
from device.recording.signing import sign
from device.store import Store, read_manifest
from device.web.serve import PageServer, address_of, listen_here
from provisioning.box_login import sign_in
from provisioning.errors import ChallengeError, UnreachableError, UsageError
from tests.web.conftest import FINGERPRINT, Box, audited, people_in

ID = "000007-abcdefghij"
MARK = "0" * 11 + "1"


@pytest.fixture
def box(clinic: Any, sound_quiet: Any, tmp_path: Path) -> Iterator[Box]:
    """A box with one recording of somebody who has the clinic's key."""
    sealed = clinic.seal(*sound_quiet, folder=f"store/{ID}")
    manifest = read_manifest(sealed.folder).model_copy(update={"therapist": MARK})
    (sealed.folder / MANIFEST_NAME).write_bytes(sign("manifest", manifest.model_dump(mode="json"), clinic.device_key))
    run, state = tmp_path / "run", tmp_path / "state"
    for folder in (run, state):
        folder.mkdir()
    with people_in(state) as people:
        recipient = str(clinic.identities["clinic"].recipient())
        people.put(Person(MARK, "ada", "Ada", frozenset({Role.THERAPIST}), recipient))
        store = Store(tmp_path / "store", device_key=clinic.device_key)
        yield Box(store, run, store.path / "audit.log", people)


@contextmanager
def listening(app: Any) -> Iterator[str]:
    """The page as it is served on a box without nginx; the address of its recording there."""
    socket = listen_here("127.0.0.1", 0)
    home = address_of(socket)
    server = PageServer(app, socket)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield f"{home}api/v1/recordings/{ID}"
    finally:
        server.stop()
        thread.join(timeout=20)


@pytest.fixture
def address(box: Box) -> Iterator[str]:
    with audited(box), listening(box.app(room=False)) as address:
        yield address


AS_ADA = ("--login", "ada", "--device-key", FINGERPRINT)


def test_the_last_minutes_of_a_recording_are_opened_from_the_box(clinic: Any, box: Box, address: str) -> None:
    told = clinic.open(address, *AS_ADA, "--last", "20s")
    assert told["manifest"]["box"] == "room 3"
    assert told["bytes_read"] < told["size_bytes"] / 10
    assert 20 <= len(clinic.player.samples(clinic.home / f"{ID}.mp4")) / 3 / 48_000 < 20.75
    noted = [(entry["what"], entry["facts"].get("person")) for entry in box.noted()]
    assert noted[0] == (What.LOGIN, MARK)
    assert (What.PULL, MARK) in noted


def test_without_signing_in_the_box_shows_nothing(clinic: Any, address: str) -> None:
    code, said = clinic.fail(address)
    assert (code, "does not let you read this recording (401)" in said) == (6, True)


def test_a_key_that_the_box_does_not_know_is_told_so(clinic: Any, address: str) -> None:
    for login in ("ada", "nobody"):
        words = ("--login", login, "--device-key", FINGERPRINT)
        code, said = clinic.fail(address, *words, key="stranger")
        assert code == 3  # sealed to somebody else, whether there is such a login or not
        assert "None of the keys" in said or "none of the keys" in said


def test_another_box_than_was_meant_gets_no_answer(clinic: Any, box: Box, address: str) -> None:
    code, said = clinic.fail(address, "--login", "ada", "--device-key", "f" * 16)
    assert (code, "that of another box" in said) == (1, True)
    assert box.noted() == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--login", "ada"), "has to be known"),
        (("--login", "ada", "--device-key", "0" * 16, "--device-key", "1" * 16), "has to be known"),
        (("--login", "ada", "--device-key", FINGERPRINT, "--remote", "/nowhere"), "one or the other"),
    ],
)
def test_what_does_not_say_which_box_is_wrong_usage(
    clinic: Any, address: str, words: tuple[str, ...], said: str
) -> None:
    code, told = clinic.fail(address, *words)
    assert (code, said in told) == (2, True)


@pytest.mark.parametrize(
    "wrong",
    [
        "http://box.example/api/v1/recordings/x",
        "https://box.example/recordings/x",
        "/store/x",
        "http://10.0.0.1/api/v1/x",
    ],
)
def test_only_a_box_is_signed_in_to_and_only_where_nobody_listens(clinic: Any, wrong: str) -> None:
    with pytest.raises(UsageError):
        sign_in(wrong, "ada", [clinic.identities["clinic"]], device=FINGERPRINT)


# Boxes that are none.


@pytest.fixture
def pretend() -> Iterator[Callable[..., tuple[str, list[Any]]]]:
    """A server that gives a challenge of its own making; its address, and all that it was sent."""
    running: list[tuple[Any, threading.Thread]] = []

    def start(challenge: object, *, status: int = 201) -> tuple[str, list[Any]]:
        app, heard = flask.Flask("pretend"), []

        @app.post("/api/v1/<name>")
        def post(name: str) -> flask.Response:
            heard.append((name, flask.request.get_json()))
            return flask.Response(json.dumps(challenge), status=status, content_type="application/json")

        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}/api/v1/recordings/{ID}", heard

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join(timeout=20)
        server.server_close()


def sealed(clinic: Any, plaintext: bytes) -> str:
    sink = io.BytesIO()
    encrypt(io.BytesIO(plaintext), sink, [clinic.identities["clinic"].recipient()])
    return base64.b64encode(sink.getvalue()).decode()


def test_a_box_cannot_have_a_note_opened_that_was_sealed_to_the_person(clinic: Any, pretend: Any) -> None:
    address, heard = pretend({"id": "x", "sealed": sealed(clinic, b"what a client said")})
    with pytest.raises(ChallengeError):
        sign_in(address, "ada", [clinic.identities["clinic"]], device=FINGERPRINT)
    assert heard == [("challenges", {"login": "ada"})]


@pytest.mark.parametrize(
    "told", [{}, [], "x", {"id": "x"}, {"id": "x", "sealed": "no base64!"}, {"id": 7, "sealed": ""}, {"token": "x"}]
)
def test_what_no_box_says_is_told_as_that(clinic: Any, pretend: Any, told: object) -> None:
    address, _ = pretend(told)
    with pytest.raises(UnreachableError, match="answers as no box does"):
        sign_in(address, "ada", [clinic.identities["clinic"]], device=FINGERPRINT)


@pytest.mark.parametrize(("status", "said"), [(401, "does not know"), (404, "nobody can sign in"), (429, "429")])
def test_a_box_that_refuses_is_told_in_words(clinic: Any, pretend: Any, status: int, said: str) -> None:
    address, _ = pretend({}, status=status)
    with pytest.raises(UnreachableError, match=said):
        sign_in(address, "ada", [clinic.identities["clinic"]], device=FINGERPRINT)


def test_a_token_is_shown_to_the_box_alone_wherever_it_leads(clinic: Any, serve: Any, sound_24: Any) -> None:
    """Another port of the same host is another server."""
    from provisioning.http_source import HttpSource

    shown: list[str | None] = []
    home = serve(clinic.seal(*sound_24).folder)
    app = flask.Flask("leads away")

    @app.get("/<path:path>")
    def lead(path: str) -> Any:
        shown.append(flask.request.headers.get("Authorization"))
        return flask.redirect(f"{away}/look/{path}")

    other = flask.Flask("elsewhere")

    @other.get("/look/<path:path>")
    def look(path: str) -> Any:
        shown.append(flask.request.headers.get("Authorization"))
        return flask.redirect(f"{home}/recordings/{ID}/session.mp4.age")

    servers = [make_server("127.0.0.1", 0, one, threaded=True) for one in (app, other)]
    away = f"http://127.0.0.1:{servers[1].server_port}"
    threads = [threading.Thread(target=server.serve_forever) for server in servers]
    for thread in threads:
        thread.start()
    source = HttpSource(f"http://127.0.0.1:{servers[0].server_port}/x", token="secret")  # noqa: S106
    try:
        assert source.read_at(0, 3) == b"age"
    finally:
        source.close()
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            thread.join(timeout=20)
            server.server_close()
    assert shown == ["Bearer secret", None]
