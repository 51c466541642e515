"""The harness's own arithmetic, by numbers that can be done in the head."""

from __future__ import annotations

import pytest

from tests.bench.figures import Point, Row, in_turn, marginal, row_of, spread_of, worse


def row(**facts: object) -> Row:
    usual: dict[str, object] = {"name": "live/x", "says": "x", "unit": "s", "ours": (3.0,)}
    return Row(**{**usual, **facts})  # type: ignore[arg-type]


def test_a_ratio_is_the_median_of_the_pairs_and_not_the_ratio_of_the_medians() -> None:
    # Somebody took the processor away during the second pair, from both of it: 10/5 is as good a pair as the others.
    one = row(ours=(2.0, 10.0, 3.0), theirs=(1.0, 5.0, 1.0))
    assert one.ratios == (2.0, 2.0, 3.0)
    assert one.ratio == 2.0
    assert one.value / one.peer_value == 3.0  # type: ignore[operator]


def test_an_even_number_of_pairs_has_its_median_between_two() -> None:
    assert row(ours=(1.0, 2.0), theirs=(1.0, 1.0)).ratio == 1.5


@pytest.mark.parametrize(
    ("facts", "met", "verdict"),
    [
        ({"ours": (3.0,), "theirs": (4.0,), "at_most": 0.75}, True, "met"),
        ({"ours": (3.1,), "theirs": (4.0,), "at_most": 0.75}, False, "not met, 3 % too much"),
        ({"ours": (40.0,), "at_most": 40}, True, "met"),
        ({"ours": (60.0,), "at_most": 40}, False, "not met, 50 % too much"),
        ({"ours": (60.0,)}, None, ""),
        ({"ours": (), "skipped": "only root can make a loop device", "at_most": 1.2}, None, "not measured"),
    ],
)
def test_a_goal_is_judged_by_the_ratio_and_where_there_is_none_by_the_figure(
    facts: dict[str, object], met: object, verdict: str
) -> None:
    assert (row(**facts).met, row(**facts).verdict) == (met, verdict)


def test_what_is_no_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="no pairs"):
        row(ours=(1.0, 2.0), theirs=(1.0,))


def test_a_row_without_a_figure_has_to_say_why() -> None:
    with pytest.raises(ValueError, match="not said why"):
        row(ours=())


def test_a_row_is_the_same_after_it_was_told() -> None:
    one = row(ours=(1.0, 2.0), theirs=(2.0, 2.0), beside="peer", at_most=1.1, note="n")
    assert row_of(one.told()) == one
    assert one.told()["least"] == 0.5
    assert one.told()["pairs"] == 2


def test_each_part_comes_first_in_turn_and_nobody_always_after_the_same() -> None:
    order: list[str] = []

    def part(name: str) -> str:
        order.append(name)
        return name

    taken = in_turn(3, {name: lambda name=name: part(name) for name in "abc"})  # type: ignore[misc]
    assert "".join(order) == "abc" + "bca" + "cab"
    assert taken == {name: [name] * 3 for name in "abc"}


def test_what_a_further_one_costs_leaves_the_start_out() -> None:
    # Half a second to start, a tenth for each: the start must not make the first one look dear.
    assert marginal([Point(1, 0.6), Point(10, 1.5), Point(100, 10.5)]) == pytest.approx((0.1, 0.1))


def test_what_grows_faster_than_in_proportion_is_seen() -> None:
    first, last = marginal([Point(n, n * n) for n in (1, 10, 100)])
    assert last / first > 9


def test_points_come_with_the_smallest_first() -> None:
    with pytest.raises(ValueError, match="smallest first"):
        marginal([Point(10, 1), Point(1, 1)])


@pytest.mark.parametrize(("ratio", "bad"), [(1.0, False), (1.149, False), (1.16, True), (0.5, False)])
def test_worse_is_more_than_the_tolerance_above(ratio: float, bad: object) -> None:
    assert worse(ratio, 1.0, tolerance=0.15) is bad


def test_the_spread_is_the_farthest_from_the_median_whichever_side() -> None:
    assert spread_of([0.9, 1.0, 1.05]) == pytest.approx(0.1)
    assert spread_of([1.0, 1.0, 1.3]) == pytest.approx(0.3)
