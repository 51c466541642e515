"""Orders to boxes: made at the desk, handed over, and waited for until each says what became of it."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from device.errors import SottoError
from device.fleet_status import FleetStatus, OrderTold
from device.orders import About
from provisioning.desk import Desk
from provisioning.errors import UnreachableError
from provisioning.fleet.calling import Caller, Target, judge
from provisioning.orders import Content, Made, make_order

WAITS: Final[Mapping[bool, str]] = {True: "is on trial", False: "waits until nobody was near for a while"}
"""What a version that came and is not settled does, by whether it is on trial."""

_LOOK_EVERY_S: Final = 2.0
_GIVEN_UP: Final = "the version before it runs; look into the box's journal before you send it again"
_ONE_AT_A_TIME: Final = threading.Lock()  # the clinic's log has one hand


@dataclass(frozen=True, slots=True)
class Task:
    """What one box gets. ``box_name``: what it calls itself. ``version``: it is done once that is settled."""

    target: Target
    box_name: str
    about: About
    files: Mapping[str, Content]
    version: str | None = None


class UndoneError(SottoError):
    """A box did not take an order, or took it back."""


def push(
    task: Task,
    caller: Caller,
    desk: Desk,
    *,
    patience_s: float,
    tell: Callable[[str], None] = lambda _line: None,
    rest: Callable[[float], None] = time.sleep,
    monotonic_s: Callable[[], float] = time.monotonic,
) -> OrderTold:
    """Make an order for that box alone, hand it over, and wait until the box dealt with it.

    ``tell``: is told why it waits, once for each reason.

    Raises:
        UnreachableError: the box is not reached, is another one, or said nothing in time; it may still do it.
        UndoneError: it does not do it; all is as it was there.
        SottoError: the order cannot be made.
    """
    before = caller.status(task.target)
    judge(task.target, before)
    if before.box != task.box_name:
        raise UnreachableError(
            f"{task.target.name} calls itself {before.box}", "compare box.name in its folder with the box"
        )
    with tempfile.TemporaryDirectory(prefix="sotto-order-") as folder:
        output, above = Path(folder) / "an.order", max(before.numbers.values(), default=0)
        with _ONE_AT_A_TIME:
            made = make_order(desk, task.about, task.files, boxes=[task.box_name], output=output, above=above)
        caller.send(task.target, made.path)
    tell(f"{task.target.name}: has order {made.order.number} about {task.about}")
    until_s = monotonic_s() + patience_s
    return _Waiting(task, made, caller, tell, rest, until_s=until_s, monotonic_s=monotonic_s).until_done()


@dataclass(frozen=True, slots=True)
class _Waiting:
    """For a box to deal with an order; its services may begin anew meanwhile."""

    task: Task
    made: Made
    caller: Caller
    tell: Callable[[str], None]
    rest: Callable[[float], None]
    until_s: float
    monotonic_s: Callable[[], float]

    def until_done(self) -> OrderTold:
        name, why, said = self.task.target.name, "it was not begun yet", ""
        while True:
            try:
                told = self.caller.status(self.task.target)
            except UnreachableError as problem:
                why = problem.what
            else:
                found = next((one for one in told.orders if one.digest == self.made.digest), None)
                if found is not None:
                    if (reason := self._why_not_done(found, told)) is None:
                        return found
                    why = reason
            if self.monotonic_s() > self.until_s:
                raise UnreachableError(
                    f"{name} has order {self.made.order.number}, and did not do it yet: {why}",
                    "it does by itself; `sotto-clinic fleet status` shows when",
                )
            if why != said:
                self.tell(f"{name}: waiting: {why}")
                said = why
            self.rest(_LOOK_EVERY_S)

    def _why_not_done(self, found: OrderTold, told: FleetStatus) -> str | None:
        """Why it is not done yet; ``None``: it is. Raises ``UndoneError``."""
        name, version, update = self.task.target.name, self.task.version, told.update
        if found.outcome in ("refused", "undone"):
            raise UndoneError(f"{name}: {found.outcome}: {found.what}", found.hint)
        if found.outcome != "done":
            return found.what or "it is under way"
        if version is None:
            return None
        if update is not None and update.version == version:
            if update.failed is not None:
                raise UndoneError(f"{name}: version {version} was given up: {update.failed}", _GIVEN_UP)
            return f"version {version} {WAITS[update.on_trial]}"
        return None if told.version == version else f"version {version} does not run yet"
