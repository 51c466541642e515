"""The certificates that the page is reached by, made ahead: of a folder of them the one that is shown now.

The clinic's authority is not online, so it signs a box's certificates for years in advance, each for some months, one
overlapping the next (docs/decisions/0011-certificates-ahead.md). Nothing but their dates says when which holds. They
are read from the disk; the rest is pure.

A clock may be wrong. One that is behind the first certificate's beginning surely is, as nobody made it before: then it
is that beginning. One that is behind otherwise picks one that browsers refuse, until it is set right, which is looked
after at once (systemd/sotto-certificate.timer).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from device.errors import AdminError
from device.tls_certificate import TlsCertificate, is_issued_by, parse_certificate

SETTLED: Final = timedelta(days=1)
"""So long after its beginning one takes over: the clock of whoever looks may be behind the box's."""
MOST_BYTES: Final = 256 * 1024
_MOST: Final = 200
_SUFFIX: Final = ".pem"
_NEW: Final = "have the clinic send new ones: `sotto-clinic fleet rotate-certificates`"


@dataclass(frozen=True, slots=True)
class Member:
    """One of them, and its file."""

    path: Path
    certificate: TlsCertificate


@dataclass(frozen=True, slots=True)
class Series:
    """All that can be shown, one at least, by their beginnings. ``left_out``: why others cannot."""

    members: tuple[Member, ...]
    left_out: tuple[AdminError, ...] = ()

    def at(self, now: datetime) -> Member:
        """The one to show: of those that hold the one that began last, and a day ago where there is such a one.

        Where none holds it is the one whose end is the least ago: browsers then say what is wrong.
        """
        now = self._believed(now)
        holding = [one for one in self.members if one.certificate.starts <= now < one.certificate.ends]
        settled = [one for one in holding if one.certificate.starts <= now - SETTLED]
        if best := settled or holding:
            return max(best, key=lambda one: (one.certificate.starts, one.certificate.ends))
        begun = [one for one in self.members if one.certificate.starts <= now]
        return max(begun, key=lambda one: one.certificate.ends)

    def until(self, now: datetime) -> datetime:
        """How long there is always one that holds, from now on; where none does, when the last one ended."""
        end = self.at(now).certificate.ends
        for one in self.members:
            if one.certificate.starts <= end and self._believed(now) < end:
                end = max(end, one.certificate.ends)
        return end

    def _believed(self, now: datetime) -> datetime:
        return max(now, self.members[0].certificate.starts)


def read_series(folder: Path, *, key_id: str | None = None, authority: bytes | None = None) -> Series:
    """The certificates in a folder. ``key_id``: of the key that they have to fit; ``authority``: who has to have issued
    them, in PEM. What is not looked at is left at ``None``.

    Raises:
        AdminError: the folder cannot be read, or no certificate in it can be shown; the first reason is told.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == _SUFFIX)[:_MOST]
    except OSError as problem:
        raise _unread(problem) from problem
    members, left_out = [], []
    for path in paths:
        try:
            members.append(Member(path, _checked(path, key_id=key_id, authority=authority)))
        except AdminError as problem:
            left_out.append(problem)
    if not members:
        raise left_out[0] if left_out else AdminError(f"there is no certificate in {folder}", _NEW)
    return Series(tuple(sorted(members, key=lambda one: one.certificate.starts)), tuple(left_out))


def _checked(path: Path, *, key_id: str | None, authority: bytes | None) -> TlsCertificate:
    try:
        with path.open("rb") as file:
            pem = file.read(MOST_BYTES)
    except OSError as problem:
        raise _unread(problem) from problem
    try:
        found = parse_certificate(pem)
    except AdminError as problem:
        raise AdminError(f"{path.name}: {problem.what}", problem.hint) from problem
    if authority is not None and not is_issued_by(pem, authority):
        raise AdminError(f"{path.name} was changed, or is not of the clinic's authority", _NEW)
    if key_id is not None and found.key_id != key_id:
        raise AdminError(
            f"{path.name} is not for the page's key on this box", f"a certificate of another key is of no use: {_NEW}"
        )
    return found


def _unread(problem: OSError) -> AdminError:
    return AdminError(
        f"the page's certificates cannot be read: {problem.strerror}", "docs/nginx.md says who has to be able to"
    )
