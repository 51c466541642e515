"""The rows as text for a terminal and as Markdown for the documentation. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tests.bench.figures import Row

GROUPS: Final = {
    "live": "Sound, live",
    "memory": "Memory",
    "wakeups": "Wake-ups",
    "batch": "Sound, at full speed",
    "picture": "Picture",
    "disk": "The disk",
    "latency": "How long people wait",
    "press": "A press, with the real microphone code",
    "recovery": "After a cut",
    "verify": "Verified",
    "slice": "A slice",
    "reader": "In the reader",
    "sync": "Sync",
    "page": "The page",
    "scale": "As things grow",
}
_HEADS: Final = ("what", "sotto", "beside it", "ratio", "spread", "goal", "")


def number(value: float | None) -> str:
    """Three digits that count, and none behind the point where they say nothing."""
    if value is None:
        return ""
    for digits, above in ((0, 99.5), (1, 9.95), (2, 0.095)):
        if abs(value) >= above:
            return f"{value:.{digits}f}"
    return f"{value:.3f}"


def cells(row: Row) -> tuple[str, ...]:
    """One line."""
    if row.skipped:
        return (row.says, row.skipped, "", "", "", "", row.verdict)
    spread = row.ratios or row.ours
    between = f"{number(min(spread))} to {number(max(spread))}" if len(spread) > 1 else ""
    beside = f"{number(row.peer_value)} ({row.beside})" if row.theirs else ""
    goal = "" if row.at_most is None else f"at most {number(row.at_most)}" + ("×" if row.theirs else "")
    ratio = "" if row.ratio is None else f"{number(row.ratio)}×"
    return (row.says, f"{number(row.value)} {row.unit}", beside, ratio, between, goal, row.verdict)


def groups(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """The rows by what they are about, in the order of the table."""
    named = [(title, [row for row in rows if row.name.partition("/")[0] == group]) for group, title in GROUPS.items()]
    known = {row.name for _, some in named for row in some}
    strange = [row.name for row in rows if row.name not in known]
    if strange:
        raise ValueError(f"no group for {', '.join(strange)}")
    return [(title, some) for title, some in named if some]


def as_text(rows: Sequence[Row]) -> str:
    """For a terminal."""
    lines = [_HEADS, *(cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADS))]

    def laid(line: Sequence[str]) -> str:
        return "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()

    out = [laid(_HEADS)]
    for title, some in groups(rows):
        out += ["", title, *(laid(cells(row)) for row in some)]
    return "\n".join(out)


def as_markdown(rows: Sequence[Row]) -> str:
    """For the documentation, with the notes below."""
    out: list[str] = []
    for title, some in groups(rows):
        out += [f"### {title}", "", f"| {' | '.join(_HEADS)} |", "|---" * len(_HEADS) + "|"]
        out += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells(row))} |" for row in some]
        notes = dict.fromkeys(f"{row.says}: {row.note}." for row in some if row.note)
        out += ["", *(f"- {note}" for note in notes), *([""] if notes else [])]
    return "\n".join(out)


def measured_on(told: dict[str, Any]) -> str:
    """The line above the tables."""
    machine, load = told["machine"], told["load"]
    of = ", ".join(f"{value}" for value in machine["programs"].values() if value != "not installed")
    return (
        f"Measured on {told['at']}: {machine['processor']}, {machine['cores']} cores, Linux {machine['kernel']}, "
        f"Python {machine['python']}; {of}. Load {load['start'][0]} at the start and {load['end'][0]} at the end; "
        f"{told['took_s']:.0f} s in all."
    )
