"""The certificate that the page is reached by: whose it is, how long it holds, and what to do before it ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from device.errors import AdminError
from device.tls_certificate import TlsCertificate, parse_certificate
from device.web.house import House
from device.web.says import Wrong
from device.web.texts import text
from device.web.wording import When, sentence, when

WARN_DAYS: Final = 30
_DAY: Final = timedelta(days=1)
_MOST_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Tls:
    """``certificate``: none where it cannot be read; then ``wrong`` says why. ``left``: how long it still holds."""

    certificate: TlsCertificate | None
    ends: When | None
    left: str
    wrong: tuple[Wrong, ...]


def tls_of(house: House) -> Tls | None:
    """The certificate as it is now; none where the page is for this computer alone, which asks for none."""
    path = house.setup.certificate
    if path is None:
        return None
    try:
        certificate = parse_certificate(_read(path))
    except AdminError as problem:
        return Tls(None, None, "", (Wrong(sentence(problem.what), sentence(problem.hint)),))
    now = datetime.fromtimestamp(house.unix_s(), UTC)
    return Tls(
        certificate,
        ends=when(certificate.ends.isoformat()),
        left=_left(certificate, now),
        wrong=tuple(_wrong(certificate, now, names=house.front.names)),
    )


def _read(path: Path) -> bytes:
    """Anew each time: a new certificate is there without a restart of the page.

    Raises:
        AdminError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES)
    except OSError as problem:
        raise AdminError(text("tls.unread", why=problem.strerror), text("tls.unread.do")) from problem


def _left(certificate: TlsCertificate, now: datetime) -> str:
    days = (certificate.ends - now) // _DAY
    if days < 0:
        return text("tls.left.none")
    return text("tls.left.one") if days == 1 else text("tls.left.many", days=days)


def _wrong(certificate: TlsCertificate, now: datetime, *, names: tuple[str, ...]) -> Iterator[Wrong]:
    """What keeps browsers out, or soon will."""
    if now >= certificate.ends:
        yield _told("tls.ended")
    elif now >= certificate.ends - WARN_DAYS * _DAY:
        yield _told("tls.ends_soon")
    if now < certificate.starts:
        yield _told("tls.early")
    others = [name for name in names if not certificate.holds_for(name)]
    if others:
        yield Wrong(text("tls.other_names", names=", ".join(others)), text("tls.other_names.do"))


def _told(key: str) -> Wrong:
    return Wrong(text(key), text(f"{key}.do"))
