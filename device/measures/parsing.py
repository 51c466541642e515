"""A measure's file read: TOML in, a checked measure or two sentences about what is wrong with it out."""

from __future__ import annotations

import tomllib
from typing import Any, Final

from pydantic import ValidationError

from device.errors import ConfigError
from device.measures.document import MOST_DOCUMENT_BYTES, most_bytes
from device.measures.measure import Measure

MOST_FILE_BYTES: Final = 64 * 1024
_HINT: Final = "docs/measures.md shows what a measure's file has to hold"
_TAGS: Final = frozenset({"choices", "line"})


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
    except ValidationError as problem:
        lines = "; ".join(_line(dict(error)) for error in problem.errors(include_url=False))
        raise ConfigError(f"{called} does not hold: {lines}", _HINT) from problem
    if most_bytes(measure) > MOST_DOCUMENT_BYTES:
        raise ConfigError(f"{called} asks more than fits into one sealed document", "make two measures of it")
    return measure


def _line(error: dict[str, Any]) -> str:
    """One error of pydantic as: where, and what is wrong there; entries of a list are counted from one."""
    parts = [str(part + 1) if isinstance(part, int) else part for part in error["loc"]]
    key = ".".join(part for index, part in enumerate(parts) if not (part in _TAGS and index == 2))
    said = {"extra_forbidden": "is not a known key", "missing": "is missing"}.get(error["type"])
    if said is None:
        said = str(error["msg"]).removeprefix("Value error, ")
    return f"{key} {said}" if key else said
