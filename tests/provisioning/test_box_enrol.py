"""A box is enrolled: its key is asked for over TLS, from the real page behind the real nginx, with its card's files."""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import flask
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from werkzeug.serving import make_server

from device.errors import DamagedError
from device.proving import PROOF_SOCKET_NAME, ProofServer, prove_by_capture
from device.recording.enrolment import ENROLMENT_KIND, enrolment, key_of_enrolment
from device.recording.signing import fingerprint, sign, sign_line
from device.remote_folder import FolderRemote
from device.web.front import Front
from provisioning.clinic.asking_box import key_of_box
from provisioning.clinic.box_folders import BoxFolder
from provisioning.errors import UnreachableError
from tests.front.nginx_server import HOST, Nginx, nginx, page_at
from tests.provisioning.boxes import DESK, Said, call, send
from tests.provisioning.conftest import Clinic
from tests.provisioning.damage import record
from tests.provisioning.desk_boxes import added, admin_with_roster, card
from tests.provisioning.folders import Admin
from tests.web.conftest import Box, bare_box, box  # noqa: F401  # the same box


@dataclass
class OfCard:
    """What the harness of nginx wants of an authority, of the files on a card: a certificate with its key."""

    files: Path

    @property
    def pem(self) -> bytes:
        return (self.files / "ca.crt").read_bytes()

    def issue(self, *_names: str) -> bytes:
        newest = sorted((self.files / "certificates").iterdir())[0]
        return (self.files / "tls/page.key").read_bytes() + newest.read_bytes()


@pytest.fixture
def admin(tmp_path: Path) -> Admin:
    """An admin whose boxes have addresses on this computer, too: so nginx is reached by its address."""
    made, _ = admin_with_roster(tmp_path / "desk", networks="127.0.0.0/8")
    return made


def carded(admin: Admin, boot: Path, name: str = "room-3") -> Path:
    """A box with its card; the files on that. A card that was there before is gone."""
    if not BoxFolder(admin.folder, name).path.exists():
        added(admin, name, host_name=name, address=f"{HOST}/8", gateway="127.0.0.2", dns="")
    shutil.rmtree(boot, ignore_errors=True)
    said = card(admin, boot, name=name)
    assert said.code == 0, said.complaints
    return boot / "sotto/files"


@contextmanager
def running(box: Box, files: Path, key: Ed25519PrivateKey, *, name: str = "room-3") -> Iterator[Nginx]:  # noqa: F811
    """The box as its card made it: page, nginx, and what proves its key."""

    def prove(challenge: bytes) -> bytes:
        return sign_line(ENROLMENT_KIND, enrolment(box=name, challenge=challenge), key)

    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        given = socket.create_server((HOST, 0))
        names = tuple(f"{name}.{domain}" for domain in ("practice.internal", "local"))
        app = box.app(room=False, front=Front((*names, HOST), 443))
        page = folder / "page.sock"
        ends.enter_context(page_at(page, app))
        users = frozenset({os.geteuid()})
        ends.enter_context(closing(ProofServer(box.run / PROOF_SOCKET_NAME, prove, users=users)))
        yield ends.enter_context(
            nginx(folder, OfCard(files), store=box.store.path, page=page, listening=given)  # type: ignore[arg-type]  # as much of one as it asks for
        )


def enrol(admin: Admin, port: int, *words: object, name: str = "room-3") -> Said:
    return admin.does("device", "enrol", admin.folder.path, name, "--at", f"{HOST}:{port}", "--yes", *words)


def test_a_box_is_enrolled_once_it_has_proved_its_key(admin: Admin, box: Box, tmp_path: Path) -> None:  # noqa: F811
    key = Ed25519PrivateKey.generate()
    mine = fingerprint(key.public_key().public_bytes_raw())
    with running(box, carded(admin, tmp_path / "boot"), key) as site:
        assert enrol(admin, site.port, "--dry-run").out.startswith(f"room-3: {mine}\n")
        assert admin.folder.read().device_keys() == frozenset()
        said = enrol(admin, site.port)
        assert said.code == 0, said.complaints
        assert f"room-3: {mine}" in said.out
        assert admin.folder.read().device_keys() == {mine}
        assert "box enrolled" in admin.log()
        assert "known already" in enrol(admin, site.port).out
        without_yes = admin.does("device", "enrol", admin.folder.path, "room-3", "--at", f"{HOST}:{site.port}")
        assert without_yes.code == 0  # nothing to compare any more


def test_where_nobody_compares_the_fingerprint_nothing_is_entered(
    admin: Admin,
    box: Box,  # noqa: F811
    tmp_path: Path,
) -> None:
    with running(box, carded(admin, tmp_path / "boot"), Ed25519PrivateKey.generate()) as site:
        said = admin.does("device", "enrol", admin.folder.path, "room-3", "--at", f"{HOST}:{site.port}")
    assert (said.code, "nobody is there to compare" in said.complaints) == (2, True)
    assert admin.folder.read().device_keys() == frozenset()


