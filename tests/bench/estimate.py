"""What the measured rows would be on a Raspberry Pi: a calculation with a range, and no measurement. Pure.

The factors, and what they rest on, stand in docs/performance.md ("On a Raspberry Pi").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.bench.figures import Row
from tests.bench.table import number


@dataclass(frozen=True, slots=True)
class Board:
    """How many times as long one core of it takes as one of the machine that measured: from, to."""

    name: str
    least: float
    most: float


BOARDS: Final = (Board("Raspberry Pi 4", 4.0, 6.0), Board("Raspberry Pi 5", 2.0, 3.0))
# Each row, what it is called, and what turns its unit into the one that is told.
_ROWS: Final = (
    ("live/flac-age", "sound, recorded live", 1 / 36, "% of a core"),
    ("live/floor", "the same at the bare floor", None, "% of a core"),
    ("live/packets", "picture from a hardware encoder, more than sound", 1.0, "% of a core"),
    ("picture/ultrafast", "sound and picture 720p25, coded in software", 1.0, "% of a core"),
    ("latency/ready", "program started to ready, from memory", 0.001, "s"),
)


def estimate(rows: Sequence[Row]) -> str:
    """A table for the documentation, of those rows that were measured."""
    named = {row.name: row for row in rows if not row.skipped}
    lines = [f"| by calculation | {' | '.join(board.name for board in BOARDS)} |", "|---" * (1 + len(BOARDS)) + "|"]
    for name, says, times, unit in _ROWS:
        row = named.get(name)
        if row is None:
            continue
        # The floor's own figure is its peer's.
        value = (row.peer_value or 0.0) / 36 if times is None else (row.value or 0.0) * times
        cells = [f"{number(value * board.least)} to {number(value * board.most)} {unit}" for board in BOARDS]
        lines.append(f"| {says} | {' | '.join(cells)} |")
    return "\n".join(lines)
