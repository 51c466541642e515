"""The ladder: how much picture there may be, decided from load, heat, room and what waits. Pure.

Lower frame rate, then lower bitrate, then no picture; the sound is not on it, so nothing here can touch the sound. Down
at once, up one rung a minute and only when what sent it down is over by a margin; a picture that was given up stays so
for the rest of the recording. What cannot be read is taken as it was last known, never as good.

The limits are chosen, not measured on a box: the firmware of a Pi 4 or 5 begins to slow its processor at 80 °C, and a
processor that is always waited for delays the camera's program long before the microphone's thread, which goes first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Final

from device.words import RUNGS, Rung

UP_AFTER_US: Final = 60_000_000
GIVE_UP_AFTER_US: Final = 10_000_000  # one bad reading must not cost the rest of the picture


@dataclass(frozen=True, slots=True)
class Readings:
    """What is known of the box at one moment; ``None``: it could not be read."""

    pressure_percent: float | None = None  # of the last ten seconds, something waited for a processor (PSI)
    load: float | None = None  # tasks that run or wait, per processor; where there is no pressure to be read
    temperature_c: float | None = None
    under_voltage: bool | None = None
    sound_spare_bytes: int | None = None  # room beyond what the rest of the session's sound needs
    picture_spare_bytes: int | None = None  # and beyond what its picture needs, too
    picture_late_s: float | None = None  # how old a picture is when it arrives
    picture_waiting_s: float | None = None  # how much picture waits for the disk
    sound_waiting_s: float | None = None  # how much sound does

    def since(self, older: Readings) -> Readings:
        """These, with what is not known now as it was before."""
        unknown = {
            name: getattr(older, name) for name in (field.name for field in fields(self)) if getattr(self, name) is None
        }
        return replace(self, **unknown)


@dataclass(frozen=True, slots=True)
class _Strain:
    """One thing that can be too much: ``value`` grows with it, and from each limit on it asks for a rung."""

    cause: str
    value: Callable[[Readings], float | None]
    half_rate: float | None
    low_bitrate: float | None
    no_picture: float | None
    ease: float  # so far below a limit it has to come before it counts as over
    at_once: bool = False  # it does not come and go: nothing is gained by waiting before the picture is given up

    def asks(self, readings: Readings, *, ease: float) -> Rung:
        value = self.value(readings)
        limits = zip(RUNGS[1:], (self.half_rate, self.low_bitrate, self.no_picture), strict=True)
        passed = [rung for rung, limit in limits if value is not None and limit is not None and value >= limit - ease]
        return passed[-1] if passed else Rung.WHOLE


def _short_of(spare_bytes: int | None) -> float | None:
    return None if spare_bytes is None else -spare_bytes


EASED: Final = "what was too much has eased"
_BUSY: Final = "the processor has too much to do"
_FULL: Final = "the store has too little room"
_MIB: Final = 1 << 20
#                                                                      half rate  bitrate  none   ease
STRAINS: Final = (
    _Strain(_BUSY, lambda r: r.pressure_percent,                            80.0,    95.0, None,  20.0),
    _Strain(_BUSY, lambda r: r.load,                                         2.0,     4.0, None,   0.5),
    _Strain("the box is too hot", lambda r: r.temperature_c,                76.0,    80.0, 84.0,   4.0),
    _Strain("the power supply is too weak", lambda r: r.under_voltage,      None,     1.0, None,   0.5),
    _Strain(_FULL, lambda r: _short_of(r.picture_spare_bytes),              None,     1.0, None,  64.0 * _MIB),
    _Strain(_FULL, lambda r: _short_of(r.sound_spare_bytes),                None,    None,  1.0,   0.0, at_once=True),
    _Strain("the camera's program is too slow", lambda r: r.picture_late_s,  2.0,     4.0, None,   1.5),
    _Strain("the storage is too slow", lambda r: r.picture_waiting_s,        2.0,     4.0, None,   1.5),
    _Strain("the storage is too slow", lambda r: r.sound_waiting_s,          4.0,     8.0, 20.0,   3.0),
)  # fmt: skip


def _worst(readings: Readings, *, eased: bool) -> tuple[Rung, str, bool]:
    """The lowest rung that anything asks for, why, and whether at once. ``eased``: what is not yet over asks, too."""
    worst, cause, at_once = Rung.WHOLE, "", False
    for strain in STRAINS:
        rung = strain.asks(readings, ease=strain.ease if eased else 0.0)
        if rung.depth > worst.depth or (rung is worst and strain.at_once):
            worst, cause, at_once = rung, strain.cause, strain.at_once
    return worst, cause, at_once


@dataclass(frozen=True, slots=True)
class Ladder:
    """Where the picture stands, and what that was decided from."""

    rung: Rung = Rung.WHOLE
    cause: str = ""  # why it is no longer where it was
    known: Readings = Readings()
    calm_since_us: int | None = None
    grave_since_us: int | None = None

    def step(self, readings: Readings, now_us: int) -> Ladder:
        """Where it stands from ``now_us`` on; to be called about once a second."""
        known = readings.since(self.known)
        asked, cause, at_once = _worst(known, eased=False)
        grave = asked is Rung.NO_PICTURE
        since_us = now_us if self.grave_since_us is None else self.grave_since_us
        if grave and not at_once and now_us - since_us < GIVE_UP_AFTER_US:
            asked = Rung.LOW_BITRATE
        here = replace(self, known=known, calm_since_us=None, grave_since_us=since_us if grave else None)
        if self.rung is Rung.NO_PICTURE:
            return here
        if asked.depth > self.rung.depth:
            return replace(here, rung=asked, cause=cause)
        if _worst(known, eased=True)[0].depth >= self.rung.depth:
            return here
        calm_since_us = now_us if self.calm_since_us is None else self.calm_since_us
        if now_us - calm_since_us < UP_AFTER_US:
            return replace(here, calm_since_us=calm_since_us)
        return replace(here, rung=RUNGS[self.rung.depth - 1], cause=EASED)