def test_a_box_of_another_clinic_is_not_spoken_to(admin: Admin, box: Box, tmp_path: Path) -> None:  # noqa: F811
    carded(admin, tmp_path / "boot")
    other, _ = admin_with_roster(tmp_path / "other", networks="127.0.0.0/8")
    with running(box, carded(other, tmp_path / "other-boot"), Ed25519PrivateKey.generate()) as site:
        said = enrol(admin, site.port)
    assert (said.code, "no certificate of this clinic for room-3" in said.complaints) == (6, True)
    assert admin.folder.read().device_keys() == frozenset()


def test_another_box_of_the_clinic_in_its_place_is_known_by_its_certificate(
    admin: Admin,
    box: Box,  # noqa: F811
    tmp_path: Path,
) -> None:
    carded(admin, tmp_path / "boot")
    files = carded(admin, tmp_path / "other-boot", "room-1")
    with running(box, files, Ed25519PrivateKey.generate(), name="room-1") as site:
        said = enrol(admin, site.port)
    assert (said.code, "no certificate of this clinic for room-3" in said.complaints) == (6, True)


def test_a_box_with_the_card_of_one_room_and_the_name_of_another_is_told(
    admin: Admin,
    box: Box,  # noqa: F811
    tmp_path: Path,
) -> None:
    """The certificate fits, and what was signed is for another room."""
    files, key = carded(admin, tmp_path / "boot"), Ed25519PrivateKey.generate()

    def elsewhere(challenge: bytes) -> bytes:
        return sign_line(ENROLMENT_KIND, enrolment(box="room-1", challenge=challenge), key)

    with running(box, files, key) as site:
        users = frozenset({os.geteuid()})
        with closing(ProofServer(box.run / PROOF_SOCKET_NAME, elsewhere, users=users)):
            said = enrol(admin, site.port)
    assert (said.code, "another box answers: not room-3, but 'room-1'" in said.complaints) == (4, True)
    assert admin.folder.read().device_keys() == frozenset()


def test_a_box_whose_capture_does_not_run_proves_nothing(admin: Admin, box: Box, tmp_path: Path) -> None:  # noqa: F811
    with running(box, carded(admin, tmp_path / "boot"), Ed25519PrivateKey.generate()) as site:
        (box.run / PROOF_SOCKET_NAME).unlink()
        said = enrol(admin, site.port)
    assert (said.code, "does not prove its key now (503)" in said.complaints) == (6, True)


def test_where_nothing_answers_it_says_so(admin: Admin, tmp_path: Path) -> None:
    carded(admin, tmp_path / "boot")
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    said = enrol(admin, port)
    assert (said.code, "does not answer" in said.complaints) == (6, True)


# What is said is changed on its way, or is no answer to what was asked.


@contextmanager
def pretending(files: Path, answer: Callable[[bytes], bytes]) -> Iterator[int]:
    """Somebody who has the page's key, and answers as they like; the port."""
    app = flask.Flask("pretend")

    @app.post("/api/v1/device")
    def device() -> flask.Response:
        return flask.Response(answer(bytes.fromhex(json.loads(flask.request.data)["challenge"])))

    certificate = sorted((files / "certificates").iterdir())[0]
    server = make_server(HOST, 0, app, threaded=True, ssl_context=(str(certificate), str(files / "tls/page.key")))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join(timeout=30)
        server.server_close()


def test_a_flipped_bit_anywhere_in_the_answer_enters_nothing(admin: Admin, tmp_path: Path) -> None:
    key, challenge = Ed25519PrivateKey.generate(), bytes(range(32))
    whole = sign_line(ENROLMENT_KIND, enrolment(box="room-3", challenge=challenge), key)
    public = key.public_key().public_bytes_raw()
    assert key_of_enrolment(whole, box="room-3", challenge=challenge) == public
    for at in range(len(whole) - 1):  # behind the last comes a line's end alone
        changed = bytearray(whole)
        changed[at] ^= 1 << (at % 8)
        try:
            found = key_of_enrolment(bytes(changed), box="room-3", challenge=challenge)
        except DamagedError:
            continue
        assert found == public, f"byte {at}"  # the bits that base64 has over: it says the same
    files = carded(admin, tmp_path / "boot")

    def flipped(asked: bytes) -> bytes:
        said = bytearray(sign_line(ENROLMENT_KIND, enrolment(box="room-3", challenge=asked), key))
        said[said.index(b"challenge") + 20] ^= 1
        return bytes(said)

    with pretending(files, flipped) as port:
        said = enrol(admin, port)
    assert said.code == 4, said.complaints
    assert admin.folder.read().device_keys() == frozenset()


