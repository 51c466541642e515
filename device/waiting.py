"""What waits for the next recording: sealed labels, notes and measures that were given before it began.

<store>/waiting/measure-5f0c2a9be1d4.age    an ordinary age file; its name is nobody's but its own
                measure-5f0c2a9be1d4.json   the plain facts about it: what it is, who put it there, when

Only capture writes here. What finds no recording stays, sealed, until retention lets it go.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from device.clock import Stamp
from device.recording.beside import Kind

WAITING_NAME: Final = "waiting"
WAITS_S: Final = 3 * 3600
_MICROSECONDS: Final = 1_000_000


class Waiting(BaseModel):
    """One that waits. ``by``: the mark of who put it there; ``left``: it waits for no recording any more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Kind
    by: str
    sealed: str
    clock_trusted: bool
    boot: str
    monotonic_us: Annotated[int, Field(ge=0)]
    left: bool = False


def read_waiting(store: Path) -> tuple[Waiting, ...]:
    """All that waits in a store, and all that was left there, oldest first. What cannot be read is left out."""
    found = []
    for path in (store / WAITING_NAME).glob("*.json"):
        with suppress(OSError, ValidationError):  # it is just being put beside a recording; or a cut came before it
            one = Waiting.model_validate_json(path.read_bytes())
            if one.name == path.with_suffix(".age").name and path.with_suffix(".age").exists():
                found.append(one)
    return tuple(sorted(found, key=lambda one: (one.sealed, one.name)))


def waits_still(one: Waiting, now: Stamp) -> bool:
    """Whether a recording that begins now can be the one that it waits for.

    After a start of the machine the wall clock has to be believed, then and now; without that nobody knows how long
    ago it was, and it belongs to nothing.
    """
    if one.left:
        return False
    if one.boot == now.boot and now.monotonic_us is not None:
        return 0 <= now.monotonic_us - one.monotonic_us <= WAITS_S * _MICROSECONDS
    if not (one.clock_trusted and now.trusted):
        return False
    return timedelta() <= _moment(now.wall) - _moment(one.sealed) <= timedelta(seconds=WAITS_S)


def _moment(wall: str) -> datetime:
    return datetime.fromisoformat(wall)
