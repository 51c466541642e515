"""What is read out of a certificate, beside OpenSSL's own reading of it."""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from device.errors import AdminError
from device.tls_certificate import TlsCertificate, parse_certificate
from tests.remote.certificates import DAY, NAME, Authority, apart
from tests.support import said

ROOM = "room-3.practice.example"
NAMES = (ROOM, "*.east.example", "192.0.2.7", "fd00::1")


def issued(authority: Authority, *names: str) -> bytes:
    return apart(authority.issue(*names))[0]


def test_it_says_what_openssl_says(authority: Authority, tmp_path: Path) -> None:
    pem = issued(authority, ROOM, "192.0.2.7", "fd00::1")
    (tmp_path / "page.pem").write_bytes(pem)
    found = parse_certificate(pem)
    words = ["openssl", "x509", "-in", tmp_path / "page.pem", "-noout", "-fingerprint", "-sha256", "-enddate"]
    told = said(words).decode()
    assert f"={found.fingerprint}\n" in told
    ends = re.search(r"notAfter=(.*)", told)
    assert ends
    assert found.ends == datetime.fromtimestamp(ssl.cert_time_to_seconds(ends[1]), UTC)
    assert found.names == (ROOM, "192.0.2.7", "fd00::1")
    assert found.issuer == NAME
    assert found.ends - found.starts == 31 * DAY


def test_the_first_of_a_chain_is_the_servers_own(authority: Authority) -> None:
    pem = issued(authority, ROOM)
    assert parse_certificate(pem + authority.pem) == parse_certificate(pem)


@pytest.mark.parametrize(
    "name", [ROOM, "ROOM-3.practice.example", "room-9.east.example", "192.0.2.7", "[fd00::1]", "[FD00::1]"]
)
def test_it_holds_for_its_own_names(authority: Authority, name: str) -> None:
    assert parse_certificate(issued(authority, *NAMES)).holds_for(name)


@pytest.mark.parametrize(
    "name",
    ["room-4.practice.example", "a.room-9.east.example", "east.example", "192.0.2.8", "[fd00::2]", "example", ""],
)
def test_it_holds_for_no_other(authority: Authority, name: str) -> None:
    assert not parse_certificate(issued(authority, *NAMES)).holds_for(name)


def test_without_a_name_it_holds_for_nobody(authority: Authority) -> None:
    found = parse_certificate(issued(authority))
    assert found.names == ()
    assert not found.holds_for("")


def test_a_file_with_a_key_in_it_is_refused_before_anything_is_read(authority: Authority) -> None:
    for pem in (both := authority.issue(ROOM), apart(both)[0] + apart(both)[1], apart(both)[1]):
        with pytest.raises(AdminError, match="private key") as refused:
            parse_certificate(pem)
        assert "new certificate" in refused.value.hint


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"-----BEGIN CERTIFICATE-----\n",
        b"\0" * 99,
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ],
)
def test_what_is_no_certificate_is_refused(pem: bytes) -> None:
    with pytest.raises(AdminError, match="no certificate"):
        parse_certificate(pem)


def test_a_certificate_that_was_cut_anywhere_is_refused_in_words(authority: Authority) -> None:
    pem = issued(authority, ROOM)
    for length in range(0, len(pem) - 2, 7):
        with pytest.raises(AdminError, match="no certificate"):
            parse_certificate(pem[:length])
    assert isinstance(parse_certificate(pem), TlsCertificate)


def changed(pem: bytes, was: bytes, now: bytes) -> bytes:
    """The same certificate with a part of its body altered; its signature holds no longer, which is not looked at."""
    body = ssl.PEM_cert_to_DER_cert(pem.decode())
    assert body.count(was) == 1
    return ssl.DER_cert_to_PEM_cert(body.replace(was, now)).encode()


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (b"\x06\x03\x55\x1d\x23", b"\x06\x03\x55\x1d\x11"),  # its names stand there twice
        (b"\x82\x17" + ROOM.encode(), b"\xa3\x17" + ROOM.encode()),  # a name of X.400
        (b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07"),  # version 8
    ],
)
def test_a_certificate_whose_parts_cannot_be_is_refused_in_words(authority: Authority, was: bytes, now: bytes) -> None:
    """One flipped bit made names of what was none, once in some hundred certificates, and the page did not start."""
    with pytest.raises(AdminError, match="no certificate"):
        parse_certificate(changed(issued(authority, ROOM), was, now))
