"""The panel's faces and tones as SVG inside a page. Nothing of it needs colour: what is lit has rays, and a strip.

The strip beside a lamp is four seconds of it: where it is filled the lamp is lit, where it is empty the lamp is dark.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log2
from typing import Final

from device.panel_language import Colour, Face, Lamp, Note, Pattern

_WIDTH: Final = 62  # all in tenths of a millimetre or so; the page says how large it is
_HEIGHT: Final = 19
_STRIP_MS: Final = 4000
_STRIP: Final = 14
_FILLS: Final = {Colour.NONE: "#fff", Colour.WHITE: "#fff", Colour.BLUE: "#1d5fd0", Colour.YELLOW: "#f5b800"}
_RED: Final = "#d92b1a"
_MS_WIDE: Final = 0.042
_LOWEST_HZ: Final = 330


def face_svg(face: Face, *, says: str, strips: bool = True) -> str:
    """The room light on top, the lamp at CONSENT on the left and the one at RECORD on the right.

    ``says``: it in words; ``strips``: with what each lamp does in four seconds beside it.
    """
    parts = [*_room_light(lit=face.room_light)]
    for lamp, left in zip(face.lamps, (1, _WIDTH / 2 + 1), strict=True):
        parts += _lamp(lamp, left=left if strips else left + 8)
        parts += _strip(lamp.pattern, left=left + 13) if strips else ()
    return _svg(_WIDTH, _HEIGHT, parts, kind="face", says=says)


def tone_svg(notes: Sequence[Note], *, says: str) -> str:
    """One bar a note: as long as it lasts, as high as it is."""
    parts, at = [], 0.5
    for note in notes:
        width = note.ms * _MS_WIDE
        if note.hz:
            high = 4 + 5 * log2(note.hz / _LOWEST_HZ)
            parts.append(f'<rect x="{at:.1f}" y="{15 - high:.1f}" width="{width:.1f}" height="{high:.1f}"/>')
        at += width
    parts.append('<path d="M0 15.6H58" stroke="#777" stroke-width=".5"/>')
    return _svg(58, 16.5, parts, kind="tone", says=says)


def _room_light(*, lit: bool) -> Iterator[str]:
    fill, line = (_RED, "#000") if lit else ("none", "#999")
    yield f'<rect x="8" y="3" width="46" height="4" rx="2" fill="{fill}" stroke="{line}" stroke-width=".7"/>'
    if lit:
        for x in range(10, 56, 6):
            yield f'<path d="M{x} 1.9V0M{x} 8.1V10" stroke="#000" stroke-width=".9"/>'


def _lamp(lamp: Lamp, *, left: float) -> Iterator[str]:
    """A lamp, with rays where it is lit and not dim."""
    dark = lamp.pattern is Pattern.OFF
    faint = lamp.pattern is Pattern.DIM
    fill, line = _FILLS[lamp.colour], "#999" if dark else "#000"
    opacity = ' fill-opacity=".35"' if faint else ""
    yield f'<circle cx="{left + 5}" cy="14" r="3.6" fill="{fill}"{opacity} stroke="{line}" stroke-width=".7"/>'
    if not dark and not faint:
        for x, y in ((0, -1), (0.7, -0.7), (1, 0), (0.7, 0.7), (0, 1), (-0.7, 0.7), (-1, 0), (-0.7, -0.7)):
            ray = f"M{left + 5 + 4 * x:.1f} {14 + 4 * y:.1f}l{1.3 * x:.1f} {1.3 * y:.1f}"
            yield f'<path d="{ray}" stroke="#000" stroke-width=".7"/>'


def _strip(pattern: Pattern, *, left: float) -> Iterator[str]:
    """Where it is filled the lamp is lit; low where it is dim."""
    high = 1.2 if pattern is Pattern.DIM else 4
    yield f'<path d="M{left} 16.3h{_STRIP}" stroke="#999" stroke-width=".4"/>'
    for at_ms, for_ms in _lit(pattern):
        x, width = left + at_ms * _STRIP / _STRIP_MS, for_ms * _STRIP / _STRIP_MS
        yield f'<rect x="{x:.2f}" y="{16 - high:.1f}" width="{width:.2f}" height="{high}"/>'


def _lit(pattern: Pattern) -> Iterator[tuple[int, int]]:
    """When a lamp is lit within the strip, and for how long, in milliseconds."""
    if pattern is Pattern.OFF:
        return
    beats, at_ms, number = pattern.beats_ms or (_STRIP_MS,), 0, 0
    while at_ms < _STRIP_MS:
        beat_ms = min(beats[number % len(beats)], _STRIP_MS - at_ms)
        if number % 2 == 0:
            yield at_ms, beat_ms
        at_ms, number = at_ms + beat_ms, number + 1


def _svg(width: float, height: float, parts: Sequence[str], *, kind: str, says: str) -> str:
    box = f'viewBox="0 0 {width} {height}" preserveAspectRatio="xMinYMid"'
    return f'<svg class="{kind}" {box} role="img" aria-label="{says}">{"".join(parts)}</svg>'
