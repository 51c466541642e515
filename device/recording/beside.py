"""What lies beside a recording: its attachments, by their names, and what somebody asks to be done with it; pure.

<store>/<id>/attachments/label.age          one, replaced by the next
                         note-001.age       numbered as they come
                         measure-001.age    an answered measure
                         clip-001.age       sealed before it came here, by somebody's own program
                         review-001.age     likewise: what a supervisor says of it
             asked.copy, asked.deletion     signed facts: who asked for it, and when
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

_NUMBERED: Final = re.compile(r"(note|measure|clip|review)-([0-9]{3})\.age")
LABEL_FILE: Final = "label.age"


class Kind(StrEnum):
    """What an attachment is to its recording."""

    LABEL = "label"
    NOTE = "note"
    MEASURE = "measure"
    CLIP = "clip"
    REVIEW = "review"


class Wish(StrEnum):
    """What a person can ask for; nothing of it is done by the page that asks, or by capture."""

    COPY = "copy"
    DELETION = "deletion"


ASKED_NAMES: Final = {wish: f"asked.{wish}" for wish in Wish}


def kind_of(name: str) -> Kind | None:
    """Which kind of attachment has that name; ``None``: none has."""
    if name == LABEL_FILE:
        return Kind.LABEL
    match = _NUMBERED.fullmatch(name)
    return None if match is None else Kind(match[1])


def number_of(name: str) -> int:
    """The number in an attachment's name; 0 where there is none."""
    match = _NUMBERED.fullmatch(name)
    return 0 if match is None else int(match[2])


def file_name_of(kind: Kind, number: int) -> str:
    """The name of an attachment; a label has no number."""
    return LABEL_FILE if kind is Kind.LABEL else f"{kind}-{number:03d}.age"
