"""What became of the clinic's orders: a small file that the box writes and the page reads, replaced whole.

Nothing in it names a client, a person or a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from device.durable import write_whole
from device.errors import StoreError
from device.orders import About
from device.shapes import Shape, ShapeError, rule

RESULTS_NAME: Final = "results.json"
_MOST_KEPT: Final = 30

Outcome = Literal["waiting", "done", "refused", "undone"]


class Result(Shape):
    """What became of one order. ``undone``: it was carried out, the box was not well, and the former state is back.

    ``about``, ``number``: none where the order could not be read. ``what``, ``hint``: why it is not done, and what to
    do. ``tries``: how often it was begun; a cut in the middle is not its fault. ``noted``: it is in the audit log.
    """

    digest: Annotated[str, rule(pattern=r"^[0-9a-f]{64}$")]
    outcome: Outcome
    at: str
    about: About | None = None
    number: Annotated[int, rule(ge=1)] | None = None
    what: str = ""
    hint: str = ""
    tries: Annotated[int, rule(ge=0)] = 0
    noted: bool = False


class Results(Shape):
    """Oldest first; one for each order. ``last``: the highest number that was dealt with, for each kind."""

    results: tuple[Result, ...] = ()
    last: Mapping[About, int] = {}

    def with_one(self, result: Result) -> Results:
        """The same with one more; of an order that was told of before, this instead."""
        known = self.of(result.digest) is not None
        told = [result if one.digest == result.digest else one for one in self.results] + ([] if known else [result])
        last = dict(self.last)
        if result.outcome != "waiting" and result.about is not None and result.number is not None:
            last[result.about] = max(result.number, last.get(result.about, 0))
        return Results(results=tuple(told[-_MOST_KEPT:]), last=last)

    def of(self, digest: str) -> Result | None:
        """What became of that order, as far as it is known."""
        return next((one for one in self.results if one.digest == digest), None)


def read_results(folder: Path) -> Results:
    """What was told last; nothing, where nothing was.

    Raises:
        StoreError: it cannot be read. Nothing may be carried out then: the numbers of old orders stand in it.
    """
    try:
        return Results.model_validate_json((folder / RESULTS_NAME).read_bytes())
    except FileNotFoundError:
        return Results()
    except (OSError, ShapeError) as problem:
        raise StoreError(
            "what became of the clinic's orders cannot be read", f"look at {RESULTS_NAME} where orders.state says"
        ) from problem


def write_results(folder: Path, results: Results) -> None:
    """Replace them, durably. Raises ``OSError``."""
    write_whole(folder / RESULTS_NAME, results.model_dump_json().encode())
