"""The desk's own certificate: by it boxes know who asks. Its key is locked by the passphrase of the clinic's folder.

CLINIC/fleet/desk.key.age   P-256, PKCS #8 in PEM, locked
desk.crt       for clients alone (RFC 5280, 4.2.1.12), and for a month
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from ssl import PROTOCOL_TLS_CLIENT, SSLContext, SSLError, TLSVersion
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provisioning.clinic.authority import authority_key
from provisioning.clinic.folder import Folder
from provisioning.desk import FOLDER
from provisioning.errors import UsageError
from provisioning.locked import lock, unlock

if TYPE_CHECKING:
    from collections.abc import Iterator

DESK_DAYS: Final = 31
FLEET_NAME: Final = "fleet"
_KEY_NAME: Final = "desk.key.age"
_CERTIFICATE_NAME: Final = "desk.crt"
_SLACK: Final = timedelta(hours=1)  # a box's clock may be behind
_MAKE: Final = "make one with `sotto-clinic fleet key CLINIC`"
_USAGE: Final = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


def issue_desk(
    authority: bytes,
    key: ec.EllipticCurvePrivateKey,
    *,
    public_key: ec.EllipticCurvePublicKey,
    now: datetime,
    days: int = DESK_DAYS,
) -> bytes:
    """A desk's certificate, in PEM. It names no host, so that it can be nobody's page."""
    issuer = x509.load_pem_x509_certificate(authority)
    client = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    builder = (
        x509.CertificateBuilder(issuer_name=issuer.subject, public_key=public_key)
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sotto: the clinic's desk")]))
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SLACK)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_USAGE, critical=True)
        .add_extension(client, critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


def make_desk_key(folder: Folder, passphrase: str, *, now: datetime, days: int = DESK_DAYS) -> datetime:
    """A new key with a new certificate, in the clinic's folder; until when it holds.

    Raises:
        WrongKeyError, AgeError, UsageError, OutputError: the authority's key cannot be had, or nothing be written.
    """
    authority = unlock_ca(folder, passphrase)
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    made = issue_desk(folder.ca.read_bytes(), authority, public_key=key.public_key(), now=now, days=days)
    own = folder.path / FLEET_NAME
    own.mkdir(mode=0o700, exist_ok=True)
    folder.write(own / _KEY_NAME, lock(pem, passphrase).encode())
    folder.write(own / _CERTIFICATE_NAME, made)
    return now + timedelta(days=days)


def unlock_ca(folder: Folder, passphrase: str) -> ec.EllipticCurvePrivateKey:
    """The key of the clinic's authority. Raises as ``make_desk_key``."""
    try:
        return authority_key(unlock(folder.ca_key.read_text(encoding="ascii"), passphrase, what=FOLDER))
    except OSError as problem:
        raise UsageError(
            f"the authority's key cannot be read: {problem.strerror}", "restore it from a copy of the folder"
        ) from problem


def desk_trust(folder: Folder, passphrase: Callable[[], str]) -> SSLContext:
    """How this desk speaks to boxes: it trusts the clinic's authority alone, and shows its own certificate.

    Raises:
        UsageError: there is none, or it ended.
        WrongKeyError, AgeError: the key cannot be unlocked.
    """
    own = folder.path / FLEET_NAME
    try:
        locked, certificate = (own / _KEY_NAME).read_text(encoding="ascii"), (own / _CERTIFICATE_NAME).read_bytes()
        ends = x509.load_pem_x509_certificate(certificate).not_valid_after_utc
        trusted = folder.ca.read_text(encoding="ascii")
    except (OSError, ValueError) as problem:
        raise UsageError("this desk has no certificate by which boxes know it", _MAKE) from problem
    if ends <= datetime.now(UTC):
        raise UsageError("the certificate by which boxes know this desk ended", _MAKE)
    context = SSLContext(PROTOCOL_TLS_CLIENT)
    context.minimum_version = TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=trusted)
    try:
        with _in_memory(unlock(locked, passphrase(), what=FOLDER) + certificate) as path:
            context.load_cert_chain(path)
    except SSLError as problem:
        raise UsageError("the key and the certificate of this desk do not belong together", _MAKE) from problem
    return context


@contextmanager
def _in_memory(pem: bytes) -> Iterator[Path]:
    """A name for it: Python reads keys from files only. It is in memory where this machine has a place for that."""
    shm = Path("/dev/shm")  # noqa: S108  # a folder that only we can read is made in it
    with tempfile.TemporaryDirectory(dir=shm if shm.is_dir() else None) as folder:
        path = Path(folder) / "desk.pem"
        path.touch(mode=0o600)
        path.write_bytes(pem)
        yield path
