"""What is being answered on tablets right now: in this process's memory, and nowhere else.

An answer is a client's own word (promise P4): it is on no disk before capture has sealed it. So a page that is started
anew has forgotten what was answered on it so far, and says so.

A tablet is handed over in one of two ways. On the therapist's own device the kiosk begins at once. For another one
that was never signed in, such as a tablet that stays in the room, there is a code that is typed in once, within five
minutes.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from device.measures.measure import Measure
from device.measures.sitting import Sitting, sit_down
from device.people.secret import digest_of_code
from device.people.visit import LIVES, Kind

CODE_LIVES_S: Final = 300.0
_LETTERS: Final = "23456789abcdefghjkmnpqrstvwxyz"
_GROUP: Final = 4
# 30 letters to the power of 8: at a thousand guesses a second, one in two million finds a code while it lives.
_GROUPS: Final = 2
_MOST: Final = 32


@dataclass(frozen=True, slots=True)
class Plan:
    """What a tablet is handed over for: which measures, whose session, and which of the people in the room.

    ``recording``: to which the answers belong; ``None``: to the one that runs or begins next, and not to ``after``,
    whose window is open. ``mark``: the therapist.
    """

    mark: str
    measures: tuple[Measure, ...]
    recording: str | None
    after: str | None
    person: int


@dataclass(slots=True)
class Kiosk:
    """How far one tablet is. Only whoever holds it (``Kiosks.held``) may look at it or change it.

    ``complaint``: what to say about the last answer, a key of the catalogue; ``failed``: why it could not be handed in.
    """

    plan: Plan
    seen_s: float
    begun: bool = False
    index: int = 0
    sitting: Sitting | None = None
    started_s: float = 0.0
    complaint: str | None = None
    failed: str = ""
    stopped: bool = False
    tells: list[str] = field(default_factory=list, repr=False)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def over(self) -> bool:
        """Whether nothing is asked any more."""
        return self.stopped or self.index >= len(self.plan.measures)

    @property
    def measure(self) -> Measure | None:
        """The one whose turn it is."""
        return None if self.over else self.plan.measures[self.index]

    def begin(self, now_s: float) -> None:
        """Begin the measure whose turn it is."""
        self.begun = True
        if self.measure is not None:
            self.sitting, self.started_s = sit_down(self.measure), now_s

    def go_on(self, now_s: float) -> None:
        """This measure was handed in: forget its answers, and begin the next."""
        self.sitting, self.failed = None, ""
        self.index += 1
        self.begin(now_s)

    def stop(self) -> None:
        """Ask nothing more, and forget what was not handed in."""
        self.sitting, self.stopped = None, True


class Kiosks:
    """All tablets of a box. Safe for many threads; moments are seconds since 1970 by the wall clock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._codes: dict[bytes, tuple[Plan, float]] = {}
        self._kiosks: dict[str, Kiosk] = {}

    def prepare(self, plan: Plan, now_s: float) -> str:
        """A code for another device; it can be used once, and not for long."""
        groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
        code = "-".join(groups)
        with self._lock:
            self._forget(now_s)
            if len(self._codes) >= _MOST:
                del self._codes[next(iter(self._codes))]
            self._codes[digest_of_code(code)] = (plan, now_s)
        return code

    def redeem(self, code: str, now_s: float) -> Plan | None:
        """What a code was made for; ``None``: it is none (any more)."""
        with self._lock:
            self._forget(now_s)
            found = self._codes.pop(digest_of_code(code), None)
        return None if found is None else found[0]

    def begin(self, session: str, plan: Plan, now_s: float) -> None:
        """A tablet was handed over; ``session`` names it."""
        with self._lock:
            self._forget(now_s)
            if len(self._kiosks) >= _MOST:
                del self._kiosks[min(self._kiosks, key=lambda one: self._kiosks[one].seen_s)]
            self._kiosks[session] = Kiosk(plan, now_s)

    @contextmanager
    def held(self, session: str, now_s: float) -> Iterator[Kiosk | None]:
        """One tablet, for one request at a time; ``None``: nothing is known of it (any more)."""
        with self._lock:
            self._forget(now_s)
            kiosk = self._kiosks.get(session)
        if kiosk is None:
            yield None
            return
        with kiosk.lock:
            kiosk.seen_s = now_s
            yield kiosk

    def end(self, session: str) -> None:
        """Forget a tablet, and what was answered on it and not handed in."""
        with self._lock:
            self._kiosks.pop(session, None)

    def _forget(self, now_s: float) -> None:
        """Forget what is too old; and what is from the future, for the clock was set and nobody knows how old it is."""
        idle_s = LIVES[Kind.KIOSK].idle_s
        self._codes = {key: one for key, one in self._codes.items() if 0 <= now_s - one[1] < CODE_LIVES_S}
        self._kiosks = {key: one for key, one in self._kiosks.items() if abs(now_s - one.seen_s) < idle_s}
