"""Puts the table into the documentation, between two marker lines, and nothing else there is touched. Pure."""

from __future__ import annotations

from typing import Final

BEGINS: Final = "<!-- measured: make bench writes from here -->"
ENDS: Final = "<!-- measured: to here -->"


def with_measured(document: str, measured: str) -> str:
    """The document, with other words between its marker lines.

    Raises:
        ValueError: it has not exactly one of each, in order.
    """
    if document.count(BEGINS) != 1 or document.count(ENDS) != 1:
        raise ValueError("the document has to have each marker line once")
    before, _, rest = document.partition(BEGINS)
    _, found, after = rest.partition(ENDS)
    if not found:
        raise ValueError("the marker lines stand in the wrong order")
    return f"{before}{BEGINS}\n\n{measured.strip()}\n\n{ENDS}{after}"
