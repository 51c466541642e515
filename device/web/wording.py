"""Numbers and moments as people read them; all of it pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_SECOND_US: Final = 1_000_000
_SIZES: Final = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


@dataclass(frozen=True, slots=True)
class When:
    """A moment: ``wire`` for programs, ``local`` to read, ``utc`` to be exact."""

    wire: str
    local: str
    utc: str


def when(wire: str) -> When:
    """A moment as the wire writes it, in the computer's own zone; shown as it stands if it is no moment."""
    try:
        moment = datetime.fromisoformat(wire)
    except ValueError:
        return When(wire, wire, wire)
    utc = moment.astimezone(UTC)
    local = moment.astimezone()
    return When(wire, f"{local:%a} {local.day} {local:%b %Y, %H:%M}", f"{utc:%Y-%m-%d %H:%M:%S} UTC")


def day_text(moment: datetime) -> str:
    """A day of the computer's own zone: 3 Mar 2026."""
    local = moment.astimezone()
    return f"{local.day} {local:%b %Y}"


def time_text(unix_s: float) -> str:
    """A time of day by the computer's own clock: 14:05."""
    return f"{datetime.fromtimestamp(unix_s).astimezone():%H:%M}"


def second_text(unix_s: float) -> str:
    """The same to the second: 14:05:09."""
    return f"{datetime.fromtimestamp(unix_s).astimezone():%H:%M:%S}"


def clock_text(length_us: int) -> str:
    """A position or a running length: 0:07, 49:03, 1:02:03."""
    seconds = max(length_us, 0) // _SECOND_US
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def length_text(length_us: int) -> str:
    """A length in words: 7 s, 49 min 3 s, 1 h 2 min."""
    seconds = max(length_us, 0) // _SECOND_US
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def seconds_text(length_us: int) -> str:
    """A short length with tenths: 0.4 s."""
    return f"{max(length_us, 0) / _SECOND_US:.1f} s"


def size_text(size_bytes: int) -> str:
    """A size in decimal units, as file managers show it: 812 bytes, 65.5 kB, 1.24 GB."""
    for unit, name in _SIZES:
        if size_bytes >= unit:
            value = size_bytes / unit
            return f"{value:.3g} {name}" if value < 999.5 else f"{value:.0f} {name}"
    return f"{size_bytes} bytes"


def decibels_text(level: float) -> str:
    """A level with a real minus sign: −18.3."""
    return f"{level:.1f}".replace("-", "\N{MINUS SIGN}")


def sentence(words: str) -> str:
    """Words of the box as a sentence of their own."""
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")
