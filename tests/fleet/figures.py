"""Figures of a fleet: spread, fairness, peaks; pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """How something is spread over many."""

    p50: float
    p99: float
    most: float

    def __str__(self) -> str:
        return f"{self.p50:.2f} / {self.p99:.2f} / {self.most:.2f}"


def spread(values: Iterable[float]) -> Spread:
    """Median, 99th percentile (nearest rank) and the most."""
    ordered = sorted(values)
    if not ordered:
        return Spread(0.0, 0.0, 0.0)

    def rank(part: float) -> float:
        return ordered[max(0, math.ceil(part * len(ordered)) - 1)]

    return Spread(rank(0.5), rank(0.99), ordered[-1])


def jain(shares: Iterable[float]) -> float:
    """Jain's index of fairness: 1 where all get the same, 1/n where one gets all (DEC-TR-301, 1984)."""
    got = list(shares)
    squares = sum(share * share for share in got)
    return sum(got) ** 2 / (len(got) * squares) if squares else 1.0


def per_bin(moments_s: Iterable[float], *, start_s: float, end_s: float, bin_s: float) -> list[int]:
    """How many moments fall in each bin of that length."""
    counted = Counter(int((at_s - start_s) // bin_s) for at_s in moments_s if start_s <= at_s < end_s)
    return [counted[place] for place in range(max(1, math.ceil((end_s - start_s) / bin_s)))]


def drawn(counts: Sequence[int], *, width: int = 60) -> str:
    """Counts as a row of blocks, the highest full."""
    step = max(1, math.ceil(len(counts) / width))
    sums = [sum(counts[place : place + step]) for place in range(0, len(counts), step)]
    top = max(sums, default=0) or 1
    return "".join(" ▁▂▃▄▅▆▇█"[math.ceil(8 * one / top)] for one in sums)


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows as text, a column for each key of the first."""
    heads = list(rows[0])
    lines = [heads, *[[_text(row.get(head, "")) for head in heads] for row in rows]]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    return "\n".join("  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)) for line in lines)


def _text(value: object) -> str:
    return (
        f"{value:.3g}"
        if isinstance(value, float) and abs(value) < 100
        else f"{value:,.0f}"
        if isinstance(value, float)
        else str(value)
    )
