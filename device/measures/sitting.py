"""One person answering one measure, one item at a time; pure, so that a page can ask it in any way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from device.measures.measure import Item, Measure
from device.measures.scoring import asked


@dataclass(frozen=True, slots=True)
class Sitting:
    """How far somebody is: ``current`` is the id of the item that is asked now, ``None`` once all were.

    What was answered is kept when somebody goes back, and is shown again. It is not part of any ``repr``.
    """

    measure: Measure
    current: str | None
    answers: Mapping[str, int | None] = field(default_factory=dict, repr=False)

    @property
    def item(self) -> Item | None:
        """The item that is asked now."""
        return None if self.current is None else self.measure.item(self.current)

    @property
    def number(self) -> int:
        """The how manieth of ``count`` it is; one more than all at the end."""
        ids = self._ids()
        return len(ids) + 1 if self.current is None else ids.index(self.current) + 1

    @property
    def count(self) -> int:
        """How many are asked, as far as is known by now."""
        return len(self._ids())

    @property
    def given(self) -> Mapping[str, int | None]:
        """The answers to what is asked. What was asked for a while only, before somebody went back, is left out."""
        return {item_id: self.answers[item_id] for item_id in self._ids() if item_id in self.answers}

    def answer(self, value: int | None) -> Sitting:
        """Go on with an answer; ``None``: rather not.

        Raises:
            ValueError: nothing is asked, or that is no answer to it.
        """
        item = self.item
        if item is None or (value is not None and not self.measure.scale_of(item).allows(value)):
            raise ValueError("that is no answer to what is asked")
        answers = {**self.answers, item.id: value}
        ids = [one.id for one in asked(self.measure, answers)]
        rest = ids[ids.index(item.id) + 1 :]
        return replace(self, current=rest[0] if rest else None, answers=answers)

    def back(self) -> Sitting:
        """Go back to the item before; the first has none."""
        ids = self._ids()
        index = len(ids) if self.current is None else ids.index(self.current)
        return replace(self, current=ids[max(index - 1, 0)])

    def _ids(self) -> list[str]:
        return [item.id for item in asked(self.measure, self.answers)]


def sit_down(measure: Measure) -> Sitting:
    """The beginning: the first item, and no answer yet."""
    return Sitting(measure, measure.items[0].id)
