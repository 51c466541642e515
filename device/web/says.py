"""What the page says about the status, in words: one place for the page with and without JavaScript.

Pure: a status and whether it is stale in, sentences out. A stale status is never turned into a sentence about the room:
all that is then said is that the capture service does not answer (ARCHITECTURE, P7).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from device.status import LampStatus, LevelStatus, Status
from device.web.texts import TEXTS, text, text_or
from device.web.wording import clock_text, decibels_text, seconds_text, sentence
from device.words import Consent

# What is not durable after this long is late: a cut would cost more than the second that P5 allows, and the way here.
DURABLE_WITHIN_US: Final = 2_000_000
_LOW_MINUTES: Final = 120
_LENGTH_TOLD_S: Final = 300
_BY_HAND: Final = frozenset({"button", "both buttons", "page", "withdrawn"})
_WINDOW_STATES: Final = frozenset({"sealing", "sealed", "kept"})
_SIMULATED_ORDER: Final = ("microphone", "camera", "panel")

Light = Literal["on", "off", "unknown"]


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something wrong: what happened, what to do."""

    what: str
    hint: str


@dataclass(frozen=True, slots=True)
class Says:
    """The state of the box in sentences. ``kind`` is the state, or ``gone`` where nothing is known."""

    kind: str
    headline: str
    details: tuple[str, ...]
    shown: str  # what the panel shows, in one sentence
    light: Light
    light_text: str
    lamps: tuple[str, str]
    tone: str
    capturing: bool
    well: bool
    well_text: str
    well_why: str
    elapsed: str
    level: str
    devices: str
    wrong: tuple[Wrong, ...]
    simulated: str
    sync: str = ""  # what is told of sync beside it (``device/web/syncing.py``)


def says(status: Status | None, *, stale: bool) -> Says:
    """What there is to say about this status."""
    if status is None or stale:
        return _gone(simulated=_simulated(status) if status else "")
    light: Light = "on" if status.panel.room_light else "off"
    headline = _headline(status)
    well, well_text, well_why = _well(status)
    recording = status.recording
    return Says(
        kind=status.state,
        headline=headline,
        details=tuple(_details(status)),
        shown=_shown(light, headline),
        light=light,
        light_text=text(f"room.light.{light}"),
        lamps=(_lamp(status.panel.lamps[0]), _lamp(status.panel.lamps[1])),
        tone=text("tone.last", tone=status.panel.tone) if status.panel.tone else text("tone.none"),
        capturing=recording is not None,
        well=well,
        well_text=well_text,
        well_why=well_why,
        elapsed=clock_text(recording.elapsed_us) if recording else text("elapsed.none"),
        level=_level(status.level),
        devices=_devices(status),
        wrong=tuple(_wrong(status)),
        simulated=_simulated(status),
    )


def _gone(*, simulated: str) -> Says:
    headline = text("state.gone")
    return Says(
        kind="gone",
        headline=headline,
        details=(text("state.gone.do"),),
        shown=_shown("unknown", headline),
        light="unknown",
        light_text=text("room.light.unknown"),
        lamps=(text("lamp.unknown"), text("lamp.unknown")),
        tone=text("tone.unknown"),
        capturing=False,
        well=False,
        well_text="",
        well_why="",
        elapsed=text("elapsed.none"),
        level=text("level.unknown"),
        devices=text("devices.unknown"),
        wrong=(),
        simulated=simulated,  # how the box is built does not grow old
    )


def consent_text(consent: Consent) -> str:
    """The consent in words."""
    return text(f"consent.{consent}")


def _headline(status: Status) -> str:
    consent = status.recording.consent if status.recording else status.consent
    return text_or(
        f"state.{status.state}",
        "state.other",
        state=status.state,
        consent=consent_text(consent),
        choice=consent_text(_choice_shown(status)),
        person=min(len(status.choices) + 1, status.people),
        people=status.people,
    )


def _choice_shown(status: Status) -> Consent:
    """The choice under way, as the blue lamps count it: none, one, both."""
    lit = sum(lamp.colour == "blue" for lamp in status.panel.lamps)
    return tuple(Consent)[lit]


