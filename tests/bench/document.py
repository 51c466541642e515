"""Puts tables into the documentation, each between two marker lines; nothing else there is touched. Pure."""

from __future__ import annotations

from typing import Final

MEASURED: Final = ("<!-- measured: make bench writes from here -->", "<!-- measured: to here -->")
ESTIMATE: Final = ("<!-- estimate: make bench writes from here -->", "<!-- estimate: to here -->")
SPREAD: Final = ("<!-- spread: make bench-record writes from here -->", "<!-- spread: to here -->")


def with_measured(document: str, words: str, *, estimated: str = "") -> str:
    """The document with other tables of all rows, and of what they would be on a Pi. Raises as ``between``."""
    return between(between(document, MEASURED, words), ESTIMATE, estimated)


def with_spread(document: str, words: str) -> str:
    """The document with another table of how far the rows stray. Raises as ``between``."""
    return between(document, SPREAD, words)


def between(document: str, marks: tuple[str, str], words: str) -> str:
    """The document, with other words between its marker lines.

    Raises:
        ValueError: it has not exactly one of each, in order.
    """
    begins, ends = marks
    if document.count(begins) != 1 or document.count(ends) != 1:
        raise ValueError(f"the document has to have each of {marks} once")
    before, _, rest = document.partition(begins)
    _, found, after = rest.partition(ends)
    if not found:
        raise ValueError(f"the marker lines {marks} stand in the wrong order")
    return f"{before}{begins}\n\n{words.strip()}\n\n{ends}{after}"
