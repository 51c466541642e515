"""The harness's own arithmetic: pairs in turn, medians, ratios, goals and growth. Pure; it measures nothing.

A ratio is the median of the ratios of pairs, not the ratio of medians: what disturbed one pair disturbed both of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final, TypeVar

_Taken = TypeVar("_Taken")
FEWEST_PAIRS: Final = 5


def in_turn(rounds: int, parts: Mapping[str, Callable[[], _Taken]]) -> dict[str, list[_Taken]]:
    """Each part once per round; who begins moves on by one each round, so that no part always follows the same."""
    names = list(parts)
    taken: dict[str, list[_Taken]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            taken[name].append(parts[name]())
    return taken


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was measured, beside what, and what was asked for.

    ``ours`` and ``theirs``: one of each per pair, in ``unit``; ``theirs`` is empty where a figure stands alone.
    ``at_most``: the goal, of the ratio where there is one, else of the figure. ``skipped``: why nothing was measured.
    """

    name: str
    says: str
    unit: str
    ours: tuple[float, ...] = ()
    theirs: tuple[float, ...] = ()
    beside: str = ""
    at_most: float | None = None
    note: str = ""
    skipped: str = ""

    def __post_init__(self) -> None:
        if self.theirs and len(self.theirs) != len(self.ours):
            raise ValueError(f"{self.name}: {len(self.ours)} of ours, {len(self.theirs)} of theirs are no pairs")
        if not self.ours and not self.skipped:
            raise ValueError(f"{self.name}: nothing was measured, and it is not said why")

    @property
    def value(self) -> float | None:
        """Ours: the median."""
        return median(self.ours) if self.ours else None

    @property
    def peer_value(self) -> float | None:
        """Theirs: the median."""
        return median(self.theirs) if self.theirs else None

    @property
    def ratios(self) -> tuple[float, ...]:
        """Ours to theirs, pair by pair."""
        return tuple(our / their for our, their in zip(self.ours, self.theirs, strict=True)) if self.theirs else ()

    @property
    def ratio(self) -> float | None:
        """The median of the pairs' ratios."""
        return median(self.ratios) if self.theirs else None

    @property
    def judged(self) -> float | None:
        """What a goal is about: the ratio where there is one, else the figure itself."""
        return self.value if self.ratio is None else self.ratio

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; ``None`` where there is none, or nothing was measured."""
        return None if self.at_most is None or self.judged is None else self.judged <= self.at_most

    @property
    def verdict(self) -> str:
        """The same in words."""
        if self.skipped:
            return "not measured"
        if self.at_most is None or self.judged is None:
            return ""
        if self.met:
            return "met"
        return f"not met, {100 * (self.judged / self.at_most - 1):.0f} % too much" if self.at_most else "not met"

    def told(self) -> dict[str, Any]:
        """All of it, for a script."""
        spread = self.ratios or self.ours
        return {
            "name": self.name,
            "says": self.says,
            "unit": self.unit,
            "beside": self.beside,
            "value": self.value,
            "peer_value": self.peer_value,
            "ratio": self.ratio,
            "least": min(spread, default=None),
            "most": max(spread, default=None),
            "pairs": len(self.ours),
            "at_most": self.at_most,
            "met": self.met,
            "verdict": self.verdict,
            "note": self.note,
            "skipped": self.skipped,
            "ours": list(self.ours),
            "theirs": list(self.theirs),
        }


def row_of(told: Mapping[str, Any]) -> Row:
    """A row as ``told`` said it."""
    words = {name: str(told[name]) for name in ("name", "says", "unit", "beside", "note", "skipped")}
    return Row(ours=tuple(told["ours"]), theirs=tuple(told["theirs"]), at_most=told["at_most"], **words)


@dataclass(frozen=True, slots=True)
class Point:
    """What so many units cost."""

    units: float
    cost: float


def marginal(points: Sequence[Point]) -> tuple[float, ...]:
    """What each further unit costs from the smallest point to each of the others; so a program's start counts nowhere.

    None of them above the first: no faster than in proportion.
    """
    first, *others = points
    if any(point.units <= first.units for point in others):
        raise ValueError("points come with the smallest first")
    return tuple((point.cost - first.cost) / (point.units - first.units) for point in others)


def worse(ratio: float, recorded: float, *, tolerance: float) -> bool:
    """Whether a ratio has become worse than it was recorded, by more than the tolerance (0.15: 15 %)."""
    return ratio > recorded * (1 + tolerance)


def spread_of(values: Sequence[float]) -> float:
    """How far the values of several runs lie from their median at most, as a part of it."""
    middle = median(values)
    return max(abs(value - middle) for value in values) / middle
