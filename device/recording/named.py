"""What is sealed of a label and of a note: a JSON document for those who can open it, as a measure is one.

The box writes it, and never reads one again.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeVar

from device.errors import DamagedError
from device.recording.beside import Kind
from device.shapes import Hidden, Shape, ShapeError, rule, then

MOST_NOTE_LETTERS: Final = 4000
_STEPS_BYTES: Final = {Kind.LABEL: 1024, Kind.NOTE: 1024, Kind.MEASURE: 4096}
MOST_LABEL_LETTERS: Final = 60


def _on_one_line(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError("must be on one line, without spaces around it")
    return text


def _as_written(text: str) -> str:
    if not text.strip() or any(not (letter.isprintable() or letter in "\n\t") for letter in text):
        raise ValueError("must be written in letters")
    return text


# Whoever uses one of these puts ``Hidden`` around it: what is in it never shows in a line of a log.
Word = Annotated[str, rule(min_length=1, max_length=MOST_LABEL_LETTERS), then(_on_one_line)]
Text = Annotated[str, rule(min_length=1, max_length=MOST_NOTE_LETTERS), then(_as_written)]
Session = Annotated[int, rule(ge=1, le=9999)]


class _Document(Shape):
    """``at``: UTC by the clock of the box; ``clock_trusted``: what that is worth. ``by``: the mark of who wrote it."""

    format: Literal[1] = 1
    at: str
    clock_trusted: bool
    by: str


class LabelDocument(_Document):
    """Whose session it was, in the clinic's own code; which of theirs; where it is a study, which and which arm."""

    kind: Literal["sotto-label"] = "sotto-label"
    client: Hidden[Word]
    session: Hidden[Session | None] = None
    study: Hidden[Word | None] = None
    arm: Hidden[Word | None] = None


class NoteDocument(_Document):
    """What somebody wrote down about a recording."""

    kind: Literal["sotto-note"] = "sotto-note"
    text: Hidden[Text]


_Made = TypeVar("_Made", LabelDocument, NoteDocument)


def padded(kind: Kind, document: bytes) -> bytes:
    """A JSON document with spaces behind it, so that the size of the sealed file does not tell what was answered.

    How long a file is everybody can see; an answer in more words would be a longer one (docs/threats.md).
    """
    step = _STEPS_BYTES[kind]
    return document + b" " * (-len(document) % step)


def to_bytes(document: LabelDocument | NoteDocument) -> bytes:
    """The document as it is sealed."""
    return document.model_dump_json().encode()


def from_bytes(data: bytes, kind: type[_Made]) -> _Made:
    """The document that was sealed.

    Raises:
        DamagedError: that is none of this kind.
    """
    try:
        return kind.model_validate_json(data)
    except ShapeError as problem:
        raise DamagedError("that is not what a box seals as a label or a note", "open another attachment") from problem
