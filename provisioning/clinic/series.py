"""The certificates of a box, made ahead: each for some months, each overlapping the next, together for two years.

The authority's key is locked in the clinic's folder and nowhere online, so a box cannot ask for the next one; it
changes over by itself (``device/tls_series.py``, docs/decisions/0011-certificates-ahead.md). Pure, but for chance.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from provisioning.clinic.authority import Address, issue
from provisioning.errors import UsageError

EACH_DAYS: Final = 100
STEP_DAYS: Final = 60  # so 40 days in which two of them hold
COUNT: Final = 12
ALL_DAYS: Final = (COUNT - 1) * STEP_DAYS + EACH_DAYS


@dataclass(frozen=True, slots=True)
class Dated:
    """One certificate (PEM), and the name of its file: the day on which it begins."""

    name: str
    pem: bytes


def new_page_key() -> ec.EllipticCurvePrivateKey:
    """A new key for a box's page (P-256)."""
    return ec.generate_private_key(ec.SECP256R1())


def as_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A key as nginx reads it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def issue_series(
    authority: bytes,
    key: ec.EllipticCurvePrivateKey,
    *,
    names: Sequence[str],
    addresses: Sequence[Address],
    public_key: ec.EllipticCurvePublicKey,
    now: datetime,
) -> tuple[Dated, ...]:
    """All certificates of a box, from now on for ``ALL_DAYS``. ``authority``: its certificate (PEM); ``key``: its key.

    Raises:
        UsageError: a name or an address is none of the clinic's.
    """
    starts = [now + timedelta(days=number * STEP_DAYS) for number in range(COUNT)]
    return tuple(
        Dated(
            f"{start:%Y-%m-%d}.pem",
            issue(
                authority,
                key,
                names=names,
                addresses=addresses,
                public_key=public_key,
                now=start,
                days=EACH_DAYS,
            ),
        )
        for start in starts
    )


def next_series(
    authority: bytes, key: ec.EllipticCurvePrivateKey, *, certificate: bytes, now: datetime
) -> tuple[Dated, ...]:
    """The certificates of a box that goes on, from now on: for the key and the names of one that it shows (PEM).

    No certificate but one of this authority is taken for the box's: else whoever answers in its place would get some.

    Raises:
        UsageError: it is none of this authority's, or its names are none of the clinic's any more.
    """
    shown = _ours(authority, certificate)
    public = shown.public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise UsageError("the box's certificate is for another kind of key", "give it a new card")
    told = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return issue_series(
        authority,
        key,
        names=told.get_values_for_type(x509.DNSName),
        addresses=[ipaddress.ip_address(str(one)) for one in told.get_values_for_type(x509.IPAddress)],
        public_key=public,
        now=now,
    )


def _ours(authority: bytes, certificate: bytes) -> x509.Certificate:
    try:
        shown = x509.load_pem_x509_certificate(certificate)
        shown.verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.InvalidVersion) as problem:
        raise UsageError(
            "that is no certificate of the clinic's authority", "is another computer answering in the box's place?"
        ) from problem
    return shown
