"""The clinic's certificate authority: believed for the clinic's own names and addresses, and for nothing else."""

from __future__ import annotations

import ipaddress
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from provisioning.clinic.authority import (
    Network,
    authority_certificate,
    authority_key,
    issue,
    new_authority_key,
)
from provisioning.errors import UsageError

NOW = datetime.now(UTC)
NETWORK = ipaddress.ip_network("192.168.7.0/24")


class Authority:
    def __init__(self, home: Path, *networks: Network) -> None:
        self.home = home
        self.key = authority_key(new_authority_key())
        self.certificate = authority_certificate(
            self.key, clinic="Practice", domains=["practice.internal", "local"], networks=networks, now=NOW
        )
        (home / "ca.crt").write_bytes(self.certificate)

    def believed(self, leaf: bytes, *words: str) -> bool:
        """Whether OpenSSL takes a certificate from a server of that name or address."""
        (self.home / "leaf.crt").write_bytes(leaf)
        command = [
            "openssl",
            "verify",
            "-x509_strict",
            "-purpose",
            "sslserver",
            "-CAfile",
            self.home / "ca.crt",
            *words,
        ]
        return subprocess.run([*command, self.home / "leaf.crt"], capture_output=True, check=False).returncode == 0

    def signs_anything(self, *others: x509.GeneralName) -> bytes:
        """What a thief of the key could sign: with no regard for what the authority may."""
        public = ec.generate_private_key(ec.SECP256R1()).public_key()
        issuer = x509.load_pem_x509_certificate(self.certificate)
        honest = x509.load_pem_x509_certificate(
            issue(self.certificate, self.key, names=["room-1.local"], addresses=[], public_key=public, now=NOW)
        )
        builder = x509.CertificateBuilder(issuer.subject, honest.subject, public, x509.random_serial_number())
        builder = builder.not_valid_before(honest.not_valid_before_utc).not_valid_after(honest.not_valid_after_utc)
        for extension in honest.extensions:
            value = extension.value
            if isinstance(value, x509.SubjectAlternativeName):
                value = x509.SubjectAlternativeName(others)
            builder = builder.add_extension(value, extension.critical)
        return builder.sign(self.key, SHA256()).public_bytes(Encoding.PEM)


def a_key() -> ec.EllipticCurvePublicKey:
    return ec.generate_private_key(ec.SECP256R1()).public_key()


def test_a_box_is_believed_by_its_name_and_its_address(tmp_path: Path) -> None:
    clinic = Authority(tmp_path, NETWORK)
    address = ipaddress.ip_address("192.168.7.31")
    leaf = issue(
        clinic.certificate,
        clinic.key,
        names=["room-1.practice.internal", "room-1.local"],
        addresses=[address],
        public_key=a_key(),
        now=NOW,
    )
    assert clinic.believed(leaf, "-verify_hostname", "room-1.practice.internal")
    assert clinic.believed(leaf, "-verify_hostname", "room-1.local")
    assert clinic.believed(leaf, "-verify_ip", str(address))
    assert not clinic.believed(leaf, "-verify_hostname", "room-2.local")


@pytest.mark.parametrize(
    ("names", "addresses"),
    [
        (["bank.example"], []),
        (["practice.internal.example"], []),
        (["xpractice.internal"], []),
        (["room-1.local"], ["192.168.8.1"]),
        (["room-1.local"], ["::1"]),
        ([], ["192.168.7.1"]),
    ],
)
def test_it_issues_nothing_that_is_not_the_clinics(tmp_path: Path, names: list[str], addresses: list[str]) -> None:
    clinic = Authority(tmp_path, NETWORK)
    with pytest.raises(UsageError, match="not good for"):
        issue(
            clinic.certificate,
            clinic.key,
            names=names,
            addresses=[ipaddress.ip_address(one) for one in addresses],
            public_key=a_key(),
            now=NOW,
        )


def test_whoever_steals_its_key_can_be_no_other_server(tmp_path: Path) -> None:
    clinic = Authority(tmp_path, NETWORK)
    assert clinic.believed(clinic.signs_anything(x509.DNSName("room-9.local")))
    for other in (
        x509.DNSName("bank.example"),
        x509.DNSName("practice.internal.example"),
        x509.IPAddress(ipaddress.ip_address("192.168.8.1")),
        x509.IPAddress(ipaddress.ip_address("2001:db8::1")),
    ):
        assert not clinic.believed(clinic.signs_anything(other)), other


def test_where_no_network_is_named_no_address_is_believed(tmp_path: Path) -> None:
    clinic = Authority(tmp_path)
    assert clinic.believed(clinic.signs_anything(x509.DNSName("room-9.local")))
    for address in ("192.168.7.1", "127.0.0.1", "::1"):
        assert not clinic.believed(clinic.signs_anything(x509.IPAddress(ipaddress.ip_address(address))))


def test_the_constraints_are_critical_and_it_makes_no_authority_beneath_it(tmp_path: Path) -> None:
    certificate = x509.load_pem_x509_certificate(Authority(tmp_path, NETWORK).certificate)
    assert certificate.extensions.get_extension_for_class(x509.NameConstraints).critical
    basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert basic.critical
    assert basic.value.path_length == 0
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)


@pytest.mark.parametrize("pem", [b"", b"nonsense", new_authority_key().replace(b"M", b"N", 1)])
def test_a_key_that_is_damaged_is_told(pem: bytes) -> None:
    with pytest.raises(UsageError):
        authority_key(pem)
