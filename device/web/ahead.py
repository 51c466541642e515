"""What the first look after a start needs, read before anybody looks.

Whoever opens the list first would otherwise wait until every manifest in the store is read, its signature verified, and
every template compiled. So that is done ahead, once after each start, on a thread of its own, and it goes last: no step
is made while somebody is answered or something is recorded, and a step is short (one manifest). What is still to be
read when somebody looks is read then and there; nobody ever sees less, and what changes on disk later is noticed by
those who remember (``device/remembering.py``, ``device/web/proofs.py``), as ever.

A lower niceness would not do: the threads of a program take turns with one lock, and one that has it while the system
lets it wait holds up those who answer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from flask import Flask

from device.errors import AdminError
from device.status import read_status
from device.web.house import House, is_stale

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_NAME: Final = "sotto-ahead"
# What the list is made of comes first: somebody may want it at once.
_LIST: Final = ("_", "base.", "list.")
_LOOK_S: Final = 0.05
_STATUS_S: Final = 0.5
_AGAIN_S: Final = 30.0


class Answering:
    """Knows whether anybody is being answered; the application that it stands around does that."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._under_way = 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Have it answered. Bytes that leave afterwards (a download) take no thought, and do not count."""
        with self._lock:
            self._under_way += 1
        try:
            return self._app(environ, start_response)
        finally:
            with self._lock:
                self._under_way -= 1

    @property
    def anybody(self) -> bool:
        """Whether anybody is, just now."""
        return self._under_way > 0


class ReadingAhead:
    """Makes the steps, one after the other, on a thread of its own, until all are made or it is closed.

    ``steps`` begins them; an ``AdminError`` in one is told once, and all begin again after a while: what was read is
    remembered. Any other error ends the thread, and is told by whoever tells of threads that end so.
    ``may_go_on`` is asked before each step.
    """

    def __init__(
        self,
        steps: Callable[[], Iterator[None]],
        *,
        may_go_on: Callable[[], bool],
        tell: Callable[[AdminError], None],
        look_s: float = _LOOK_S,
        again_s: float = _AGAIN_S,
    ) -> None:
        self._steps = steps
        self._may_go_on = may_go_on
        self._tell = tell
        self._look_s = look_s
        self._again_s = again_s
        self._told = ""
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._read, name="reading ahead", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End; the step under way is waited for."""
        self._closing.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._is_through() and not self._closing.wait(self._again_s):
            pass

    def _is_through(self) -> bool:
        """Make all steps; whether they are made."""
        steps = self._steps()
        while self._waited_for_its_turn():
            try:
                next(steps)
            except StopIteration:
                return True
            except AdminError as problem:
                if self._told != problem.what:
                    self._told = problem.what
                    self._tell(problem)
                return False
        return False

    def _waited_for_its_turn(self) -> bool:
        """Wait until nobody else goes first; ``False``: it is closed."""
        while not self._closing.is_set():
            if self._may_go_on():
                return True
            self._closing.wait(self._look_s)
        return False


class Manners:
    """Whether what can wait may go on: nobody is answered, and nothing is recorded or sealed."""

    def __init__(self, answering: Answering, house: House, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._answering = answering
        self._house = house
        self._now_s = now_s
        self._looked_s: float | None = None
        self._records = False

    def __call__(self) -> bool:
        """Ask; cheap enough to be asked a thousand times a second."""
        return not self._answering.anybody and not self._recording()

    def _recording(self) -> bool:
        now_s = self._now_s()
        if self._looked_s is None or now_s - self._looked_s >= _STATUS_S:
            status = read_status(self._house.run)
            alive = None if status is None or is_stale(status, unix_s=self._house.unix_s()) else status
            self._records = alive is not None and (alive.recording is not None or alive.sealing > 0)
            self._looked_s = now_s
        return self._records


@dataclass(frozen=True, slots=True)
class _Ahead:
    steps: Callable[[], Iterator[None]]
    may_go_on: Callable[[], bool]


def ahead(app: Flask, house: House) -> None:
    """Let ``app`` be read ahead for."""
    answering = Answering(app.wsgi_app)
    app.wsgi_app = answering  # type: ignore[method-assign]  # as Flask's documentation has it
    app.extensions[_NAME] = _Ahead(lambda: steps_of(app, house), Manners(answering, house))


def read_ahead(app: Flask, *, tell: Callable[[AdminError], None]) -> ReadingAhead:
    """Begin, for an application of ``ahead``; whoever has it closed has it ended. ``tell``: what kept it from it."""
    made = cast("_Ahead", app.extensions[_NAME])
    return ReadingAhead(made.steps, may_go_on=made.may_go_on, tell=tell)


def steps_of(app: Flask, house: House) -> Iterator[None]:
    """Everything that is worth being read ahead, a step at a time: the list's first.

    Raises:
        StoreError: the store cannot be listed.
    """
    names = app.jinja_env.list_templates()
    of_list = [name for name in names if name.startswith(_LIST)]
    yield from _templates(app, of_list)
    for recording_id in reversed(house.store.ids()):
        house.store.find(recording_id)
        yield
    yield from _templates(app, sorted(set(names) - set(of_list)))
    ways = house.ways(house.now())
    for recording_id in reversed(house.store.ids()):
        if (seen := house.store.glimpse(recording_id)) is not None:
            ways.facts_of(seen)  # its receipts, and what lies beside it
        yield


def _templates(app: Flask, names: Iterable[str]) -> Iterator[None]:
    for name in names:
        app.jinja_env.get_template(name)
        yield
