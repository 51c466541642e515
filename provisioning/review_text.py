"""A review as a person types it, line by line, and as it is shown; pure.

10:00 here you waited #repair             a note at its moment, with a tag
10:30-11:15 and here not #[two words]     … of a time
all in all a good hour                    … of all of it
  which goes on here                      what is indented belongs to the line before
growth edge: staying with silence
plan until 2026-11-29: three breaths      without a day: plan: …
rate empathy: 3                           an item of the kit's rubric; - for what was not rated
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from device.shapes import ShapeError
from provisioning.errors import UsageError
from provisioning.kit import Kit, first_fault
from provisioning.review import Review
from provisioning.times import format_time, parse_time

_TIME: Final = r"[0-9]+:[0-9]{2}(?::[0-9]{2})?"
_NOTE: Final = re.compile(rf"(?:({_TIME})(?:\s*-\s*({_TIME}))?\s+)?(.+)", re.DOTALL)
_TAG: Final = re.compile(r"\s#(?:\[([^\]\n]+)\]|(\S+))\s*\Z")
_GROWTH: Final = re.compile(r"growth edge:\s*(.+)", re.DOTALL | re.IGNORECASE)
_PLAN: Final = re.compile(r"plan(?:\s+until\s+(\S+))?:\s*(.+)", re.DOTALL | re.IGNORECASE)
_RATE: Final = re.compile(r"rate\s+(\S+):\s*(-?[0-9]{1,3}|-)", re.IGNORECASE)


def parse_text(text: str, *, recording: str, by: str, at: str, kit: Kit | None) -> Review:
    """The review that was typed.

    Raises:
        UsageError: there is nothing in it, or something does not hold.
    """
    told: dict[str, Any] = {"recording": recording, "by": by, "at": at, "notes": []}
    for line in _lines(text):
        if growth := _GROWTH.fullmatch(line):
            told["growth_edge"] = growth[1]
        elif plan := _PLAN.fullmatch(line):
            told["plan"] = {"text": plan[2], "next_date": plan[1]}
        elif rate := _RATE.fullmatch(line):
            _rate(told, rate[1], rate[2], kit)
        else:
            told["notes"].append(_note(line, kit))
    told["notes"] = tuple(told["notes"])
    try:
        return Review.model_validate(told)
    except ShapeError as problem:
        raise UsageError(f"this is no review: {first_fault(problem)}", "docs/review.md says what can be in one") from (
            problem
        )


def _lines(text: str) -> list[str]:
    """What belongs together, without the lines that are empty."""
    lines: list[str] = []
    for line in text.splitlines():
        if line[:1] in (" ", "\t") and line.strip() and lines:
            lines[-1] += f"\n{line.strip()}"
        elif line.strip():
            lines.append(line.strip())
    return lines


def _note(line: str, kit: Kit | None) -> dict[str, Any]:
    tags: list[str] = []
    while tag := _TAG.search(line):
        tags.insert(0, tag[1] or tag[2])
        line = line[: tag.start()]
    unknown = [tag for tag in tags if kit is not None and kit.tags and tag not in kit.tags]
    if unknown:
        raise UsageError(f"{unknown[0]!r} is no tag of the clinic's", f"they are {', '.join(kit.tags if kit else ())}")
    match = _NOTE.fullmatch(line)
    at, until, text = match.groups() if match else (None, None, line)
    return {
        "at_us": None if at is None else parse_time(at),
        "until_us": None if until is None else parse_time(until),
        "text": text,
        "tags": tuple(tags),
    }


def _rate(told: dict[str, Any], item: str, value: str, kit: Kit | None) -> None:
    rubric = None if kit is None else kit.rubric
    if rubric is None:
        raise UsageError("there is no rubric to rate by", "give a --kit that has one")
    found = next((one for one in rubric.items if one.id == item), None)
    if found is None:
        raise UsageError(f"the rubric has no {item!r}", f"it has {', '.join(one.id for one in rubric.items)}")
    rated = None if value == "-" else int(value)
    if rated is not None and not found.least <= rated <= found.most:
        raise UsageError(f"{item} is rated from {found.least} to {found.most}", f"and not with {rated}")
    ratings = told.setdefault("ratings", {"rubric": rubric.id, "items": {}})
    ratings["items"][item] = rated


def lines_of(review: Review, *, who: str) -> Iterator[str]:
    """A review for a person; what somebody else wrote gets no hold of the terminal."""
    yield f"{review.at} by {who}"
    for note in review.notes:
        tags = "".join(f" #{tag}" if " " not in tag else f" #[{tag}]" for tag in note.tags)
        yield f"  {_when(note.at_us, note.until_us)}{shown(note.text)}{shown(tags)}"
    if review.growth_edge is not None:
        yield f"  growth edge: {shown(review.growth_edge)}"
    if review.plan is not None:
        until = "" if review.plan.next_date is None else f" until {review.plan.next_date}"
        yield f"  plan{until}: {shown(review.plan.text)}"
    if review.ratings is not None:
        for item, value in review.ratings.items.items():
            yield f"  rate {shown(item)}: {'-' if value is None else value}"


def _when(at_us: int | None, until_us: int | None) -> str:
    if at_us is None:
        return ""
    return f"{format_time(at_us)}{'' if until_us is None else f'-{format_time(until_us)}'} "


def shown(text: str) -> str:
    """Text as it can be shown on a terminal: whatever is not printable becomes a mark of that."""
    lines = ("".join(one if one.isprintable() else "\ufffd" for one in line) for line in text.split("\n"))
    return "\n    ".join(lines)