def _details(status: Status) -> Iterator[str]:
    if f"state.{status.state}.do" in _DETAILS:
        yield text(f"state.{status.state}.do")
    if status.state == "armed" and status.consent is Consent.SOUND_AND_PICTURE:
        yield text("state.armed.framing")
    if status.state in ("armed", "framing") and status.armed_left_s is not None:
        yield text(f"state.{status.state}.left", seconds=max(round(status.armed_left_s), 0))
    yield from _ends(status)
    yield from _room(status)
    if not status.clock_trusted:
        yield text("clock.untrusted")


def _ends(status: Status) -> Iterator[str]:
    """When the recording will end, why the last one did, and how long its window lasts."""
    left_s = status.recording.ends_in_s if status.recording else None
    if left_s is not None and left_s <= _LENGTH_TOLD_S:
        yield text("length.left", left=clock_text(round(left_s * 1e6)))
    if status.last is not None:
        end = status.last.end
        if end is not None and end not in _BY_HAND:
            yield text("ended.by_itself", why=TEXTS.get(f"end.{end}", end))
        if window := _window(status.state):
            yield text(window, left=clock_text(round(status.last.window_left_s * 1e6)))
    if status.sealing and status.state not in ("sealing", "withdrawn"):
        yield text("sealing.also")


def _room(status: Status) -> Iterator[str]:
    """What there is too little room for."""
    chosen_from = status.recording is None and status.state != "fault" and not status.faults
    if chosen_from and not status.room_for_picture:
        yield text("store.sound_only")
    if status.store_minutes_left < _LOW_MINUTES:
        yield text("store.low", minutes=status.store_minutes_left)


_DETAILS: Final = frozenset(
    f"state.{state}.do"
    for state in ("idle", "choosing", "armed", "framing", "recording", "troubled", "refused", "fault")
)


def _window(state: str) -> str | None:
    if state in _WINDOW_STATES:
        return "state.window.kept"
    return "state.window.withdrawn" if state == "withdrawn" else None


def _well(status: Status) -> tuple[bool, str, str]:
    """Whether it records well, the verdict, and why; three things have to hold, and the first that fails is named."""
    recording = status.recording
    if recording is None:
        return False, "", ""
    if recording.troubles:
        return False, text("unwell.trouble"), ""
    lag_us = max(recording.elapsed_us - recording.durable_us, 0)
    if lag_us > DURABLE_WITHIN_US:
        return False, text("unwell.durable", lag=seconds_text(lag_us)), ""
    if status.level is None:
        return False, text("unwell.unknown"), ""
    if not status.level.above_floor:
        return False, text("unwell.quiet"), ""
    return True, text("well"), text("well.why", lag=seconds_text(lag_us))


def _wrong(status: Status) -> Iterator[Wrong]:
    for name in status.recording.troubles if status.recording else ():
        known = f"trouble.{name}"
        yield Wrong(TEXTS.get(known, sentence(name)), text_or(f"{known}.do", "trouble.other.do"))
    for what, hint in (*status.faults, *status.warnings):
        yield Wrong(sentence(what), sentence(hint))


def _shown(light: Light, headline: str) -> str:
    return text("shown.with", light=text(f"shown.light.{light}"), state=headline)


def _lamp(lamp: LampStatus) -> str:
    if lamp.pattern == "off" or lamp.colour == "none":
        return text("lamp.none")
    return text_or(f"lamp.{lamp.pattern}", "lamp.other", colour=lamp.colour, pattern=lamp.pattern)


def _level(level: LevelStatus | None) -> str:
    if level is None:
        return text("level.none")
    peak = decibels_text(level.peak_dbfs)
    if level.loudness_lufs is None:
        return text("level.peak_only", peak=peak)
    return text("level.value", peak=peak, loudness=decibels_text(level.loudness_lufs))


def _devices(status: Status) -> str:
    user = status.recording or status.framing
    if user is None or not user.devices_open:
        return text("devices.none")
    words = {name: text("devices.open" if name in user.devices_open else "devices.closed") for name in _DEVICES}
    return text("devices.some", **words)


_DEVICES: Final = ("microphone", "camera")


def _simulated(status: Status) -> str:
    known = [name for name in _SIMULATED_ORDER if name in status.simulated]
    others = [name for name in status.simulated if name not in _SIMULATED_ORDER]
    if not (known or others):
        return ""
    parts = [text_or(f"simulated.{name}", "simulated.other", what=name) for name in (*known, *others)]
    return text("simulated", what="; ".join(parts))
