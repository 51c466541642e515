"""The certificate that browsers are shown, as far as people want to know it. Its key is no part of it.

Pure, and nothing is judged here: whether a browser trusts it depends on the clinic's authority, which the box need not
know.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from device.errors import AdminError

_TOLD_FIRST: Final = (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
_KEY_MARK: Final = b"PRIVATE KEY-----"
# What cryptography says of one that is none: its parts are parsed one by one, when they are asked for.
_NO_CERTIFICATE: Final = (
    ValueError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


@dataclass(frozen=True, slots=True)
class TlsCertificate:
    """``names``: DNS names and addresses (RFC 5280, 4.2.1.6), the only ones that browsers go by (RFC 9525).

    ``fingerprint``: SHA-256 of the whole certificate, in pairs of letters as browsers show it. ``key_id``: SHA-256 of
    its public key (hex), by which it is told whether a private key is its own.
    """

    names: tuple[str, ...]
    issuer: str
    starts: datetime
    ends: datetime
    fingerprint: str
    key_id: str

    def holds_for(self, name: str) -> bool:
        """Whether a browser takes it for that name or address (in brackets, where it is an IPv6 address)."""
        bare = name.strip("[]").lower()
        above = bare.partition(".")[2]
        return any(own.lower() == bare or (above and own.lower() == f"*.{above}") for own in self.names)


def parse_certificate(pem: bytes) -> TlsCertificate:
    """The first certificate of a PEM file: the one that a server shows as its own (RFC 8446, 4.4.2).

    Raises:
        AdminError: there is none in it, or a private key is in it as well.
    """
    if _KEY_MARK in pem:
        raise AdminError(
            "the certificate's file holds a private key",
            "keep the key in a file of its own, which nginx alone may read; then give this box a new certificate",
        )
    try:
        return _told_of(x509.load_pem_x509_certificate(pem))
    except _NO_CERTIFICATE as problem:
        raise AdminError(
            "the certificate's file holds no certificate",
            "put the one there that the clinic's authority issued, as PEM",
        ) from problem


def _told_of(found: x509.Certificate) -> TlsCertificate:
    return TlsCertificate(
        names=_names(found),
        issuer=_told(found.issuer),
        starts=found.not_valid_before_utc,
        ends=found.not_valid_after_utc,
        fingerprint=found.fingerprint(SHA256()).hex(":").upper(),
        key_id=sha256(found.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest(),
    )


def key_id_of(pem: bytes) -> str:
    """The ``key_id`` of the certificates that belong to a private key.

    Raises:
        AdminError: that is none, or one that a passphrase locks.
    """
    try:
        public = load_pem_private_key(pem, password=None).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as problem:
        raise AdminError(
            "the key of the page's certificate is none, or is locked", "put the box's own key there, as PEM"
        ) from problem
    return sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def is_issued_by(pem: bytes, authority: bytes) -> bool:
    """Whether that very authority signed the first certificate of a PEM file, and not a bit of it changed since."""
    try:
        x509.load_pem_x509_certificate(pem).verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
    except (*_NO_CERTIFICATE, TypeError, InvalidSignature):
        return False
    return True


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        told = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return (*told.get_values_for_type(x509.DNSName), *map(str, told.get_values_for_type(x509.IPAddress)))


def _told(name: x509.Name) -> str:
    """Who that is: by the name that people know it by, else by all of its parts."""
    words = [str(part.value) for kind in _TOLD_FIRST for part in name.get_attributes_for_oid(kind)]
    return ", ".join(dict.fromkeys(words)) or name.rfc4514_string()
