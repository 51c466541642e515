"""How a box's data partition is made and mounted, read out of the two scripts that do it.

Whoever measures a disk or cuts its power does it on the file system that ships: a word that changes there changes here.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[1]
_MAKES: Final = _ROOT / "provisioning" / "card" / "make-room"
_MOUNTS: Final = _ROOT / "deb" / "box" / "usr" / "lib" / "sotto" / "data-partition"


def made_with() -> tuple[str, ...]:
    """What ``make-room`` tells ``mkfs.ext4``, but for the partition."""
    return tuple(shlex.split(_the_one(r'mkfs\.ext4 (.*) "\$data"$', _MAKES)))


def mounted_with() -> str:
    """The mount options that ``data-partition`` writes into ``/etc/fstab``."""
    return _the_one(r"^LABEL=sotto-data \S+ ext4 (\S+) ", _MOUNTS)


def _the_one(pattern: str, script: Path) -> str:
    (found,) = re.findall(pattern, script.read_text(), re.MULTILINE)
    return str(found)
