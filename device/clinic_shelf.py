"""A list of the clinic's as a box keeps it: read again and again, taken once, and never taken back.

Where it lies is the admin's to say; the one that was taken last is kept apart, so that a restart forgets no number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic

from device.clinic_list import List, ListKind
from device.durable import write_whole
from device.errors import SottoError, StoreError
from device.store import store_error


@dataclass(frozen=True, slots=True)
class Offered(Generic[List]):
    """A list that may be taken. ``before``: the one that was; the same one, where it is there again after a restart."""

    one: List
    document: bytes
    before: List | None

    @property
    def is_new(self) -> bool:
        """Whether it was not taken yet."""
        return self.one != self.before


@dataclass(frozen=True, slots=True)
class Box(Generic[List]):
    """What a box does with a list, besides keeping it.

    ``bring_about``: what it says is to hold from now on, before it counts as taken; where this raises ``SottoError`` it
    is not taken, and offered again at the next look. ``taken``: it was, durably, for the first time. ``refused``: its
    document cannot be taken; whether that was told: else it is told again.
    """

    bring_about: Callable[[Offered[List]], None]
    taken: Callable[[Offered[List]], None]
    refused: Callable[[bytes], bool]


class Shelf(Generic[List]):
    """Looks after one list. ``look`` is called by one thread at a time; ``standing`` may be read by any."""

    def __init__(
        self, path: Path, *, kind: ListKind[List], clinic_key: bytes, box: str, kept: Path, does: Box[List]
    ) -> None:
        """``path``: where the admin puts it. ``kept``: where the box keeps the one that it took."""
        self._path = path
        self._kind = kind
        self._clinic_key = clinic_key
        self._box = box
        self._kept = kept
        self._does = does
        self._seen: bytes | None = None
        self._standing: tuple[List | None, SottoError | None] = (
            None,
            kind.error(f"{kind.called} was not read yet", "nothing: the box reads it by itself"),
        )

    @property
    def standing(self) -> tuple[List | None, SottoError | None]:
        """The list that holds, or ``None`` and why none does."""
        return self._standing

    def look(self) -> SottoError | None:
        """Read it again, and take it if it is a new one; what is wrong with it, if anything."""
        try:
            with self._path.open("rb") as file:
                document = file.read(self._kind.most_bytes + 1)
        except OSError as problem:
            self._seen = None
            reason = problem.strerror or "unknown error"
            what, hint = (
                f"{self._kind.called} cannot be read: {reason}",
                f"check {self._kind.named_by}, and who may read it",
            )
            self._standing = (None, self._kind.error(what, hint))
            return self._standing[1]
        if document != self._seen:
            self._seen = document
            self._standing = self._judge(document)
        return self._standing[1]

    def _judge(self, document: bytes) -> tuple[List | None, SottoError | None]:
        try:
            taken = self._taken()
        except StoreError as problem:
            self._seen = None  # the disk is asked again
            return None, problem
        try:
            one = self._kind.read(document[: self._kind.most_bytes], clinic_key=self._clinic_key)
            self._kind.check(one, box=self._box, taken=taken)
        except SottoError as problem:
            if not self._does.refused(document):
                self._seen = None
            return None, problem
        try:
            self._take(Offered(one, document, taken))
        except SottoError as problem:
            self._seen = None
            return None, problem
        return one, None

    def _taken(self) -> List | None:
        """The one that was taken last; ``None`` where there is none, or the clinic has another key since."""
        try:
            return self._kind.read(self._kept.read_bytes(), clinic_key=self._clinic_key)
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise store_error(problem, f"{self._kind.called} that was taken last cannot be read") from problem
        except SottoError:
            return None

    def _take(self, offered: Offered[List]) -> None:
        self._does.bring_about(offered)
        if not offered.is_new:
            return
        try:
            write_whole(self._kept, offered.document)
        except OSError as problem:
            raise store_error(problem, f"{self._kind.called} could not be taken") from problem
        self._does.taken(offered)
