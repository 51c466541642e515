"""How much of a recording somebody sees; pure.

The rule of the house: a therapist sees their own recordings, a supervisor those of the people they supervise as well.
An admin sees the facts of every recording, because somebody has to notice one without sound, and the content of none.
Where nobody was checked in when it was recorded, it belongs to nobody: an admin sees that it is there.
"""

from __future__ import annotations

from enum import IntEnum

from device.people.person import Person, Role
from device.web.visitor import By, Visitor


class Sight(IntEnum):
    """How much somebody sees; more includes less."""

    NOTHING = 0  # not even that it exists
    FACTS = 1  # when, how long, what was consented to, how the sound was
    CONTENT = 2  # the sealed bytes, the signed manifest, and what lies beside them


def sight_of(visitor: Visitor | None, therapist: str | None) -> Sight:
    """How much of a recording ``visitor`` sees; ``therapist``: the mark of whose it is, if it is anybody's."""
    if visitor is None or visitor.by is By.KIOSK:
        return Sight.NOTHING
    person = visitor.person
    if therapist is not None and (_is_own(person, therapist) or _is_supervised(person, therapist)):
        return Sight.CONTENT
    return Sight.FACTS if person.is_a(Role.ADMIN) else Sight.NOTHING


def _is_own(person: Person, therapist: str) -> bool:
    return person.is_a(Role.THERAPIST) and person.mark == therapist


def _is_supervised(person: Person, therapist: str) -> bool:
    return person.is_a(Role.SUPERVISOR) and therapist in person.supervisees
