"""From answers to scores, for measures of every shape."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.measures.measure import LINE_MOST, Measure
from device.measures.scoring import asked, is_asked, scores_of, told_of
from tests.measures.made import answered

FOUR = {
    "id": "four",
    "version": "1",
    "language": "en",
    "title": "Four",
    "instruction": "Say.",
    "notice": "Ours.",
    "scales": {
        "three": {"kind": "choices", "choices": [{"value": n, "text": str(n)} for n in range(4)]},
        "line": {"kind": "line", "low": "no", "high": "yes"},
    },
    "items": [{"id": name, "text": name, "scale": "three"} for name in "abcd"]
    + [{"id": "e", "text": "e", "scale": "line"}],
}


def four(**facts: Any) -> Measure:
    """Four items of 0 to 3 and a line, scored as ``facts`` says."""
    score = {"id": "s", "name": "S", "how": "sum", "items": ["a", "b", "c", "d"]}
    return Measure.model_validate({**FOUR, "scores": [{**score, **facts}]})


def only_score(measure: Measure, **answers: int | None) -> tuple[float | None, str | None]:
    (scored,) = scores_of(measure, answers)
    return scored.value, scored.band


@given(answered(leave_out=False))
def test_a_whole_score_is_within_its_bounds(made: tuple[Measure, dict[str, int | None]]) -> None:
    measure, answers = made
    for scored in scores_of(measure, answers):
        assert scored.value is not None
        assert scored.missing == 0
        assert scored.least <= scored.value <= scored.most


@given(answered())
def test_a_score_is_there_exactly_where_few_enough_answers_are_missing(
    made: tuple[Measure, dict[str, int | None]],
) -> None:
    measure, answers = made
    for score, scored in zip(measure.scores, scores_of(measure, answers), strict=True):
        missing = sum(answers.get(item.id) is None for item in measure.items_of(score))
        assert scored.missing == missing
        assert (scored.value is None) == (missing > score.most_missing)
        if scored.value is not None:
            assert scored.least <= scored.value <= scored.most


@given(answered(leave_out=False), st.data())
def test_the_other_end_of_one_item_moves_a_score_the_way_the_item_points(
    made: tuple[Measure, dict[str, int | None]], data: st.DataObject
) -> None:
    measure, answers = made
    score = measure.scores[1]
    item = data.draw(st.sampled_from(measure.items_of(score)))
    scale = measure.scale_of(item)
    low, high = (scores_of(measure, {**answers, item.id: end})[1].value for end in (scale.least, scale.most))
    assert low is not None
    assert high is not None
    assert (low >= high) if item.reversed else (low <= high)


@given(answered(leave_out=False))
def test_a_sum_is_the_sum_of_what_each_answer_counts(made: tuple[Measure, dict[str, int | None]]) -> None:
    measure, answers = made
    for score, scored in zip(measure.scores, scores_of(measure, answers), strict=True):
        counts = []
        for item in measure.items_of(score):
            value, scale = answers[item.id], measure.scale_of(item)
            assert value is not None
            ends = [0, LINE_MOST] if scale.kind == "line" else [one.value for one in scale.choices]
            counts.append(min(ends) + max(ends) - value if item.reversed else value)
        exact = Fraction(sum(counts), 1 if score.how == "sum" else len(counts))
        assert scored.value is not None
        assert abs(Fraction(str(scored.value)) - exact) <= Fraction(1, 20)


@given(answered(), st.data())
def test_what_is_asked_depends_on_what_came_before_only(
    made: tuple[Measure, dict[str, int | None]], data: st.DataObject
) -> None:
    measure, answers = made
    index = data.draw(st.integers(0, len(measure.items) - 1))
    before = {item.id: answers[item.id] for item in measure.items[:index] if item.id in answers}
    item = measure.items[index]
    assert is_asked(measure, item, before) == is_asked(measure, item, answers)
    assert (item in asked(measure, answers)) == (item.id in answers)


@pytest.mark.parametrize(
    ("how", "answers", "value"),
    [
        ("sum", {"a": 1, "b": 2, "c": 3, "d": 0}, 6),
        ("mean", {"a": 1, "b": 2, "c": 3, "d": 0}, 1.5),
        ("mean", {"a": 1, "b": 0, "c": 0, "d": 0}, 0.3),  # 0.25: half a tenth goes up
        ("mean", {"a": 3, "b": 2, "c": 2, "d": 2}, 2.3),  # 2.25
        ("sum", {"a": 3, "b": 3, "c": 2, "d": None}, 10.7),  # 8 of three answers, for four
        ("mean", {"a": 3, "b": 3, "c": 2, "d": None}, 2.7),
        ("sum", {"a": 3, "b": 3, "c": None, "d": None}, None),
        ("sum", {}, None),
    ],
)
def test_missing_answers_are_filled_with_the_mean_of_the_others_while_they_are_few(
    how: str, answers: dict[str, int | None], value: float | None
) -> None:
    assert only_score(four(how=how, most_missing=1), **answers)[0] == value


def test_a_whole_number_is_written_as_one() -> None:
    value, _ = only_score(four(), a=1, b=1, c=1, d=1)
    assert isinstance(value, int)


def test_a_score_has_the_name_of_the_band_in_which_it_lies() -> None:
    bands = [{"at_least": 0, "text": "low"}, {"at_least": 5, "text": "middle"}, {"at_least": 12, "text": "high"}]
    measure = four(bands=bands, most_missing=3)
    for answers, band in (
        ({"a": 0, "b": 0, "c": 0, "d": 0}, "low"),
        ({"a": 1, "b": 1, "c": 1, "d": 1}, "low"),
        ({"a": 2, "b": 1, "c": 1, "d": 1}, "middle"),
        ({"a": 3, "b": 3, "c": 3, "d": 2}, "middle"),
        ({"a": 3, "b": 3, "c": 3, "d": 3}, "high"),
        ({"a": 1, "b": 1, "c": 2}, "middle"),  # 5.3
        ({}, None),
    ):
        assert only_score(measure, **answers)[1] == band, answers


def test_a_client_is_told_what_the_answer_calls_for() -> None:
    measure = Measure.model_validate({**FOUR, "tells": [{"item": "b", "at_least": 2, "text": "Say so."}]})
    told = {value: [tell.text for tell in told_of(measure, {"b": value})] for value in (0, 1, 2, 3, None)}
    assert told == {0: [], 1: [], 2: ["Say so."], 3: ["Say so."], None: []}
    assert told_of(measure, {}) == []
