"""How often whoever asks has offered recording, and how often it was accepted, as far as a box can know it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from device.counts import Counted, read_counts
from device.web.house import House
from device.web.visitor import mark_or_none
from device.web.wording import day_text


@dataclass(frozen=True, slots=True)
class Told:
    """This month, and since the counting began; ``since``: when that was."""

    month: Counted
    ever: Counted
    since: str


def counted_of(house: House) -> Told | None:
    """The visitor's own counts; ``None`` where nothing was counted of them yet."""
    counts, mark = read_counts(house.store.path), mark_or_none()
    months = {} if counts is None or mark is None else counts.of(mark)
    if counts is None or not months:
        return None
    now = datetime.fromtimestamp(house.unix_s(), UTC)
    return Told(months.get(f"{now:%Y-%m}", Counted()), _sum(months.values()), _since(counts.since))


def _sum(months: Iterable[Counted]) -> Counted:
    each = [month.model_dump() for month in months]
    return Counted(**{name: sum(month[name] for month in each) for name in Counted.__struct_fields__})


def _since(wire: str) -> str:
    try:
        return day_text(datetime.fromisoformat(wire))
    except ValueError:
        return wire
