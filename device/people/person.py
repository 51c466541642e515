"""Who a person is to the box: a mark, a name, what they may do, and whose recordings they supervise."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from device.digests import random_hex

_MARK: Final = re.compile(r"[0-9a-f]{12}")


class Role(StrEnum):
    """What somebody is at the clinic (ARCHITECTURE, section 1). One person may be several."""

    THERAPIST = "therapist"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Person:
    """One person.

    ``mark`` stands for the person wherever nobody is to be named: in manifests, which the remote holds in the plain,
    and in the audit log. ``login`` is what they sign in with, ``name`` what colleagues call them; neither leaves the
    box. ``recipient`` is their age public key, by which their programs sign in. ``supervisees``: marks.
    """

    mark: str
    login: str
    name: str
    roles: frozenset[Role]
    recipient: str | None = None
    supervisees: frozenset[str] = frozenset()
    active: bool = True

    def is_a(self, role: Role) -> bool:
        """Whether the person has that role, and is still here."""
        return self.active and role in self.roles


def is_mark(text: str) -> bool:
    """Whether ``text`` can stand for a person."""
    return _MARK.fullmatch(text) is not None


def new_mark() -> str:
    """A mark that nobody has."""
    return random_hex(6)
