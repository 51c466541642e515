"""Recordings behind an address: real servers on loopback."""

from __future__ import annotations

import socket
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from device.recording import CHUNK_BYTES, MANIFEST_NAME

ID = "000007-abcdefghij"
SEALED_BYTES = CHUNK_BYTES + 16


def test_a_slice_is_read_in_ranges(clinic: Any, sound_quiet: Any, serve: Any) -> None:
    sealed = clinic.seal(*sound_quiet)
    address = f"{serve(sealed.folder)}/recordings/{ID}"
    told = clinic.open(address, "--last", "20s")
    assert told["output"] == f"{ID}.mp4"
    assert told["manifest"]["box"] == "room 3"
    assert told["size_bytes"] == sealed.file.stat().st_size
    assert told["bytes_read"] < 34 * SEALED_BYTES < told["size_bytes"] / 10
    heard = clinic.player.samples(clinic.home / f"{ID}.mp4")
    assert sealed.sound.endswith(heard)
    assert 20 <= len(heard) / 3 / 48_000 < 20.75

    clinic.open(sealed.folder, "--last", "20s", "-o", "file.mp4")
    assert (clinic.home / "file.mp4").read_bytes() == (clinic.home / f"{ID}.mp4").read_bytes()


def test_an_interrupted_recording_is_sliced_over_the_network_too(clinic: Any, with_picture: Any, serve: Any) -> None:
    sealed = clinic.seal(*with_picture, most=-1)
    address = f"{serve(sealed.folder)}/recordings/{ID}/session.mp4.age"
    told = clinic.open(address, "--from", "9", "--to", "11", "-o", "net.mp4")
    assert told["state"] == "interrupted"
    clinic.open(sealed.folder, "--from", "9", "--to", "11", "-o", "file.mp4")
    assert (clinic.home / "file.mp4").read_bytes() == (clinic.home / "net.mp4").read_bytes()


@pytest.mark.parametrize("ranges", [True, False])
def test_a_whole_recording_is_one_stream(clinic: Any, sound_24: Any, serve: Any, ranges: bool) -> None:  # noqa: FBT001
    sealed = clinic.seal(*sound_24)
    told = clinic.open(f"{serve(sealed.folder, ranges=ranges)}/recordings/{ID}/", "-o", "net.mp4")
    assert (clinic.home / "net.mp4").read_bytes() == sealed.plaintext
    assert told["bytes_read"] == sealed.file.stat().st_size
    assert told["manifest"]["digest_checked"] is True


def test_a_server_that_ignores_ranges_is_not_downloaded_from_for_a_slice(
    clinic: Any, sound_24: Any, serve: Any
) -> None:
    sealed = clinic.seal(*sound_24)
    code, said = clinic.fail(f"{serve(sealed.folder, ranges=False)}/recordings/{ID}", "--last", "5s")
    assert code == 1
    assert "sends whole files only" in said
    assert "download the recording" in said


def test_a_shortened_recording_is_found_out_before_it_is_downloaded(clinic: Any, sound_24: Any, serve: Any) -> None:
    chunks, sound = sound_24
    manifest = (clinic.seal(chunks, sound).folder / MANIFEST_NAME).read_bytes()
    cut = clinic.seal(chunks, sound, most=20)
    (cut.folder / MANIFEST_NAME).write_bytes(manifest)
    code, said = clinic.fail(f"{serve(cut.folder)}/recordings/{ID}")
    assert (code, said.startswith("altered: ")) == (4, True)


def test_no_manifest_there_is_no_error(clinic: Any, sound_24: Any, serve: Any) -> None:
    sealed = clinic.seal(*sound_24)
    (sealed.folder / MANIFEST_NAME).unlink()
    assert clinic.open(f"{serve(sealed.folder)}/recordings/{ID}", "--last", "2")["manifest"] is None


def test_a_redirect_is_followed_on_the_same_host_only(clinic: Any, sound_24: Any, serve: Any) -> None:
    sealed = clinic.seal(*sound_24)
    home = serve(sealed.folder)
    clinic.open(f"{home}/moved/session.mp4.age", "--last", "2", "-o", "x.mp4")
    clinic.open(f"{home}/moved/session.mp4.age", "-o", "x.mp4")
    away = serve(sealed.folder, elsewhere=home.replace("127.0.0.1", "localhost"))
    code, said = clinic.fail(f"{away}/moved/session.mp4.age", "--last", "2")
    assert code == 6
    assert "points to another place: http://localhost" in said


def test_what_is_not_there_is_not_reachable(clinic: Any, sound_24: Any, serve: Any) -> None:
    sealed = clinic.seal(*sound_24)
    home = serve(sealed.folder)
    code, said = clinic.fail(f"{home}/recordings/{ID}/other.age")
    assert (code, "no recording at this address" in said) == (6, True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for words in ((), ("--last", "1")):
        code, said = clinic.fail(f"http://127.0.0.1:{port}/recordings/{ID}", *words)
        assert (code, "127.0.0.1 cannot be read: Connection refused" in said) == (6, True)


@pytest.mark.parametrize("address", ["http://", "https://a:b@box.example/x", "http://box:99999/"])
def test_an_address_that_makes_no_sense_is_wrong_usage(clinic: Any, address: str) -> None:
    code, said = clinic.fail(address)
    assert (code, "not an address" in said) == (2, True)


@pytest.mark.parametrize("whole", [True, False])
def test_a_connection_that_breaks_off_is_no_damage(clinic: Any, sound_24: Any, whole: bool) -> None:  # noqa: FBT001
    """The server promises a file and closes in the middle of it."""
    content = clinic.seal(*sound_24).file.read_bytes()

    def answer(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            part = f"HTTP/1.1 206 OK\r\nContent-Range: bytes 0-81935/{len(content)}\r\nContent-Length: 81936\r\n\r\n"
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n" if whole else part
            connection.sendall(head.encode() + content[:70_000])

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, args=(listener,))
        thread.start()
        words = () if whole else ("--last", "2")
        code, said = clinic.fail(f"http://127.0.0.1:{listener.getsockname()[1]}/lone.age", *words)
        thread.join()
    assert (code, "broke off" in said) == (6, True)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[str, str]:
    """A certificate for 127.0.0.1 that nobody vouches for, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "box")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (tmp_path / "box.pem").write_bytes(made.public_bytes(pem))
    (tmp_path / "box.key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return str(tmp_path / "box.pem"), str(tmp_path / "box.key.pem")


def test_a_certificate_has_to_be_vouched_for(clinic: Any, sound_24: Any, serve: Any, certificate: Any) -> None:
    sealed = clinic.seal(*sound_24)
    address = f"{serve(sealed.folder, tls=certificate)}/recordings/{ID}"
    code, said = clinic.fail(address, "--last", "2")
    assert (code, "the certificate of 127.0.0.1 is not to be trusted" in said) == (6, True)
    opened = clinic.run("open", address, "-i", clinic.key(), "--last", "2", SSL_CERT_FILE=certificate[0])
    assert opened.returncode == 0, opened.stderr.decode()


def test_whoever_stops_it_finds_nothing_half_done(clinic: Any, sound_24: Any) -> None:
    content = clinic.seal(*sound_24).file.read_bytes()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/lone.age"
        before = sorted(clinic.home.rglob("*"))
        with clinic.start("open", address, "-i", clinic.key()) as process:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n".encode())
                connection.sendall(content[:1_500_000])
                process.terminate()
                _, complaints = process.communicate()
    assert process.returncode == 1
    assert b"stopped; nothing was kept" in complaints
    assert sorted(clinic.home.rglob("*")) == before
