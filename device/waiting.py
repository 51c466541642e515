"""What waits for the next recording: sealed labels, notes and measures that were given before it began.

<store>/waiting/measure-5f0c2a9be1d4.age    an ordinary age file; its name is nobody's but its own
                measure-5f0c2a9be1d4.json   the plain facts about it: what it is, who put it there, when
                measure-5f0c2a9be1d4.erase  an empty file: whoever looks after the box orders that it is erased

Only capture writes here, but for such an order. What finds no recording stays, sealed: it is nowhere else, so nothing
but an order takes it away (promise P6).
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

from device.clock import Stamp
from device.durable import make_name
from device.errors import StoreError
from device.recording.beside import Kind
from device.shapes import Shape, ShapeError, rule
from device.store import store_error

WAITING_NAME: Final = "waiting"
ORDERED_SUFFIX: Final = ".erase"
WAITS_S: Final = 3 * 3600
_MICROSECONDS: Final = 1_000_000


class Waiting(Shape):
    """One that waits. ``by``: the mark of who put it there; ``left``: it waits for no recording any more."""

    name: str
    kind: Kind
    by: str
    sealed: str
    clock_trusted: bool
    boot: str
    monotonic_us: Annotated[int, rule(ge=0)]
    left: bool = False


def read_waiting(store: Path) -> tuple[Waiting, ...]:
    """All that waits in a store, and all that was left there, oldest first. What cannot be read is left out."""
    found = []
    for path in (store / WAITING_NAME).glob("*.json"):
        with suppress(OSError, ShapeError):  # it is just being put beside a recording; or a cut came before it
            one = Waiting.model_validate_json(path.read_bytes())
            if one.name == path.with_suffix(".age").name and path.with_suffix(".age").exists():
                found.append(one)
    return tuple(sorted(found, key=lambda one: (one.sealed, one.name)))


def is_ordered_erased(store: Path, name: str) -> bool:
    """Whether somebody ordered that the one of that name is erased."""
    return (store / WAITING_NAME / name).with_suffix(ORDERED_SUFFIX).exists()


def order_erased(store: Path, name: str, *, now: Stamp) -> None:
    """Make it durable that one that was left is to be erased; whoever looks after the store does that.

    Any program that may write to the store may do this, also while the box runs; the page cannot.

    Raises:
        StoreError: nothing of that name is there, it waits for a recording yet, or it may be ordered or not.
    """
    one = next((one for one in read_waiting(store) if one.name == name), None)
    if one is None:
        raise StoreError("nothing of that name lies beside no recording", "`sotto wishes` names what does")
    if waits_still(one, now):
        raise StoreError(
            "that still waits for its therapist's next recording", "have them say on the page that there is none"
        )
    try:
        make_name((store / WAITING_NAME / name).with_suffix(ORDERED_SUFFIX))
    except OSError as problem:
        raise store_error(problem, "the order could not be written down") from problem


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
