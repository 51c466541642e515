"""The certificate that the page is reached by: whose it is, how long it holds, and what to do before it ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from device.errors import AdminError
from device.tls_certificate import TlsCertificate, parse_certificate
from device.tls_series import Series, read_series
from device.web.house import House
from device.web.says import Wrong
from device.web.texts import text
from device.web.wording import When, sentence, when

WARN_DAYS: Final = 30
_DAY: Final = timedelta(days=1)
_MOST_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Tls:
    """``certificate``: none where it cannot be read; then ``wrong`` says why. ``left``: how long it still holds.

    Where there are several, made ahead, ``ends`` and ``left`` are those of the last that follows without a gap.
    """

    certificate: TlsCertificate | None
    ends: When | None
    left: str
    wrong: tuple[Wrong, ...]


def tls_of(house: House) -> Tls | None:
    """The certificate as it is now; none where the page is for this computer alone, which asks for none."""
    path = house.setup.certificate
    if path is None:
        return None
    now = datetime.fromtimestamp(house.unix_s(), UTC)
    try:
        if path.is_dir():
            return _of_series(_series(house, path), now, names=house.front.names)
        certificate = parse_certificate(_read(path))
    except AdminError as problem:
        return Tls(None, None, "", (_as_told(problem),))
    return Tls(
        certificate,
        ends=when(certificate.ends.isoformat()),
        left=_left(certificate.ends, now),
        wrong=tuple(_wrong(certificate, now, ends=certificate.ends, names=house.front.names)),
    )


def _series(house: House, folder: Path) -> Series:
    """Raises ``AdminError``: there is none that could be shown."""
    authority = house.setup.authority
    return read_series(folder, authority=None if authority is None else _read(authority))


def _of_series(series: Series, now: datetime, *, names: tuple[str, ...]) -> Tls:
    shown, ends = series.at(now).certificate, series.until(now)
    wrong = _wrong(shown, now, ends=ends, names=names, ahead=True)
    return Tls(
        shown,
        ends=when(ends.isoformat()),
        left=_left(ends, now),
        wrong=(*wrong, *map(_as_told, series.left_out)),
    )


def _as_told(problem: AdminError) -> Wrong:
    return Wrong(sentence(problem.what), sentence(problem.hint))


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


def _left(ends: datetime, now: datetime) -> str:
    days = (ends - now) // _DAY
    if days < 0:
        return text("tls.left.none")
    return text("tls.left.one") if days == 1 else text("tls.left.many", days=days)


def _wrong(
    certificate: TlsCertificate, now: datetime, *, ends: datetime, names: tuple[str, ...], ahead: bool = False
) -> Iterator[Wrong]:
    """What keeps browsers out, or soon will. ``ahead``: the clinic sends several at a time."""
    if now >= ends:
        yield _told("tls.ended", do="tls.ended.ahead" if ahead else "")
    elif now >= ends - WARN_DAYS * _DAY:
        yield _told("tls.ends_soon", do="tls.ends_soon.ahead" if ahead else "")
    if now < certificate.starts:
        yield _told("tls.early")
    others = [name for name in names if not certificate.holds_for(name)]
    if others:
        yield Wrong(text("tls.other_names", names=", ".join(others)), text("tls.other_names.do"))


def _told(key: str, *, do: str = "") -> Wrong:
    return Wrong(text(key), text(f"{do or key}.do"))
