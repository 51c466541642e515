"""Certificates for servers on this machine, from an authority that nobody else trusts."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


NAME = "an authority of the tests"


class Authority:
    """Issues certificates, each for the names and addresses that it is told. ``ends``: when it does so itself."""

    def __init__(self, *, ends: timedelta = 30 * DAY) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
        made = _unsigned(self._name, self._name, self._key, starts=-DAY, ends=ends)
        usage = x509.KeyUsage(*(False,) * 5, True, True, False, False)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self._certificate = made.add_extension(usage, critical=True).sign(self._key, hashes.SHA256())

    @property
    def pem(self) -> bytes:
        """What a box has to trust."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, *names: str, starts: timedelta = -DAY, ends: timedelta = 30 * DAY) -> bytes:
        """Certificate and key in one PEM, that hold from ``starts`` to ``ends``, counted from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = _unsigned(x509.Name([]), self._name, key, starts=starts, ends=ends)
        if names:
            made = made.add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=True)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = made.add_extension(identifier, critical=False).sign(self._key, hashes.SHA256())
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return private + certificate.public_bytes(serialization.Encoding.PEM)


def apart(pem: bytes) -> tuple[bytes, bytes]:
    """The certificate of what was issued, and its key, as a box keeps them."""
    key, mark, certificate = pem.partition(b"-----BEGIN CERTIFICATE-----")
    return mark + certificate, key


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _unsigned(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, starts: timedelta, ends: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(now + starts).not_valid_after(now + ends)
    return made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
