"""What a row is given: the material, how many pairs, and whether this is the short form."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figures import FEWEST_PAIRS
from tests.bench.material import Material


@dataclass(frozen=True)
class Setting:
    """``say``: tells whoever waits how far it is. ``short``: as short as a ratio still holds."""

    material: Material
    say: Callable[[str], None]
    short: bool = False
    pairs: int = FEWEST_PAIRS

    def folder(self) -> Path:
        """A new one, which goes with all the others."""
        return Path(tempfile.mkdtemp(dir=self.material.folder))

    @property
    def recipient(self) -> str:
        return self.material.recipient
