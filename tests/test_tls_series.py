"""The certificates of a box, made ahead by the clinic's authority: which is shown when, on a clock that is moved."""

from __future__ import annotations

import base64
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from device.errors import AdminError
from device.tls_certificate import is_issued_by, key_id_of, parse_certificate
from device.tls_series import SETTLED, Series, read_series
from provisioning.clinic.authority import authority_certificate, authority_key, issue, new_authority_key
from provisioning.clinic.series import ALL_DAYS, COUNT, as_pem, issue_series, new_page_key, next_series
from provisioning.errors import UsageError

MADE = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NAMES = ["room-3.practice.internal", "room-3.local"]
ADDRESS = ipaddress.ip_address("192.168.7.31")


@dataclass
class Clinic:
    """An authority, and the folder of a box with what it issued."""

    folder: Path

    def __post_init__(self) -> None:
        self.key = authority_key(new_authority_key())
        self.authority = authority_certificate(
            self.key,
            clinic="Practice",
            domains=["practice.internal", "local"],
            networks=[ipaddress.ip_network("192.168.7.0/24")],
            now=MADE,
        )
        self.page_key = new_page_key()
        self.folder.mkdir()
        for one in issue_series(
            self.authority,
            self.key,
            names=NAMES,
            addresses=[ADDRESS],
            public_key=self.page_key.public_key(),
            now=MADE,
        ):
            (self.folder / one.name).write_bytes(one.pem)

    @property
    def key_id(self) -> str:
        return key_id_of(as_pem(self.page_key))

    def read(self) -> Series:
        return read_series(self.folder, key_id=self.key_id, authority=self.authority)

    def adds(self, name: str, *, starts: datetime, days: int, key: ec.EllipticCurvePrivateKey | None = None) -> Path:
        """One more certificate in the folder."""
        public = (key or self.page_key).public_key()
        pem = issue(
            self.authority, self.key, names=NAMES, addresses=[ADDRESS], public_key=public, now=starts, days=days
        )
        (self.folder / name).write_bytes(pem)
        return self.folder / name


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return Clinic(tmp_path / "page")


def test_over_two_years_and_more_one_that_holds_is_shown_at_every_hour(clinic: Clinic) -> None:
    series = clinic.read()
    assert len(series.members) == COUNT
    assert ALL_DAYS >= 730
    shown, changes, now = series.at(MADE), 0, MADE
    while now < MADE + timedelta(days=ALL_DAYS):
        one = series.at(now)
        assert one.certificate.starts <= now < one.certificate.ends, now
        assert one.certificate.starts >= shown.certificate.starts, "it goes back to an older one"
        changes += one != shown
        shown, now = one, now + HOUR
    assert changes == COUNT - 1
    assert shown == series.members[-1]


def test_each_holds_for_the_box_alone_and_as_a_server_alone(clinic: Clinic) -> None:
    for one in clinic.read().members:
        pem = one.path.read_bytes()
        certificate = x509.load_pem_x509_certificate(pem)
        assert one.certificate.names == (*NAMES, str(ADDRESS))
        uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert [use.dotted_string for use in uses] == ["1.3.6.1.5.5.7.3.1"]  # serverAuth (RFC 5280, 4.2.1.12)
        assert is_issued_by(pem, clinic.authority)
        assert one.path.name == f"{one.certificate.starts + HOUR:%Y-%m-%d}.pem"


def test_the_next_one_takes_over_a_day_after_its_beginning_as_other_clocks_are_behind(clinic: Clinic) -> None:
    series = clinic.read()
    first, second, *_ = series.members
    begins = second.certificate.starts
    assert series.at(begins) == first
    assert series.at(begins + SETTLED - HOUR) == first
    assert series.at(begins + SETTLED) == second
    assert first.certificate.ends > begins + 30 * DAY  # it need not be pressed for time


def test_a_clock_that_is_before_the_first_is_taken_to_be_wrong_and_the_first_is_shown(clinic: Clinic) -> None:
    series = clinic.read()
    for wrong in (datetime(1970, 1, 1, tzinfo=UTC), MADE - 2 * HOUR):
        assert series.at(wrong) == series.members[0]
        assert series.until(wrong) == series.members[-1].certificate.ends


def test_once_all_are_over_it_is_the_last_one_that_browsers_complain_of(clinic: Clinic) -> None:
    series = clinic.read()
    after = MADE + timedelta(days=ALL_DAYS + 300)
    assert series.at(after) == series.members[-1]
    assert series.until(after) == series.members[-1].certificate.ends < after


