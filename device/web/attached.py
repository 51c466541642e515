"""What lies beside a recording, as far as its names tell; what is in it is sealed, and nobody here can open it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from device.recording.beside import Kind, kind_of


@dataclass(frozen=True, slots=True)
class Attached:
    """How many of each there are."""

    label: bool = False
    notes: int = 0
    measures: int = 0
    clips: int = 0
    reviews: int = 0


def attached_of(names: Iterable[str]) -> Attached:
    """The same, out of the names of the files in ``attachments``."""
    kinds = [kind_of(name) for name in names]
    return Attached(
        label=Kind.LABEL in kinds,
        notes=kinds.count(Kind.NOTE),
        measures=kinds.count(Kind.MEASURE),
        clips=kinds.count(Kind.CLIP),
        reviews=kinds.count(Kind.REVIEW),
    )
