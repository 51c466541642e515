"""Carries out what the clinic told the box: verified, staged, done while nobody is there, and undone where it harms.

    spool/*.order   as the page got them; nothing of them is believed before it was read into a folder of root's
    state/          results.json (``device/order_results.py``), staged/, and what is being exchanged

An order leaves the spool once it was dealt with, and its number is never taken again. A cut leaves it there: what was
under way is put back at the next start, and it is carried out anew, three times at most.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from device.applying_kinds import Here, Judge, Plan
from device.applying_services import Services
from device.durable import forget_asides
from device.errors import AdminError, OrderError, SottoError, StoreError, what_of
from device.exchange import Exchange
from device.order_results import Outcome, Result, Results, read_results, write_results
from device.orders import Order, check_order, digest_of, members_of, read_head, read_order

ORDER_SUFFIX: Final = ".order"
MOST_TRIES: Final = 3
_LOOK_EVERY_S: Final = 5.0
_STAGED: Final = "staged"
_AGAIN: Final = "send it again from the clinic's desk"

NoteResult: TypeAlias = Callable[[Result], bool]
"""Has the audit log say what became of an order; whether it does. May wait for seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What orders are carried out upon. ``here``: the box, read anew. ``why_not_now``: none where it may be changed.

    ``now``: the time, as it is written. ``rest``: waits for so many seconds.
    """

    here: Callable[[], Here]
    services: Services
    kinds: Mapping[str, Judge]
    why_not_now: Callable[[], str | None]
    note: NoteResult
    now: Callable[[], str]
    rest: Callable[[float], None]


@dataclass(frozen=True, slots=True)
class _Read:
    """An order whose members lie staged."""

    order: Order
    digest: str


class Applying:
    """Carries orders out, by one caller at a time."""

    def __init__(self, *, spool: Path, state: Path, world: World) -> None:
        self._spool = spool
        self._state = state
        self._staged = state / _STAGED
        self._world = world
        self._exchange = Exchange(state)

    def run(self) -> None:
        """Deal with every order that is there, one after the other; wait for the room where it has to be.

        Raises:
            SottoError, OSError: the box's own folders cannot be used; what was under way is put right the next time.
        """
        self.settle(services_run=True)
        self._tidy()
        while paths := sorted(self._spool.glob(f"*{ORDER_SUFFIX}")):
            self._deal_with(paths[0])
        self._note_all()

    def settle(self, *, services_run: bool) -> None:
        """End or undo what was interrupted. Before the services start nobody has to be waited for.

        Raises:
            SottoError, OSError: as ``run``.
        """
        why = self._exchange.underway()
        if why is None:
            return
        digest, *units = why.split()
        result = self._results().of(digest)
        if result is not None and result.outcome == "done":
            self._exchange.end()
            return
        if services_run:
            self._wait(lambda _why: None)
        self._exchange.put_back()
        if services_run:
            self._world.services.restart(units)
        self._exchange.end()

    def _tidy(self) -> None:
        """What a cut left of folders and files that count no more."""
        self._exchange.forget()
        shutil.rmtree(self._staged, ignore_errors=True)
        forget_asides(self._state)

    # -- one order

    def _deal_with(self, path: Path) -> None:
        read = None
        try:
            with path.open("rb") as file:
                read = self._read(file)
            plan = None if read is None else self._plan(read)
        except StoreError:
            raise  # nothing is wrong with the order
        except (SottoError, OSError) as problem:
            self._refuse(path, read, problem)
        else:
            if read is not None and plan is not None:
                self._carry_out(read, plan)
        path.unlink(missing_ok=True)
        shutil.rmtree(self._staged, ignore_errors=True)

    def _read(self, file: BinaryIO) -> _Read | None:
        """Verify an order, and stage its members; ``None`` where it was dealt with, and a cut left it here.

        Raises:
            OrderError, OSError, StoreError: it cannot be taken, or not be read or staged.
        """
        here = self._world.here()
        clinic_key = here.config.recipients.clinic_key
        if clinic_key is None:
            raise OrderError("this box knows no clinic that it obeys", "set recipients.roster and clinic_key")
        digest = digest_of(read_head(file))
        known = self._results().of(digest)
        if known is not None and known.outcome != "waiting":
            return None
        file.seek(0)
        order = read_order(file, clinic_key=bytes.fromhex(clinic_key))
        check_order(order, box=here.config.box.name, last=self._results().last.get(order.what, 0))
        shutil.rmtree(self._staged, ignore_errors=True)
        self._staged.mkdir(mode=0o700)
        for member, pieces in members_of(file, order):
            with (self._staged / member.name).open("xb") as staged:
                staged.writelines(pieces)
                staged.flush()
                os.fsync(staged.fileno())
        return _Read(order, digest)

    def _plan(self, read: _Read) -> Plan:
        judge = self._world.kinds.get(read.order.what)
        if judge is None:
            raise OrderError(f"this box takes no order about {read.order.what}", "update the box first")
        before = self._results().of(read.digest)
        if before is not None and before.tries >= MOST_TRIES:
            raise OrderError(f"it was interrupted {before.tries} times", "look at the box before you send it again")
        return judge(read.order, self._staged, self._world.here())

    def _carry_out(self, read: _Read, plan: Plan) -> None:
        self._wait(lambda why: self._tell(self._result(read, "waiting", what=why)))
        before = self._results().of(read.digest)
        self._tell(self._result(read, "waiting", tries=(0 if before is None else before.tries) + 1))
        services = self._world.services
        restarting, reloading = services.running(plan.restart), services.running(plan.reload)
        try:
            if plan.act is not None:
                plan.act()
            else:
                self._exchange.begin(" ".join((read.digest, *restarting, *reloading)), plan.puts)
                self._exchange.put(plan.puts)
            services.restart(restarting)
            services.reload(reloading)
        except (SottoError, OSError) as problem:
            self._undo(read, problem, restarting, reloading)
            return
        self._tell(self._result(read, "done"))
        self._exchange.end()

    def _undo(
        self, read: _Read, problem: SottoError | OSError, restarting: tuple[str, ...], reloading: tuple[str, ...]
    ) -> None:
        """The former files, and the services with them."""
        what = f"{what_of(problem)}; what was there before is back"
        self._exchange.put_back()
        try:
            self._world.services.restart(restarting)
            self._world.services.reload(reloading)
        except AdminError as again:
            what = f"{what_of(problem)}; what was there before is back, and {again.what}"
        hint = problem.hint if isinstance(problem, SottoError) else _AGAIN
        self._tell(self._result(read, "undone", what=what, hint=hint))
        self._exchange.end()

    def _wait(self, tell: Callable[[str], None]) -> None:
        """Until nobody is there; ``tell`` is told why it waits, once for each reason."""
        told = None
        while (why := self._world.why_not_now()) is not None:
            if why != told:
                tell(why)
                told = why
            self._world.rest(_LOOK_EVERY_S)

    # -- what is told

    def _refuse(self, path: Path, read: _Read | None, problem: SottoError | OSError) -> None:
        """Only the number of an order that was read whole is used up: one that was damaged can be sent again."""
        what, hint = what_of(problem), problem.hint if isinstance(problem, SottoError) else _AGAIN
        if read is not None:
            self._tell(self._result(read, "refused", what=what, hint=hint))
            return
        at = self._world.now()
        self._tell(Result(digest=_whole_digest(path), outcome="refused", at=at, what=what, hint=hint))

    def _result(self, read: _Read, outcome: Outcome, *, what: str = "", hint: str = "", tries: int = -1) -> Result:
        before = self._results().of(read.digest)
        return Result(
            digest=read.digest,
            outcome=outcome,
            at=self._world.now(),
            about=read.order.what,
            number=read.order.number,
            what=what,
            hint=hint,
            tries=tries if tries >= 0 else 0 if before is None else before.tries,
        )

    def _tell(self, result: Result) -> None:
        """Durable first, then noted: what could not be noted is noted the next time."""
        write_results(self._state, self._results().with_one(result))
        if result.outcome != "waiting":
            self._note_all()

    def _note_all(self) -> None:
        results = self._results()
        for one in results.results:
            if one.outcome != "waiting" and not one.noted and self._world.note(one):
                results = results.with_one(one.model_copy(update={"noted": True}))
                write_results(self._state, results)

    def _results(self) -> Results:
        return read_results(self._state)


def _whole_digest(path: Path) -> str:
    """By which something is named that is no order at all."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
