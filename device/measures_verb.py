"""``sotto measures``: which measures there are, and what is wrong with the files that do not hold."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from device.errors import ConfigError
from device.measures.document import digest_of
from device.measures.measure import Measure
from device.measures.shelf import Shelf, read_measure, read_shelf

_EXIT_DONE: Final = 0
_EXIT_WRONG: Final = 1


def add_verb(verbs: Any) -> None:
    """Add the verb to the command line."""
    measures = verbs.add_parser("measures", help="look at measures, and at a file or folder of the clinic's own")
    measures.add_argument("place", nargs="?", type=Path, metavar="PLACE", help="a file, or a folder of files")
    measures.add_argument("--json", action="store_true", help="print everything as JSON")
    measures.set_defaults(verb=_measures)


def _measures(options: argparse.Namespace) -> int:
    place: Path | None = options.place
    shelf = read_shelf(place) if place is None or not place.is_file() else _of_one(place)
    if options.json:
        found = [_facts(measure) for measure in shelf.measures.values()]
        wrong = [{"what": problem.what, "hint": problem.hint} for problem in shelf.wrong]
        print(json.dumps({"measures": found, "wrong": wrong}, indent=2, ensure_ascii=False))
    else:
        print("\n".join(_line(measure) for measure in shelf.measures.values()))
        for problem in shelf.wrong:
            print(f"error: {problem.what}\nhint: {problem.hint}", file=sys.stderr)
    return _EXIT_WRONG if shelf.wrong else _EXIT_DONE


def _of_one(path: Path) -> Shelf:
    try:
        measure = read_measure(path)
    except ConfigError as problem:
        return Shelf({}, (problem,))
    return Shelf({measure.id: measure})


def _line(measure: Measure) -> str:
    scores = ", ".join(f"{score.id} {_range(measure, index)}" for index, score in enumerate(measure.scores))
    return f"{measure.id:<24} {len(measure.items):>3} items  {scores or 'no score'}  {measure.title}"


def _range(measure: Measure, index: int) -> str:
    least, most = measure.bounds_of(measure.scores[index])
    return f"{float(least):g} to {float(most):g}"


def _facts(measure: Measure) -> dict[str, Any]:
    return {"digest": digest_of(measure), **measure.model_dump(mode="json")}
