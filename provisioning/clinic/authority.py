"""The clinic's own certificate authority: P-256, and good for the clinic's own names and addresses alone.

The name constraints are critical (RFC 5280, 4.2.1.10): a browser that trusts it is asked to believe nothing of the rest
of the world, and whoever steals its key can pretend to be the clinic's boxes and nobody else.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provisioning.errors import UsageError
from provisioning.locked import unlock

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

YEARS: Final = 15  # longer than its boxes; what it signs is renewed all the time
LEAF_DAYS: Final = 90
_SLACK: Final = timedelta(hours=1)  # a box's clock may be behind
_LABEL: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_NOWHERE: Final = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))


def domain_of(text: str) -> str:
    """A domain beneath which boxes are called: ``practice.internal``, ``local``. Raises ``UsageError``."""
    if not _DOMAIN.fullmatch(text) or len(text) > 200:
        raise UsageError(f"{text[:60]!r} is no domain", "write it small and without a dot in front: practice.internal")
    return text


def network_of(text: str) -> Network:
    """A network in which boxes have their addresses: ``192.168.7.0/24``. Raises ``UsageError``."""
    try:
        return ipaddress.ip_network(text)
    except ValueError as problem:
        raise UsageError(f"{text[:60]!r} is no network", "write it like 192.168.7.0/24") from problem


def new_authority_key() -> bytes:
    """A new key, as PKCS #8 in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def authority_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    """The key out of its PEM. Raises ``UsageError``: that is none."""
    try:
        key = load_pem_private_key(pem, password=None)
    except ValueError as problem:
        raise UsageError("the authority's key is damaged", "restore it from a copy of the folder") from problem
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise UsageError("that is no key of a clinic's authority", "restore it from a copy of the folder")
    return key


def authority_certificate(
    key: ec.EllipticCurvePrivateKey, *, clinic: str, domains: Sequence[str], networks: Sequence[Network], now: datetime
) -> bytes:
    """Its certificate, in PEM: for names in these domains, and addresses in these networks or in none."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{clinic}: Sotto boxes"[:64])])
    public = key.public_key()
    permitted = [*(x509.DNSName(one) for one in domains), *(x509.IPAddress(one) for one in networks)]
    excluded = None if networks else [x509.IPAddress(one) for one in _NOWHERE]  # what is not named would be allowed
    builder = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SLACK)
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, excluded), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


def issue(
    authority: bytes,
    key: ec.EllipticCurvePrivateKey,
    *,
    names: Sequence[str],
    addresses: Sequence[Address],
    public_key: ec.EllipticCurvePublicKey,
    now: datetime,
    days: int = LEAF_DAYS,
) -> bytes:
    """A box's certificate, in PEM.

    Raises:
        UsageError: a name or an address is none of the clinic's, so no browser would believe it.
    """
    issuer = x509.load_pem_x509_certificate(authority)
    if not names or not all(_is_ours(issuer, one) for one in [*names, *addresses]):
        raise UsageError(
            "the clinic's authority is not good for all of these names", "take names and addresses that ca.crt allows"
        )
    others: list[x509.GeneralName] = [x509.DNSName(one) for one in names]
    others += [x509.IPAddress(one) for one in addresses]
    builder = (
        x509.CertificateBuilder(issuer_name=issuer.subject, public_key=public_key)
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])]))
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SLACK)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(others), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


def permitted(authority: bytes) -> tuple[list[str], list[Network]]:
    """The domains and the networks that an authority's certificate (PEM) is good for."""
    return _permitted(x509.load_pem_x509_certificate(authority))


def open_authority(locked: str, passphrase: str) -> ec.EllipticCurvePrivateKey:
    """The key out of the clinic's folder.

    Raises:
        WrongKeyError: that is not the folder's passphrase.
        AgeError, UsageError: it was damaged, or is none.
    """
    return authority_key(unlock(locked, passphrase, what="the clinic's folder"))


def _permitted(authority: x509.Certificate) -> tuple[list[str], list[Network]]:
    named = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    networks = [name.value for name in named if isinstance(name, x509.IPAddress)]
    domains = [name.value for name in named if isinstance(name, x509.DNSName)]
    return domains, [one for one in networks if not isinstance(one, Address)]


def _is_ours(authority: x509.Certificate, one: str | Address) -> bool:
    domains, networks = _permitted(authority)
    if isinstance(one, str):
        return any(one == domain or one.endswith(f".{domain}") for domain in domains)
    return any(one in network for network in networks)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
