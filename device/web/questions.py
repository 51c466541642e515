"""One question as a page shows it; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from device.measures.measure import Item
from device.measures.sitting import Sitting


@dataclass(frozen=True, slots=True)
class Question:
    """``value`` is what was answered before, or on a line where the mark stands at the beginning."""

    id: str
    text: str
    instruction: str
    number: int
    count: int
    kind: Literal["choices", "line"]
    choices: tuple[tuple[int, str], ...]
    ends: tuple[str, str]
    value: int | None
    answered: bool
    left_out: bool


def question(sitting: Sitting, item: Item, *, start: int) -> Question:
    """The question that is asked now. ``start``: where the mark on a line stands before anybody moved it."""
    scale = sitting.measure.scale_of(item)
    given = sitting.answers.get(item.id)
    is_line = scale.kind == "line"
    return Question(
        id=item.id,
        text=item.text,
        instruction="" if item.alone else sitting.measure.instruction,
        number=sitting.number,
        count=sitting.count,
        kind=scale.kind,
        choices=() if scale.kind == "line" else tuple((one.value, one.text) for one in scale.choices),
        ends=(scale.low, scale.high) if scale.kind == "line" else ("", ""),
        value=start if given is None and is_line else given,
        answered=given is not None,
        left_out=given is None and item.id in sitting.answers,
    )
