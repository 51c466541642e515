"""A measure's file read: TOML in, a checked measure or two sentences about what is wrong with it out."""

from __future__ import annotations

import tomllib
from typing import Final

from device.errors import ConfigError
from device.measures.document import MOST_DOCUMENT_BYTES, most_bytes
from device.measures.measure import Measure
from device.shapes import Fault, ShapeError

MOST_FILE_BYTES: Final = 64 * 1024
_HINT: Final = "docs/measures.md shows what a measure's file has to hold"


def parse_measure(content: bytes, *, called: str) -> Measure:
    """The measure that a file defines; ``called`` names the file where something is wrong with it.

    Raises:
        ConfigError: it is no measure; all that is wrong with it is named.
    """
    if len(content) > MOST_FILE_BYTES:
        raise ConfigError(f"{called} is too large", f"let it be {MOST_FILE_BYTES} bytes at most")
    try:
        values = tomllib.loads(content.decode())
    except (ValueError, RecursionError) as problem:  # also what is no UTF-8, and numbers of any length
        raise ConfigError(f"{called} is no valid TOML: {problem}", _HINT) from problem
    try:
        measure = Measure.model_validate(values)
    except ShapeError as problem:
        lines = "; ".join(map(_line, problem.faults))
        raise ConfigError(f"{called} does not hold: {lines}", _HINT) from problem
    if most_bytes(measure) > MOST_DOCUMENT_BYTES:
        raise ConfigError(f"{called} asks more than fits into one sealed document", "make two measures of it")
    return measure


def _line(fault: Fault) -> str:
    """One fault as: where, and what is wrong there; entries of a list are counted from one."""
    key = ".".join(str(part + 1) if isinstance(part, int) else part for part in fault.place)
    said = {"extra_forbidden": "is not a known key", "missing": "is missing"}.get(fault.kind)
    if said is None:
        said = fault.words.removeprefix("Value error, ")
    return f"{key} {said}" if key else said