@pytest.mark.parametrize("kind", ["replayed", "other kind", "nothing"])
def test_an_answer_to_another_question_enters_nothing(admin: Admin, tmp_path: Path, kind: str) -> None:
    key = Ed25519PrivateKey.generate()
    old = sign_line(ENROLMENT_KIND, enrolment(box="room-3", challenge=bytes(32)), key)

    def answer(asked: bytes) -> bytes:
        other = sign("manifest", enrolment(box="room-3", challenge=asked), key)
        return {"replayed": old, "other kind": other, "nothing": b"{}"}[kind]

    with pretending(carded(admin, tmp_path / "boot"), answer) as port:
        said = enrol(admin, port)
    assert said.code == 4, said.complaints
    assert admin.folder.read().device_keys() == frozenset()


def test_what_speaks_no_tls_at_all_is_no_box(admin: Admin, tmp_path: Path) -> None:
    carded(admin, tmp_path / "boot")
    with socket.create_server((HOST, 0)) as plain:

        def hang_up() -> None:
            plain.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(UnreachableError):
            key_of_box(
                "https://room-3.local", room="room-3", authority=admin.folder.ca, at=(HOST, plain.getsockname()[1])
            )
        thread.join(timeout=30)


def test_the_page_alone_may_ask_capture_for_a_proof_and_only_of_a_challenge(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    signed: list[bytes] = []

    def prove(challenge: bytes) -> bytes:
        signed.append(challenge)
        return sign_line(ENROLMENT_KIND, enrolment(box="b", challenge=challenge), key)

    with tempfile.TemporaryDirectory() as short:
        run = Path(short)
        with closing(ProofServer(run / PROOF_SOCKET_NAME, prove, users=frozenset({os.geteuid() + 1}))):
            assert prove_by_capture(bytes(32), run) is None
        with closing(ProofServer(run / PROOF_SOCKET_NAME, prove, users=frozenset({os.geteuid()}))):
            assert prove_by_capture(b"sotto manifest v1\n{}", run) is None
            assert prove_by_capture(bytes(33), run) is None
            assert signed == []
            assert prove_by_capture(bytes(32), run) is not None
        assert prove_by_capture(bytes(32), run) is None  # nobody listens any more


# A box is lost, burnt or stolen: another one in its place, and what the old one sent still opens and verifies.


def test_a_lost_box_comes_back_by_a_new_card_and_what_the_remote_has_opens_and_verifies(
    admin: Admin,
    box: Box,  # noqa: F811
    clinic: Clinic,
    sound_24: tuple[object, bytes],
    tmp_path: Path,
) -> None:
    kept = record(clinic, sound_24[0])  # type: ignore[arg-type]  # what the fixture gives
    boot, old = tmp_path / "boot", kept.key
    files = carded(admin, boot)
    with running(box, files, old) as site:
        assert enrol(admin, site.port).code == 0
    remote = tmp_path / "remote"
    remote.mkdir()
    (remote / "sotto-remote").touch()
    there = _sent(remote, kept.folder)
    lost_key = (files / "tls/page.key").read_bytes()

    # The box is gone. Its room gets another one.
    said = admin.does("device", "replace", admin.folder.path, "room-3")
    assert said.code == 0, said.complaints
    files, new = carded(admin, boot), Ed25519PrivateKey.generate()
    assert (files / "tls/page.key").read_bytes() != lost_key
    with running(box, files, new) as site:
        said = enrol(admin, site.port)
        assert said.code == 0, said.complaints
    keys = {fingerprint(one.public_key().public_bytes_raw()) for one in (old, new)}
    assert admin.folder.read().device_keys() == keys
    (known,) = admin.folder.read().boxes
    assert (known.name, known.device_key) == ("room-3", fingerprint(new.public_key().public_bytes_raw()))

    # What the remote has of the old one opens, and verifies by the clinic's folder.
    words = ("-i", clinic.key(), "--device-key", admin.folder.path)
    verified = call("verify", "--remote", remote, there, *words)
    assert verified.code == 0, verified.complaints + verified.out
    assert _opened(clinic, remote, there) == sound_24[1]
    # And it would not, were the old key forgotten.
    one = admin.folder.read().boxes[0].model_copy(update={"former_keys": ()})
    admin.folder.write_clinic(admin.folder.read().model_copy(update={"boxes": (one,)}))
    assert call("verify", "--remote", remote, there, *words).code != 0


def _sent(remote: Path, folder: Path) -> str:
    return send(FolderRemote(remote), folder, desk=DESK)


def _opened(clinic: Clinic, remote: Path, there: str) -> bytes:
    out = clinic.home / "out.mp4"
    said = call("open", "--remote", remote, there, "-i", clinic.key(), "-o", out)
    assert said.code == 0, said.complaints
    return clinic.player.samples(out)
