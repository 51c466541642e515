"""From answers to scores; exact until the last step, which rounds to tenths (half a tenth up)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from device.measures.measure import Item, Measure, Score, Tell

Answers = Mapping[str, int | None]
"""What was answered, by item: the value that was chosen; ``None`` for "I would rather not say"."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One score. ``value`` is ``None``, and so is ``band``, where too many answers are missing."""

    id: str
    name: str
    value: int | float | None
    least: int | float
    most: int | float
    band: str | None
    missing: int


def is_asked(measure: Measure, item: Item, answers: Answers) -> bool:
    """Whether an item is asked after these answers to the items before it."""
    if item.only_if_any_at_least is None:
        return True
    for before in measure.items:
        if before.id == item.id:
            return False
        value = answers.get(before.id)
        if value is not None and value >= item.only_if_any_at_least and is_asked(measure, before, answers):
            return True
    return False


def asked(measure: Measure, answers: Answers) -> list[Item]:
    """The items that are asked, with these answers."""
    return [item for item in measure.items if is_asked(measure, item, answers)]


def scores_of(measure: Measure, answers: Answers) -> list[Scored]:
    """Every score of a measure; items without an answer count as missing."""
    return [_scored(measure, score, answers) for score in measure.scores]


def told_of(measure: Measure, answers: Answers) -> list[Tell]:
    """What the client is told at the end."""
    found = [(tell, answers.get(tell.item)) for tell in measure.tells]
    return [tell for tell, value in found if value is not None and value >= tell.at_least]


def _scored(measure: Measure, score: Score, answers: Answers) -> Scored:
    items = measure.items_of(score)
    values = [one for item in items if (one := _value(measure, item, answers)) is not None]
    missing = len(items) - len(values)
    value = None if missing > score.most_missing else _made_of(score, values, of=len(items))
    least, most = (_rounded(bound) for bound in measure.bounds_of(score))
    return Scored(score.id, score.name, value, least, most, _band(score, value), missing)


def _value(measure: Measure, item: Item, answers: Answers) -> int | None:
    """What an answer counts: on a reversed item the least is the most."""
    value, scale = answers.get(item.id), measure.scale_of(item)
    return scale.least + scale.most - value if value is not None and item.reversed else value


def _made_of(score: Score, values: list[int], *, of: int) -> int | float:
    mean = Fraction(sum(values), len(values))
    return _rounded(mean if score.how == "mean" else mean * of)


def _band(score: Score, value: float | None) -> str | None:
    if value is None:
        return None
    return next((band.text for band in reversed(score.bands) if value >= band.at_least), None)


def _rounded(value: Fraction) -> int | float:
    tenths = (value * 10 + Fraction(1, 2)).__floor__()
    return tenths // 10 if tenths % 10 == 0 else tenths / 10
