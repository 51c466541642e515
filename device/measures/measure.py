"""A measure as its file defines it, checked as a whole: a measure that could not be scored is none.

The rules are those of docs/measures.md. Everything that a client will read is in the file, and nothing else is.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from fractions import Fraction
from itertools import chain
from typing import Annotated, ClassVar, Final, Literal

from device.measures.plain import Sentences, Words
from device.shapes import Shape, rule

LINE_MOST: Final = 100

Slug = Annotated[str, rule(pattern=r"^[a-z0-9][a-z0-9-]{0,23}$")]
Value = Annotated[int, rule(ge=-1000, le=1000)]
Flag = Annotated[bool, rule()]


class Moment(StrEnum):
    """When a measure is mostly asked; a therapist may ask it at any time."""

    BEFORE = "before"
    AFTER = "after"
    ANY = "any"


class Choice(Shape):
    """One answer of several."""

    value: Value
    text: Words


class Choices(Shape, tag_field="kind", tag="choices"):
    """Answers of which one is chosen."""

    kind: ClassVar[Literal["choices"]] = "choices"
    choices: Annotated[tuple[Choice, ...], rule(min_length=2, max_length=11)]

    def _check(self) -> None:
        if len({one.value for one in self.choices}) < len(self.choices):
            raise ValueError("two choices have the same value")
        if len({one.text for one in self.choices}) < len(self.choices):
            raise ValueError("two choices have the same text")

    @property
    def least(self) -> int:
        """The smallest value."""
        return min(one.value for one in self.choices)

    @property
    def most(self) -> int:
        """The largest value."""
        return max(one.value for one in self.choices)

    def allows(self, value: int) -> bool:
        """Whether that is an answer."""
        return any(one.value == value for one in self.choices)

    def text_of(self, value: int) -> str | None:
        """The words of an answer."""
        return next((one.text for one in self.choices if one.value == value), None)


class Line(Shape, tag_field="kind", tag="line"):
    """A line from ``low``, which is 0, to ``high``, which is 100, on which a mark is set anywhere."""

    kind: ClassVar[Literal["line"]] = "line"
    low: Words
    high: Words

    @property
    def least(self) -> int:
        """The left end."""
        return 0

    @property
    def most(self) -> int:
        """The right end."""
        return LINE_MOST

    def allows(self, value: int) -> bool:
        """Whether that is on the line."""
        return 0 <= value <= LINE_MOST

    def text_of(self, value: int) -> None:  # noqa: ARG002  # as ``Choices`` has it
        """A mark on a line has no words."""
        return


Scale = Choices | Line


class Item(Shape):
    """One question.

    ``alone``: shown without the measure's instruction. ``only_if_any_at_least``: asked only where an item before it was
    answered with so much.
    """

    id: Slug
    text: Sentences
    scale: Slug
    reversed: Flag = False
    alone: Flag = False
    only_if_any_at_least: Value | None = None


class Band(Shape):
    """What a score from ``at_least`` up to the next band is called."""

    at_least: Value
    text: Words


class Score(Shape):
    """One number made of answers: of all items that are always asked, or of those that ``items`` names.

    With up to ``most_missing`` of them not answered, their place is taken by the mean of the others, which have to
    reach equally far for that; with more there is no score.
    """

    id: Slug
    name: Words
    how: Literal["sum", "mean"]
    items: tuple[Slug, ...] | None = None
    most_missing: Annotated[int, rule(ge=0)] = 0
    bands: tuple[Band, ...] = ()


class Tell(Shape):
    """What a client is told at the end who answered ``item`` with at least ``at_least``.

    ``therapist``: what stands beside the measure where a therapist hands it over; the answer itself nobody sees there.
    """

    item: Slug
    at_least: Value
    text: Sentences
    therapist: Sentences | None = None


class Measure(Shape):
    """A whole measure. ``version`` is its author's; ``notice`` says whose it is and what permits its use."""

    id: Slug
    version: Words
    language: Annotated[str, rule(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
    title: Words
    instruction: Sentences
    notice: Sentences
    moment: Moment = Moment.ANY
    scales: Annotated[dict[Slug, Scale], rule(min_length=1, max_length=20)]
    items: Annotated[tuple[Item, ...], rule(min_length=1, max_length=100)]
    scores: Annotated[tuple[Score, ...], rule(max_length=20)] = ()
    tells: Annotated[tuple[Tell, ...], rule(max_length=20)] = ()

    def _check(self) -> None:
        # The first alone, and before any other is looked for: each takes for granted that those before it do not hold.
        for complaint in chain(_item_complaints(self), _score_complaints(self), _tell_complaints(self)):
            raise ValueError(complaint)

    def item(self, item_id: str) -> Item:
        """The item of that id.

        Raises:
            KeyError: there is none.
        """
        for item in self.items:
            if item.id == item_id:
                return item
        raise KeyError(item_id)

    def scale_of(self, item: Item) -> Choices | Line:
        """What an item is answered on."""
        return self.scales[item.scale]

    def items_of(self, score: Score) -> list[Item]:
        """The items that a score is made of."""
        if score.items is None:
            return [item for item in self.items if item.only_if_any_at_least is None]
        return [self.item(item_id) for item_id in score.items]

    def bounds_of(self, score: Score) -> tuple[Fraction, Fraction]:
        """The least and the largest that a score can be."""
        scales = [self.scale_of(item) for item in self.items_of(score)]
        parts = 1 if score.how == "sum" else len(scales)
        least, most = sum(scale.least for scale in scales), sum(scale.most for scale in scales)
        return Fraction(least, parts), Fraction(most, parts)


def _twice(ids: list[str]) -> str | None:
    return next((one for one in ids if ids.count(one) > 1), None)


def _item_complaints(measure: Measure) -> Iterator[str]:
    if (twice := _twice([item.id for item in measure.items])) is not None:
        yield f"two items have the id {twice}"
    for item in measure.items:
        if item.scale not in measure.scales:
            yield f"item {item.id}: there is no scale {item.scale}"
    if measure.items[0].only_if_any_at_least is not None:
        yield f"item {measure.items[0].id}: there is no item before it to depend on"
    for name in measure.scales:
        if all(item.scale != name for item in measure.items):
            yield f"no item uses the scale {name}"


def _score_complaints(measure: Measure) -> Iterator[str]:
    if (twice := _twice([score.id for score in measure.scores])) is not None:
        yield f"two scores have the id {twice}"
    known = {item.id: item for item in measure.items}
    for score in measure.scores:
        named = list(score.items) if score.items is not None else [one.id for one in measure.items_of(score)]
        if not named or _twice(named) is not None:
            yield f"score {score.id}: it needs items, each named once"
        for item_id in named:
            if item_id not in known:
                yield f"score {score.id}: there is no item {item_id}"
            elif known[item_id].only_if_any_at_least is not None:
                yield f"score {score.id}: item {item_id} is not always asked"
        if score.most_missing >= len(named):
            yield f"score {score.id}: most_missing leaves no answer to make it of"
        ranges = {(scale.least, scale.most) for scale in map(measure.scale_of, measure.items_of(score))}
        if score.most_missing and len(ranges) > 1:
            yield f"score {score.id}: most_missing needs items that all reach from the same least to the same most"
        yield from _band_complaints(measure, score)


def _band_complaints(measure: Measure, score: Score) -> Iterator[str]:
    if not score.bands:
        return
    least, most = measure.bounds_of(score)
    starts = [band.at_least for band in score.bands]
    if starts != sorted(set(starts)):
        yield f"score {score.id}: the bands do not rise"
    if starts[0] != least or starts[-1] > most:
        yield f"score {score.id}: it is {_number(least)} to {_number(most)}, and the bands are not"


def _tell_complaints(measure: Measure) -> Iterator[str]:
    known = {item.id for item in measure.items}
    for tell in measure.tells:
        if tell.item not in known:
            yield f"tells: there is no item {tell.item}"
        elif tell.at_least > measure.scale_of(measure.item(tell.item)).most:
            yield f"tells: item {tell.item} is never {tell.at_least}"


def _number(value: Fraction) -> str:
    return f"{float(value):g}"
