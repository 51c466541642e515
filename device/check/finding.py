"""What a check has found: how good that is, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from device.errors import SottoError


class Level(StrEnum):
    """How good it is: nothing to do, worth a look, or not to be left like this."""

    GOOD = "good"
    LOOK = "look"
    BAD = "bad"


Figures: TypeAlias = Mapping[str, float | int | str | bool | Sequence[str] | None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``hint`` says what to do now, and is empty where there is nothing to do.

    ``figures`` holds what was measured, with units in the names, for whoever reads it by a program.
    """

    name: str
    level: Level
    what: str
    hint: str = ""
    figures: Figures = field(default_factory=dict)


Findings: TypeAlias = list[Finding]


def good(name: str, what: str, **figures: Any) -> Finding:
    """Nothing to do."""
    return Finding(name, Level.GOOD, what, "", figures)


def look(name: str, what: str, hint: str, **figures: Any) -> Finding:
    """Worth a look."""
    return Finding(name, Level.LOOK, what, hint, figures)


def bad(name: str, what: str, hint: str, **figures: Any) -> Finding:
    """Not to be left like this."""
    return Finding(name, Level.BAD, what, hint, figures)


def from_error(name: str, problem: SottoError) -> Finding:
    """An error as a finding: it has the same two sentences."""
    return bad(name, problem.what, problem.hint)


def is_well(findings: Iterable[Finding]) -> bool:
    """Whether nothing is bad."""
    return all(finding.level is not Level.BAD for finding in findings)


def lines_of(finding: Finding) -> list[str]:
    """A finding for people: a line, and one more where something is to be done."""
    lines = [f"{finding.level:4}  {finding.name}: {finding.what}"]
    return [*lines, f"      hint: {finding.hint}"] if finding.hint else lines


def as_json(finding: Finding) -> dict[str, Any]:
    """A finding for programs."""
    return {
        "name": finding.name,
        "level": str(finding.level),
        "what": finding.what,
        "hint": finding.hint,
        "figures": dict(finding.figures),
    }
