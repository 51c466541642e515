"""What was reviewed, when and by whom: a line for each review that lies beside a slice, or beside any recording.

Who wrote a review is what it says of itself, for who can seal to somebody can write any mark (docs/review.md). What is
compared: that the slice is the one that was handed out, and that the review is about it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final

from device.age.errors import AgeError
from device.age.identities import Identity
from device.errors import DamagedError, SottoError
from device.recording import SESSION_NAME
from device.recording.beside import Kind, kind_of
from provisioning.attaching import names_beside, read_beside
from provisioning.errors import UnreachableError
from provisioning.exits import words_of
from provisioning.review import Review, open_review
from provisioning.sampling.handed import SAMPLE_NAME, BlindingKey, HandedOut, KeySlice, digest_of, read_handed

_COLUMNS: Final = (
    "slice",
    "slice_is",
    "file",
    "digest",
    "problem",
    "by",
    "at",
    "notes",
    "rubric",
    "sample",
    "recording",
    "from_s",
    "until_s",
)
_SECOND_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """A review, or that there is none yet (``file`` is none), or that one cannot be read (``problem``).

    ``slice_is``: ``as handed out``, ``altered``, ``missing``, or ``unknown`` where no list speaks of it.
    """

    slice: str
    slice_is: str
    file: str | None = None
    digest: str | None = None
    problem: str | None = None
    review: Review | None = None
    sample: int | None = None
    stands_for: KeySlice | None = None

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong with it."""
        return self.problem is None and self.slice_is in {"as handed out", "unknown"}

    def facts(self) -> dict[str, Any]:
        """It for a script. What was written in a review is not in it, but its ratings are."""
        review, key = self.review, self.stands_for
        ratings = None if review is None else review.ratings
        return {
            "slice": self.slice,
            "slice_is": self.slice_is,
            "file": self.file,
            "digest": self.digest,
            "problem": self.problem,
            "by": None if review is None else review.by,
            "at": None if review is None else review.at,
            "notes": None if review is None else len(review.notes),
            "rubric": None if ratings is None else ratings.rubric,
            "sample": self.sample,
            "recording": None if key is None else key.recording,
            "from_s": None if key is None else key.from_us / _SECOND_US,
            "until_s": None if key is None else key.until_us / _SECOND_US,
            "items": {} if ratings is None else dict(ratings.items),
        }


@dataclass(frozen=True, slots=True)
class Known:
    """What slices are compared with: the list that was handed out, and the key of the blinding, as far as given."""

    handed: HandedOut | None = None
    key: Mapping[str, KeySlice] = field(default_factory=dict)

    @classmethod
    def of(cls, handed: HandedOut | None, key: BlindingKey | None) -> Known:
        """With the slices of the key by their ids. Raises ``DamagedError`` where both are of two samples."""
        if handed is not None and key is not None and handed.sample != key.sample:
            raise DamagedError(
                f"the key is that of sample {key.sample}, these are slices of sample {handed.sample}",
                "give the key that was made with these slices",
            )
        return cls(handed, {} if key is None else {one.id: one for one in key.slices})


def handed_in(folder: Path) -> tuple[HandedOut, str] | None:
    """The list in a folder that was handed out, and whose; ``None`` where it holds none. Raises ``DamagedError``."""
    try:
        return read_handed((folder / SAMPLE_NAME).read_bytes())
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise UnreachableError(
            f"{folder} cannot be read: {problem.strerror}", "check that you may read it"
        ) from problem


def rows_of(folders: Sequence[Path], known: Known, identities: Sequence[Identity]) -> Iterator[Row]:
    """The reviews beside each recording in ``folders``; of what was handed out also what is not there any more."""
    said = {} if known.handed is None else {one.id: one.digest for one in known.handed.slices}
    there = {folder.name: folder for folder in folders}
    for name in sorted({*said, *there}):
        folder = there.get(name)
        if folder is None:
            yield Row(name, "missing", problem="the slice is not there")
            continue
        row = Row(
            name,
            _slice_is(folder / SESSION_NAME, said.get(name), listed=known.handed is not None),
            sample=None if known.handed is None else known.handed.sample,
            stands_for=known.key.get(name),
        )
        yield from _reviews(folder, row, identities)


def _slice_is(path: Path, said: str | None, *, listed: bool) -> str:
    if not path.exists():
        return "missing"
    if said is None:
        return "altered" if listed else "unknown"
    with path.open("rb") as file:
        return "as handed out" if file_digest(file, "sha256").hexdigest() == said else "altered"


def _reviews(folder: Path, row: Row, identities: Sequence[Identity]) -> Iterator[Row]:
    names = [name for name in names_beside(folder) if kind_of(name) is Kind.REVIEW]
    if not names:
        yield row
    for name in names:
        yield _review(folder, name, row, identities)


def _review(folder: Path, name: str, row: Row, identities: Sequence[Identity]) -> Row:
    review, problem, digest = None, None, None
    try:
        sealed = read_beside(folder, name)
        digest = digest_of(sealed)
        review = open_review(sealed, identities)
    except (AgeError, SottoError) as failure:
        problem = words_of(failure)[0]
    if review is not None and review.recording != row.slice:
        problem = f"it is about another recording, {review.recording}"
    return Row(row.slice, row.slice_is, name, digest, problem, review, row.sample, row.stands_for)


def as_csv(rows: Sequence[Row]) -> str:
    """All of it as CSV (RFC 4180), a column for each item of a rubric behind the others."""
    facts = [row.facts() for row in rows]
    items = sorted({item for one in facts for item in one["items"]})
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*_COLUMNS, *(f"item {item}" for item in items)])
    for one in facts:
        writer.writerow([*(one[column] for column in _COLUMNS), *(one["items"].get(item) for item in items)])
    return text.getvalue()
