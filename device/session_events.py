"""What the session machine hears and what it answers: plain frozen facts, no behaviour.

Hands speak through ``device.press`` (``Down``, ``Press``, ``Hold``, ``Both``, ``Stuck``, ``Freed``), which the machine
takes as they are. Everything else it can hear is here. The page's whole vocabulary is ``StopRequest``, ``MarkRequest``
and ``PeopleRequest``: consent and start do not exist in it.

Every ``at_us`` is an integer of monotonic microseconds. A ``recording`` is the ordinal that ``StartRecording`` gave
out, 1 for the first since the process started; the recorder echoes it in each report, so that a recording that is
still being sealed cannot be mistaken for the one that began ten seconds later.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from device.press import Both, Down, Freed, Hold, Press, Stuck
from device.words import Consent, Fate

MOST_PEOPLE = 12


class State(StrEnum):
    """Where one session, or the two minutes after it, stands."""

    IDLE = "idle"
    CHOOSING = "choosing"  # several people, their choices are under way
    ARMED = "armed"
    FRAMING = "framing"  # armed, the camera is looked through, nothing is recorded or stored
    RECORDING = "recording"
    TROUBLED = "troubled"  # recording, something wrong
    SEALING = "sealing"  # stopped, not yet durable; window open, fate kept
    SEALED = "sealed"  # durable, for the first seconds; window open, fate kept
    KEPT = "kept"  # the rest of the window, fate kept
    WITHDRAWN = "withdrawn"  # window open, fate withdrawn
    REFUSED = "refused"  # a start was refused a moment ago
    FAULT = "fault"  # cannot record

    @property
    def captures(self) -> bool:
        """Whether a capture device may be open (P7)."""
        return self.records or self is State.FRAMING

    @property
    def records(self) -> bool:
        """Whether a recording runs."""
        return self in (State.RECORDING, State.TROUBLED)


class Tone(StrEnum):
    """What the sounder can say; ``panel_language.notes`` says how."""

    TICK = "tick"
    RISING_TICK = "one rising tick"
    FOUR_TICKS = "four ticks"
    TWO_SHORT = "two short tones"
    TWO_LOW = "two low tones"
    ONE_LONG = "one long tone"
    THREE_FALLING = "three falling tones"
    THREE_LOW = "three low tones"


class Cause(StrEnum):
    """Why the machine stops a recording that is kept."""

    BUTTON = "button"
    BOTH_BUTTONS = "both buttons"
    PAGE = "page"
    MAXIMUM_LENGTH = "maximum length"


# -- time -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tick:
    """It is now ``at_us``; to be sent when ``Session.next_deadline_us`` has come. Early, late or extra does no harm."""

    at_us: int


# -- reports of the recorder ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Opened:
    """The microphone is open and the recording runs. Once for each ``StartRecording`` that worked."""

    recording: int
    at_us: int


@dataclass(frozen=True)
class Failed:
    """The recording could not be started; every device is closed again and nothing was recorded."""

    recording: int
    at_us: int
    what: str


@dataclass(frozen=True)
class Trouble:
    """Something is wrong with the recording, which goes on (``name`` as in "no sound", "no picture")."""

    recording: int
    at_us: int
    name: str


@dataclass(frozen=True)
class Well:
    """The trouble of that name is over."""

    recording: int
    at_us: int
    name: str


@dataclass(frozen=True)
class Ended:
    """The recorder stopped by itself (store full, source over); the devices are closed, what there is gets sealed."""

    recording: int
    at_us: int
    cause: str


@dataclass(frozen=True)
class Sealed:
    """The recording is complete and durable in the store, whatever its fate."""

    recording: int
    at_us: int


@dataclass(frozen=True)
class FramingLost:
    """The camera of that framing check could not be opened, or is gone; it is closed. ``framing``: its ordinal."""

    framing: int
    at_us: int
    what: str


Report: TypeAlias = Opened | Failed | Trouble | Well | Ended | Sealed | FramingLost


# -- health of the box ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fault:
    """The box cannot record until this is cleared (``name`` as in "no recipient"). Repeating it is harmless."""

    at_us: int
    name: str


@dataclass(frozen=True)
class FaultCleared:
    """The fault of that name is over. Harmless if it never stood."""

    at_us: int
    name: str


@dataclass(frozen=True)
class Offer:
    """The most that a client can choose, by the room in the store: ``sound``, or also the picture. May be repeated.

    No room even for the sound is a ``Fault``, and ``most=Consent.NONE`` a ``ValueError``.
    """

    at_us: int
    most: Consent

    def __post_init__(self) -> None:
        if self.most is Consent.NONE:
            msg = "a box that can record nothing has a fault"
            raise ValueError(msg)


# -- requests of the page ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StopRequest:
    """The page asks to stop the recording, which is kept, or the framing check."""

    at_us: int


@dataclass(frozen=True)
class MarkRequest:
    """The page asks for a bookmark at ``at_us``."""

    at_us: int


@dataclass(frozen=True)
class PeopleRequest:
    """The page says how many people will choose in the next session: 1 to 12, else ``ValueError``."""

    at_us: int
    people: int

    def __post_init__(self) -> None:
        if not 1 <= self.people <= MOST_PEOPLE:
            msg = f"people must be 1 to {MOST_PEOPLE}, not {self.people}"
            raise ValueError(msg)


Event: TypeAlias = (
    Down
    | Press
    | Hold
    | Both
    | Stuck
    | Freed
    | Tick
    | Report
    | Fault
    | FaultCleared
    | Offer
    | StopRequest
    | MarkRequest
    | PeopleRequest
)


# -- what is to be done -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StartRecording:
    """Open the devices that ``consent`` allows and record. ``choices``: what each person chose, in turn."""

    recording: int
    at_us: int
    consent: Consent
    choices: tuple[Consent, ...]


@dataclass(frozen=True)
class StartFraming:
    """Open the camera and nothing else, to look through it; what it sees is stored nowhere. ``framing``: an ordinal."""

    framing: int
    at_us: int


@dataclass(frozen=True)
class StopFraming:
    """Close that camera AT ONCE (P3: within 200 ms) and forget what it saw."""

    framing: int
    at_us: int


@dataclass(frozen=True)
class StopRecording:
    """Close the devices and seal what there is; it is kept unless turned over."""

    recording: int
    at_us: int
    cause: Cause


@dataclass(frozen=True)
class Withdraw:
    """Close the devices AT ONCE (P3: within 200 ms), then seal; the recording's fate is now withdrawn."""

    recording: int
    at_us: int


@dataclass(frozen=True)
class TurnOver:
    """The fate of the ended recording is now this one; write it down, erase nothing yet."""

    recording: int
    at_us: int
    fate: Fate


@dataclass(frozen=True)
class Settle:
    """The window has closed: ``KEPT`` leaves the recording alone, ``WITHDRAWN`` erases it. May come before ``Sealed``.

    Exactly one for every recording whose devices were opened.
    """

    recording: int
    at_us: int
    fate: Fate


@dataclass(frozen=True)
class Bookmark:
    """Mark this moment in the running recording."""

    recording: int
    at_us: int


@dataclass(frozen=True)
class Sound:
    """Let the sounder say this."""

    tone: Tone


Action: TypeAlias = (
    StartFraming | StopFraming | StartRecording | StopRecording | Withdraw | TurnOver | Settle | Bookmark | Sound
)
