"""The chart for the README, an SVG that is readable in light and in dark. Pure.

Bars of what an hour of sound costs, of what each further one costs as things grow, and of each ratio beside its goal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape

from tests.bench.figures import Row
from tests.bench.table import number

_WIDTH: Final = 760
_LEFT: Final = 230
_BAR: Final = 18
_STEP: Final = 26
_ROOM: Final = _WIDTH - _LEFT - 150
_STYLE: Final = """
text { font: 13px system-ui, sans-serif; fill: #222 }
.title { font-weight: 600; font-size: 15px }
.ours { fill: #2f6f8f } .theirs { fill: #b9c3c9 } .goal { stroke: #b3261e; stroke-width: 2 } .small { font-size: 11px }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd } .ours { fill: #6fb3d2 } .theirs { fill: #55606a } .goal { stroke: #f2b8b5 }
}
"""


def chart(rows: Sequence[Row]) -> str:
    """All of it.

    Raises:
        KeyError: what it shows was not measured.
    """
    named = {row.name: row for row in rows if not row.skipped}
    parts, at = [], 24
    for title, bars in (("CPU seconds per hour of sound, recorded live", _live(named)), *_scales(named)):
        parts.append(_text(16, at, title, "title"))
        most = max(value for _, value, _ in bars)
        for number_of, (label, value, kind) in enumerate(bars):
            parts += _bar(at + 14 + number_of * _STEP, label, value, most, kind)
        at += 14 + len(bars) * _STEP + 30
    parts.append(_text(16, at, "Beside its goal (the line): shorter is better", "title"))
    judged = [row for row in named.values() if row.met is not None and row.ratio is not None]
    judged = [row for row in judged if not row.name.startswith("scale/")]  # they have bars of their own
    for number_of, row in enumerate(judged):
        parts += _to_goal(at + 14 + number_of * _STEP, row)
    at += 14 + len(judged) * _STEP + 12
    size = f'viewBox="0 0 {_WIDTH} {at}" width="{_WIDTH}" height="{at}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
    about = "<title>What recording costs, beside what one would pipe together in a shell</title>"
    return "\n".join([head, about, f"<style>{_STYLE}</style>", *parts, "</svg>", ""])


def _live(named: Mapping[str, Row]) -> list[tuple[str, float, str]]:
    """The box, then its peers."""
    rows = [named["live/flac-age"], *(named[name] for name in _MORE_PEERS if name in named)]
    ours = rows[0].value or 0.0
    peers = [(f"{row.beside} (C)" if row.beside == "floor" else row.beside, row.peer_value or 0.0) for row in rows]
    return [("sotto", ours, "ours"), *((label, value, "theirs") for label, value in peers)]


def _scales(named: Mapping[str, Row]) -> list[tuple[str, list[tuple[str, float, str]]]]:
    """What one unit more costs as there are more of them, beside the first ones; 1: in proportion."""
    bars = []
    for kind in ("session", "recordings", "boxes"):
        for name, row in named.items():
            if name.startswith(f"scale/{kind}-") and name.rpartition("-")[2].isdecimal() and "again" not in name:
                bars.append((f"{name.rpartition('-')[2]} {_UNITS[kind]}", row.ratio or 0.0, "ours"))
    return [("What each further one costs, beside the first (1: in proportion)", bars)] if bars else []


_MORE_PEERS: Final = ("live/ffmpeg-age", "live/ffmpeg-gpg", "live/floor")
_UNITS: Final = {"session": "minutes of session", "recordings": "recordings listed", "boxes": "boxes at one desk"}


def _bar(y: int, label: str, value: float, most: float, kind: str) -> list[str]:
    width = max(1.0, _ROOM * value / most)
    return [
        _text(_LEFT - 8, y + 14, label, "", end=True),
        f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR}" rx="2"/>',
        _text(_LEFT + width + 8, y + 14, number(value), ""),
    ]


def _to_goal(y: int, row: Row) -> list[str]:
    """The goal is the line, at a third of the room; what is more than three times too much ends at the edge."""
    assert row.ratio is not None
    assert row.at_most is not None
    goal_at = _LEFT + _ROOM / 3
    width = min(_ROOM, _ROOM / 3 * row.ratio / row.at_most)
    kind = "ours" if row.met else "theirs"
    return [
        _text(_LEFT - 8, y + 14, _short(row), "small", end=True),
        f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{max(1.0, width):.1f}" height="{_BAR}" rx="2"/>',
        f'<line class="goal" x1="{goal_at:.1f}" x2="{goal_at:.1f}" y1="{y - 2}" y2="{y + _BAR + 2}"/>',
        _text(_LEFT + max(width, _ROOM / 3) + 8, y + 14, f"{number(row.ratio)}× (goal {number(row.at_most)})", "small"),
    ]


def _short(row: Row) -> str:
    words = f"{row.name.replace('/', ': ')}"
    return words if len(words) <= 34 else f"{words[:33]}…"


def _text(x: float, y: float, words: str, kind: str, *, end: bool = False) -> str:
    anchor = ' text-anchor="end"' if end else ""
    of = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.0f}" y="{y:.0f}"{of}{anchor}>{escape(words)}</text>'
