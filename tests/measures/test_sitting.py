"""Answering one item after the other, back and forth."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.measures.measure import LINE_MOST, Measure
from device.measures.scoring import asked
from device.measures.shelf import read_shelf
from device.measures.sitting import Sitting, sit_down
from tests.measures.made import answered, measures


def phq() -> Measure:
    return read_shelf().measures["phq-9"]


@given(answered())
def test_whoever_answers_all_of_it_comes_to_the_end(made: tuple[Measure, dict[str, int | None]]) -> None:
    measure, answers = made
    sitting, seen = sit_down(measure), []
    while (item := sitting.item) is not None:
        assert sitting.number == len(seen) + 1
        seen.append(item.id)
        sitting = sitting.answer(answers[item.id])
    assert seen == list(answers)
    assert sitting.given == answers
    assert (sitting.number, sitting.count) == (len(answers) + 1, len(answers))


@given(measures(), st.data())
def test_back_and_forth_never_loses_the_thread(measure: Measure, data: st.DataObject) -> None:
    sitting = sit_down(measure)
    for _ in range(data.draw(st.integers(0, 30))):
        if sitting.item is None or data.draw(st.booleans()):
            sitting = sitting.back()
            continue
        scale = measure.scale_of(sitting.item)
        allowed = range(LINE_MOST + 1) if scale.kind == "line" else [one.value for one in scale.choices]
        sitting = sitting.answer(data.draw(st.sampled_from(list(allowed))))
        ids = [item.id for item in asked(measure, sitting.answers)]
        assert sitting.current is None or sitting.current in ids
        assert set(sitting.given) <= set(ids)
    assert 1 <= sitting.number <= sitting.count + 1


@given(measures(), st.integers(-2000, 2000))
def test_only_an_answer_that_there_is_counts(measure: Measure, value: int) -> None:
    sitting = sit_down(measure)
    assert sitting.item is not None
    if measure.scale_of(sitting.item).allows(value):
        assert sitting.answer(value).given == {sitting.item.id: value}
    else:
        with pytest.raises(ValueError, match="no answer"):
            sitting.answer(value)


def test_after_the_last_nothing_can_be_answered() -> None:
    sitting = sit_down(phq())
    for _ in range(9):
        sitting = sitting.answer(0)
    assert sitting.current is None
    with pytest.raises(ValueError, match="no answer"):
        sitting.answer(0)


def test_going_back_shows_what_was_answered_and_the_first_has_nothing_before_it() -> None:
    sitting = sit_down(phq()).answer(3).answer(None)
    assert sitting.back().current == "2"
    assert sitting.back().answers == {"1": 3, "2": None}
    assert sit_down(phq()).back().current == "1"


def test_the_question_about_problems_is_asked_only_of_those_who_have_any() -> None:
    none, some = sit_down(phq()), sit_down(phq())
    for number in range(9):
        none, some = none.answer(0), some.answer(1 if number == 4 else 0)
    assert none.current is None
    assert (some.current, some.number, some.count) == ("difficulty", 10, 10)


def test_what_was_asked_for_a_while_only_is_not_handed_in() -> None:
    sitting = sit_down(phq()).answer(1)
    for _ in range(8):
        sitting = sitting.answer(0)
    sitting = sitting.answer(2)
    assert sitting.given["difficulty"] == 2
    while sitting.current != "1":
        sitting = sitting.back()
    sitting = sitting.answer(0)
    while sitting.current is not None:
        sitting = sitting.answer(0)
    assert "difficulty" not in sitting.given
    assert len(sitting.given) == 9


def test_no_answer_shows_in_what_a_log_could_hold() -> None:
    sitting = Sitting(phq(), "2", {"1": 3})
    assert "3" not in repr(sitting).replace(repr(sitting.measure), "")
