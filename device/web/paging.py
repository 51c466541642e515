"""A long list, a page at a time; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class PageOf(Generic[_Item]):
    """One page of a list. Pages count from 1; ``total`` counts what is on all of them."""

    items: tuple[_Item, ...]
    number: int
    last: int
    total: int


def page_of(items: Sequence[_Item], number: int, *, size: int) -> PageOf[_Item]:
    """The page of that number; the nearest there is, where there is none."""
    last = max(1, -(-len(items) // size))
    number = min(max(number, 1), last)
    return PageOf(tuple(items[(number - 1) * size : number * size]), number, last, len(items))


def number_of(text: str | None) -> int:
    """The number of a page as an address has it; 1 for anything that is none."""
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 13 else 1
