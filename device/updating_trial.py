"""When a box may change over to another version, and whether that one is well. Pure.

Nothing is changed in a session or near one. Whatever the room is doing, only a room in which nothing happened for a
quarter of an hour is free; and a version on trial that somebody records with is left alone until they are done.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from device.updating import Units

FREE: Final = frozenset({"idle", "fault"})  # of the session's states: nobody has pressed anything
QUIET_S: Final = 15 * 60
"""How long nobody was near before anything is changed: the room is used in a row, and people look back.

This and ``FREE`` are the rule for all that changes the box: an order (``device/idling.py``), another version (below),
and Debian's own parts (``deb/box/usr/lib/sotto/room-is-free``, as it runs without Sotto's Python).
"""

_S: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Patience:
    """``quiet_us``: how long the room has to be free; ``well_us``: all has to be well; ``most_us``: that may take."""

    quiet_us: int = QUIET_S * _S
    well_us: int = 2 * 60 * _S
    most_us: int = 10 * 60 * _S


@dataclass(frozen=True, slots=True)
class Seen:
    """What capture publishes. ``state``: ``None`` where it publishes nothing (any more), so that it records nothing."""

    state: str | None
    is_busy: bool = False  # something is being sealed, or put in order after a cut

    @property
    def is_free(self) -> bool:
        """Whether nobody needs the box at this moment."""
        return self.state is None or (self.state in FREE and not self.is_busy)


class Quiet:
    """For how long nobody has needed the box, as far as somebody looked."""

    def __init__(self) -> None:
        self._since_us: int | None = None

    def see(self, seen: Seen, now_us: int) -> None:
        """Look at it once more."""
        if not seen.is_free:
            self._since_us = None
        elif self._since_us is None:
            self._since_us = now_us

    def lasts(self, patience: Patience, now_us: int) -> bool:
        """Whether the room is free, and no session is near."""
        return self._since_us is not None and now_us - self._since_us >= patience.quiet_us


@dataclass(frozen=True, slots=True)
class Health:
    """What can be seen of a box from outside. ``restarts``: how often systemd started one of its units again."""

    version: str | None
    units: Units
    restarts: int
    seen: Seen
    page_answers: bool


def ailment(health: Health, *, version: str, was_in_fault: bool) -> str | None:
    """What keeps a version on trial from being well, in words for an admin; ``None``: nothing does.

    ``was_in_fault``: the version before it could not record either, so a fault says nothing about this one.
    """
    if health.version != version:
        return f"version {version} is not what is mounted"
    down = sorted(unit for unit, state in health.units.items() if state != "active")
    if down:
        return f"not active: {', '.join(down)}"
    if health.seen.state is None:
        return "the capture service publishes nothing"
    if health.seen.state != "idle" and not (health.seen.state == "fault" and was_in_fault):
        return f"the capture service is in the state {health.seen.state}"
    return None if health.page_answers else "the page does not answer"


class Verdict(StrEnum):
    """What becomes of a version on trial."""

    WAIT = "wait"
    KEEP = "keep"
    BACK = "back"


@dataclass
class Trial:
    """A version on trial. ``why``: what was wrong when it was last looked at."""

    version: str
    patience: Patience
    was_in_fault: bool
    begun_us: int
    why: str = "nothing was looked at"
    _well_since_us: int | None = None
    _restarts: int = 0
    _last_us: int = field(init=False)

    def __post_init__(self) -> None:
        self._last_us = self.begun_us

    def see(self, health: Health, now_us: int) -> Verdict:
        """Look at it once more. A session in the meantime stops the time: nobody's recording ends for an update."""
        if health.seen.state is not None and not health.seen.is_free:
            self.begun_us += now_us - self._last_us
            self._last_us, self._well_since_us = now_us, None
            return Verdict.WAIT
        self._last_us = now_us
        wrong = ailment(health, version=self.version, was_in_fault=self.was_in_fault)
        if wrong is None and self._well_since_us is not None and health.restarts != self._restarts:
            wrong = "a service was started again and again"
        if wrong is not None:
            self.why, self._well_since_us = wrong, None
            return Verdict.BACK if now_us - self.begun_us >= self.patience.most_us else Verdict.WAIT
        if self._well_since_us is None:
            self._well_since_us, self._restarts = now_us, health.restarts
        return Verdict.KEEP if now_us - self._well_since_us >= self.patience.well_us else Verdict.WAIT
