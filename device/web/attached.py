"""What lies beside a recording, as far as its names tell; what is in it is sealed, and nobody here can open it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_SUFFIX: Final = ".age"


@dataclass(frozen=True, slots=True)
class Attached:
    """How many of each there are."""

    label: bool = False
    notes: int = 0
    measures: int = 0


def attached_of(names: Iterable[str]) -> Attached:
    """The same, out of the names of the files in ``attachments``."""
    kinds = [name.removesuffix(_SUFFIX).partition("-")[0] for name in names if name.endswith(_SUFFIX)]
    return Attached(label="label" in kinds, notes=kinds.count("note"), measures=kinds.count("measure"))
