"""Every face of the panel once, from the box's own table: what the therapist's card has to explain.

Faces that look alike on purpose (``device/panel_language.py``) are one, under the name of the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from device.panel_language import Face, face_of
from device.session_events import State
from device.words import Consent


@dataclass(frozen=True, slots=True)
class Shown:
    """A face, and the name by which the papers' texts know it: the state's, with what was chosen."""

    name: str
    face: Face


def faces() -> tuple[Shown, ...]:
    """All of them, in the order in which a session meets them; none looks like another."""
    first: dict[Face, str] = {}
    for name, face in _all():
        first.setdefault(face, name)
    return tuple(Shown(name, face) for face, name in first.items())


def _all() -> Iterator[tuple[str, Face]]:
    for state in State:
        if state in (State.CHOOSING, State.ARMED):
            for choice in Consent:
                yield f"{state}_{choice}", face_of(state, choice)
            yield f"{state}_scant", face_of(state, Consent.SOUND, scant=True)
        else:
            yield str(state), face_of(state, Consent.NONE)
    yield "unsynced", face_of(State.IDLE, Consent.NONE, unsynced=True)
