"""People come, change and go: each a change of the clinic's file, and what the log is told of it; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from device.recording.audited import Happened, What, Who
from provisioning.clinic_file import ClinicFile, Listed
from provisioning.errors import UsageError

# Which value of a person is told by which word of the log; a login has none of its own.
_WORDS: Final[Mapping[str, str]] = {
    "name": "name",
    "login": "other",
    "roles": "roles",
    "recipient": "key",
    "supervisees": "supervisees",
}


@dataclass(frozen=True, slots=True)
class Change:
    """The clinic's file as it will be, and what happened."""

    book: ClinicFile
    happened: tuple[Happened, ...]


def find(book: ClinicFile, login: str) -> Listed:
    """Whoever has that login, or mark. Raises ``UsageError``."""
    for one in book.people:
        if login in (one.login, one.mark):
            return one
    known = ", ".join(one.login for one in book.people[:20]) or "nobody"
    raise UsageError(f"nobody here has the login {login[:40]!r}", f"the clinic has {known}")


def marks_of(book: ClinicFile, logins: Sequence[str]) -> list[str]:
    """The marks of those who are named. Raises ``UsageError``."""
    return sorted({find(book, login).mark for login in logins})


def add(book: ClinicFile, *, mark: str, values: Mapping[str, Any]) -> Change:
    """Somebody comes. Raises ``UsageError``: their login or mark is another's, or a value will not do."""
    changed = book.changed(people=[*_as_json(book), {"mark": mark, **values}])
    return Change(changed, (_told(mark, "added"),))


def change(book: ClinicFile, login: str, values: dict[str, Any]) -> Change:
    """Something of somebody changes; nothing happened where nothing is other than before. Raises ``UsageError``."""
    mark = find(book, login).mark
    people = [one | values if one["mark"] == mark else one for one in _as_json(book)]
    changed = book.changed(people=people)
    before, after = find(book, mark), find(changed, mark)
    differ = [name for name in _WORDS if getattr(before, name) != getattr(after, name)]
    return Change(changed, tuple(_told(mark, _WORDS[name]) for name in differ))


def remove(book: ClinicFile, login: str) -> Change:
    """Somebody goes, and supervises nobody and is supervised by nobody any more. Raises ``UsageError``."""
    mark = find(book, login).mark
    left = [
        one | {"supervisees": [other for other in one["supervisees"] if other != mark]}
        for one in _as_json(book)
        if one["mark"] != mark
    ]
    return Change(book.changed(people=left), (_told(mark, "ended"),))


def _as_json(book: ClinicFile) -> list[dict[str, Any]]:
    people: list[dict[str, Any]] = json.loads(book.model_dump_json())["people"]
    return people


def _told(mark: str, word: str) -> Happened:
    return Happened(What.PERSON_CHANGED, by=Who.CLINIC, facts={"whom": mark, "change": word})
