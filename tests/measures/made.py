"""Measures that Hypothesis makes up, and answers to them: every shape that a file can have."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from device.measures.measure import LINE_MOST, Measure
from device.measures.scoring import asked

WORDS = st.text(st.characters(categories=["L", "N", "P", "S"], codec="utf-8"), min_size=1, max_size=20)
VALUES = st.integers(-20, 20)


def words_apart(count: int) -> st.SearchStrategy[list[str]]:
    return st.lists(WORDS, min_size=count, max_size=count, unique=True)


@st.composite
def scales(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        return {"kind": "line", "low": draw(WORDS), "high": draw(WORDS)}
    values = draw(st.lists(VALUES, min_size=2, max_size=6, unique=True))
    words = draw(words_apart(len(values)))
    return {"kind": "choices", "choices": [{"value": v, "text": w} for v, w in zip(values, words, strict=True)]}


@st.composite
def measures(draw: st.DrawFn) -> Measure:
    """A measure that holds, with a score over all that is always asked and one over a part of it."""
    made = {f"s{index}": scale for index, scale in enumerate(draw(st.lists(scales(), min_size=1, max_size=3)))}
    items: list[dict[str, Any]] = [
        {"id": f"i{index}", "text": draw(WORDS), "scale": name, "reversed": draw(st.booleans())}
        for index, name in enumerate([*made, *draw(st.lists(st.sampled_from(list(made)), max_size=6))])
    ]
    for item in items[1:]:
        if draw(st.integers(0, 3)) == 0:
            item["only_if_any_at_least"] = draw(VALUES)
    always = [item["id"] for item in items if "only_if_any_at_least" not in item]
    part = draw(st.lists(st.sampled_from(always), min_size=1, unique=True))
    scores = [
        {"id": "all", "name": draw(WORDS), "how": draw(st.sampled_from(["sum", "mean"]))},
        {
            "id": "part",
            "name": draw(WORDS),
            "how": draw(st.sampled_from(["sum", "mean"])),
            "items": part,
            "most_missing": draw(st.integers(0, len(part) - 1)),
        },
    ]
    heads = {key: draw(WORDS) for key in ("version", "title", "instruction", "notice")}
    return Measure.model_validate(
        {**heads, "id": "made", "language": "en", "scales": made, "items": items, "scores": scores}
    )


@st.composite
def answered(draw: st.DrawFn, *, leave_out: bool = True) -> tuple[Measure, dict[str, int | None]]:
    """A measure, and an answer to each item that is asked with them."""
    measure = draw(measures())
    answers: dict[str, int | None] = {}
    for item in measure.items:
        if item not in asked(measure, answers):
            continue
        scale = measure.scale_of(item)
        allowed = st.integers(0, LINE_MOST) if scale.kind == "line" else st.sampled_from(scale.choices).map(_value)
        answers[item.id] = draw(st.none() | allowed if leave_out else allowed)
    return measure, answers


def _value(choice: Any) -> int:
    value: int = choice.value
    return value
