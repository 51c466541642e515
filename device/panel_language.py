"""How the panel shows where the session stands, and how the sounder says it (ARCHITECTURE.md §7).

Nobody has to see colour to read it. There are two lamps: the first is at CONSENT, the second at RECORD.

- Blue is the client's choice, counted from CONSENT: one lamp is sound, both are sound and picture.
- White is the box speaking, and a steady white is only ever at RECORD. So "sealed" (RECORD's lamp alone) differs from
  "armed" (CONSENT's lamp, or both) by place. Brightness would have been the other way, but nobody can tell a half-lit
  lamp from a lit one without seeing both; dim is used only where it is far from lit.
- What must be noticed moves, on both lamps: winks for "withdrawn", 1 Hz for "something wrong", 2 Hz for "cannot
  record". Trouble also has the room light on, which a fault never has. Framing moves most slowly, in the blue of the
  consent it stands on: the room light is on, for the camera is open, and nobody may take that for a recording.
  The same slow movement on CONSENT's lamp alone, with the room dark, is a consent to sound on a box that has no room
  for a picture: nobody may wonder why a second press did not light the second lamp.
- White that winks once every four seconds at RECORD, where idle is dim, says that recordings do not get to the clinic.
  Somebody should look, but nobody in the room, and recording is unaffected: so it is the calmest thing that moves.

Three pairs look alike on purpose: "kept" is idle to everybody who walks in; "refused" is a fault that lasts three
seconds; and while several people choose, a turn in which nothing is chosen looks idle, for nothing is allowed then.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from device.session_events import State, Tone
from device.words import Consent

if TYPE_CHECKING:
    from device.session import Session


class Colour(StrEnum):
    """The colour of a lamp; ``NONE`` where it is dark."""

    NONE = "none"
    WHITE = "white"
    BLUE = "blue"
    YELLOW = "yellow"


class Pattern(StrEnum):
    """How a lamp is lit. None flashes more than three times in any second."""

    OFF = "off"
    DIM = "dim"
    STEADY = "steady"
    WINK_THREE = "three winks, repeated"
    DARK_MOMENT = "a dark moment every 2 s"
    WINK_ONE = "one wink every 4 s"
    HZ_1 = "1 Hz"
    HZ_2 = "2 Hz"

    @property
    def beats_ms(self) -> tuple[int, ...]:
        """Milliseconds lit, dark, lit, dark ... and again from the start; empty where nothing changes."""
        return _BEATS_MS.get(self, ())


_BEATS_MS = {
    Pattern.WINK_THREE: (150, 250, 150, 250, 150, 1050),
    Pattern.DARK_MOMENT: (1700, 300),
    Pattern.WINK_ONE: (300, 3700),
    Pattern.HZ_1: (500, 500),
    Pattern.HZ_2: (250, 250),
}


@dataclass(frozen=True)
class Lamp:
    """One lamp: a colour and how it is lit."""

    colour: Colour
    pattern: Pattern


@dataclass(frozen=True)
class Face:
    """All that can be seen: the wide room light, and the lamps at CONSENT and at RECORD."""

    room_light: bool
    lamps: tuple[Lamp, Lamp]


@dataclass(frozen=True)
class Note:
    """Part of a tone: ``hz`` for ``ms`` milliseconds; 0 Hz is silence."""

    hz: int
    ms: int


_DARK = Lamp(Colour.NONE, Pattern.OFF)
_IDLE = (_DARK, Lamp(Colour.WHITE, Pattern.DIM))
_UNSYNCED = (_DARK, Lamp(Colour.WHITE, Pattern.WINK_ONE))
_FAULT = (Lamp(Colour.YELLOW, Pattern.HZ_2), Lamp(Colour.YELLOW, Pattern.HZ_2))

_LAMPS: dict[State, tuple[Lamp, Lamp]] = {
    State.IDLE: _IDLE,
    State.FRAMING: (Lamp(Colour.BLUE, Pattern.DARK_MOMENT), Lamp(Colour.BLUE, Pattern.DARK_MOMENT)),
    State.RECORDING: (_DARK, _DARK),
    State.TROUBLED: (Lamp(Colour.YELLOW, Pattern.HZ_1), Lamp(Colour.YELLOW, Pattern.HZ_1)),
    State.SEALING: (_DARK, _DARK),
    State.SEALED: (_DARK, Lamp(Colour.WHITE, Pattern.STEADY)),
    State.KEPT: _IDLE,
    State.WITHDRAWN: (Lamp(Colour.WHITE, Pattern.WINK_THREE), Lamp(Colour.WHITE, Pattern.WINK_THREE)),
    State.REFUSED: _FAULT,
    State.FAULT: _FAULT,
}

_IDLING = frozenset({State.IDLE, State.KEPT})

_NOTES: dict[Tone, tuple[Note, ...]] = {
    Tone.TICK: (Note(1000, 30),),
    Tone.RISING_TICK: (Note(800, 60), Note(1200, 80)),
    Tone.FOUR_TICKS: (*(Note(1000, 30), Note(0, 120)) * 3, Note(1000, 30)),
    Tone.TWO_SHORT: (Note(1000, 120), Note(0, 120), Note(1000, 120)),
    Tone.TWO_LOW: (Note(330, 300), Note(0, 150), Note(330, 300)),
    Tone.ONE_LONG: (Note(1000, 900),),
    Tone.THREE_FALLING: (Note(1200, 200), Note(900, 200), Note(600, 300)),
    Tone.THREE_LOW: (Note(330, 300), Note(0, 150), Note(330, 300), Note(0, 150), Note(330, 300)),
}


def face(session: Session, *, unsynced: bool = False) -> Face:
    """What the panel shows for this session now."""
    return face_of(session.state, session.shown, scant=session.context.scant, unsynced=unsynced)


def face_of(state: State, choice: Consent, *, scant: bool = False, unsynced: bool = False) -> Face:
    """What the panel shows in ``state``; ``choice`` is what is being chosen or has been given.

    ``scant``: the sound is all that there is room for, and the camera would be there. ``unsynced``: recordings wait for
    too long to get to the clinic; it shows while the box is idle, and never beside anything that somebody chose.

    The room light follows from the state alone, and is on exactly where a capture device may be open (P7).
    """
    if state in (State.ARMED, State.CHOOSING):
        return Face(room_light=False, lamps=_choice_lamps(state, choice, scant=scant))
    lamps = _UNSYNCED if unsynced and state in _IDLING else _LAMPS[state]
    return Face(room_light=state.captures, lamps=lamps)


def notes(tone: Tone) -> tuple[Note, ...]:
    """How the sounder says it. They differ in number and length too, for whoever cannot tell low from high."""
    return _NOTES[tone]


def _choice_lamps(state: State, choice: Consent, *, scant: bool) -> tuple[Lamp, Lamp]:
    if choice is Consent.NONE:
        return _IDLE
    given = Pattern.DARK_MOMENT if scant else Pattern.STEADY
    blue = Lamp(Colour.BLUE, given if state is State.ARMED else Pattern.DIM)
    return (blue, blue if choice is Consent.SOUND_AND_PICTURE else _DARK)