def test_an_expired_one_is_never_shown_while_another_holds_however_they_came(clinic: Clinic) -> None:
    """A short one that was put there later must not be clung to, nor what it takes over from be forgotten."""
    clinic.adds("0-short.pem", starts=MADE + 10 * DAY, days=3)
    series = clinic.read()
    for hours in range(40 * 24):
        now = MADE + hours * HOUR
        assert series.at(now).certificate.ends > now


def test_how_long_there_are_some_ends_where_a_gap_begins(clinic: Clinic) -> None:
    series = clinic.read()
    assert series.until(MADE) == series.members[-1].certificate.ends
    for gone in series.members[4:6]:
        gone.path.unlink()
    series = clinic.read()
    assert series.until(MADE) == series.members[3].certificate.ends
    in_the_gap = series.members[3].certificate.ends + HOUR
    assert series.at(in_the_gap) == series.members[3]
    assert series.until(in_the_gap) == series.members[3].certificate.ends


def test_a_certificate_for_another_key_is_left_out_and_told(clinic: Clinic) -> None:
    other = clinic.adds("2026-12-01.pem", starts=MADE + 5 * DAY, days=90, key=new_page_key())
    series = clinic.read()
    assert len(series.members) == COUNT
    assert other not in [one.path for one in series.members]
    (problem,) = series.left_out
    assert "2026-12-01.pem is not for the page's key" in problem.what


def test_where_none_fits_the_key_nothing_is_shown_and_the_reason_is_told(clinic: Clinic) -> None:
    with pytest.raises(AdminError, match="is not for the page's key on this box"):
        read_series(clinic.folder, key_id=key_id_of(as_pem(new_page_key())), authority=clinic.authority)


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # so it is with some bits, and here it is left out anyway
def test_one_flipped_bit_anywhere_in_a_certificate_and_it_is_left_out(clinic: Clinic) -> None:
    path = sorted(clinic.folder.iterdir())[0]
    whole = path.read_bytes()
    body = x509.load_pem_x509_certificate(whole).public_bytes(Encoding.DER)
    for at in range(0, len(body), 3):
        changed = bytearray(body)
        changed[at] ^= 1 << (at % 8)
        path.write_bytes(as_certificate(bytes(changed)))
        series = clinic.read()
        assert path not in [one.path for one in series.members], f"byte {at}"
        assert len(series.left_out) == 1
    path.write_bytes(whole)
    assert clinic.read().left_out == ()


def as_certificate(body: bytes) -> bytes:
    lines = base64.encodebytes(body).decode()
    return f"-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n".encode()


def test_of_another_authority_none_is_shown(clinic: Clinic, tmp_path: Path) -> None:
    other = Clinic(tmp_path / "other")
    with pytest.raises(AdminError, match="not of the clinic's authority"):
        read_series(clinic.folder, authority=other.authority)


@pytest.mark.parametrize("there", [False, True])
def test_no_folder_and_an_empty_one_are_told(tmp_path: Path, *, there: bool) -> None:
    folder = tmp_path / "page"
    if there:
        folder.mkdir()
        (folder / "README").write_text("none")
    with pytest.raises(AdminError) as problem:
        read_series(folder)
    assert problem.value.hint


def test_a_box_that_goes_on_gets_the_next_ones_for_the_key_that_it_has(clinic: Clinic) -> None:
    later = MADE + 400 * DAY
    shown = clinic.read().at(later)
    fresh = next_series(clinic.authority, clinic.key, certificate=shown.path.read_bytes(), now=later)
    for path in clinic.folder.iterdir():
        path.unlink()
    for one in fresh:
        (clinic.folder / one.name).write_bytes(one.pem)
    series = clinic.read()
    assert series.left_out == ()
    assert series.at(later).certificate.names == shown.certificate.names
    assert series.until(later) > later + 730 * DAY


def test_nobody_gets_certificates_by_showing_one_of_another_authority(clinic: Clinic, tmp_path: Path) -> None:
    other = Clinic(tmp_path / "other")
    theirs = other.read().members[0].path.read_bytes()
    with pytest.raises(UsageError, match="no certificate of the clinic's authority"):
        next_series(clinic.authority, clinic.key, certificate=theirs, now=MADE)
    with pytest.raises(UsageError):
        next_series(clinic.authority, clinic.key, certificate=b"none", now=MADE)


@pytest.mark.parametrize("pem", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"])
def test_a_key_that_is_none_is_told(pem: bytes) -> None:
    with pytest.raises(AdminError, match="is none, or is locked"):
        key_id_of(pem)


def test_a_key_of_another_kind_fits_its_own_certificate_alone(clinic: Clinic) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    assert key_id_of(pem) != clinic.key_id
    assert parse_certificate(clinic.read().members[0].path.read_bytes()).key_id == clinic.key_id
