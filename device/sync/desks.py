"""Every place at the remote that this box ever had: a clinic or room that is renamed leaves its recordings in the old.

<state>/desks.json: the places, the newest last. An erase order goes to all of them. Whoever takes the file away has to
see to the old places himself (docs/sync.md).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from device.durable import write_whole
from device.recording.layout import Desk

_NAME: Final = "desks.json"


def remembered(state: Path, desk: Desk) -> tuple[Desk, ...]:
    """``desk``, which is durably remembered on return, and behind it all that this box had before.

    Raises:
        OSError: it cannot be remembered.
    """
    path = state / _NAME
    known = _read(path)
    former = [one for one in known if one != desk]
    if known != [*former, desk]:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, json.dumps([[one.clinic, one.room] for one in [*former, desk]]).encode())
    return (desk, *former)


def _read(path: Path) -> list[Desk]:
    try:
        return [Desk(clinic=str(clinic), room=str(room)) for clinic, room in json.loads(path.read_bytes())]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError):
        return []  # spoiled: as good as lost
