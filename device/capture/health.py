"""Whether the box could record the next session, found out without opening a device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from device.capture.ladder import Readings
from device.capture.needs import RESERVE_BYTES, SOUND_BYTES_PER_S, Surroundings, session_bytes
from device.capture.putting_in_order import PuttingInOrder
from device.errors import SottoError, StoreError, StoreFullError
from device.store import Store
from device.words import Consent

# Room that comes back has to be this much more before a picture is offered again: logs come and go.
_EASE_BYTES: Final = 64 << 20
# How often the store is looked at before it is written to again. A file that comes and goes has the file system write
# some 20 kB for it: every five seconds, day and night, that would be more than the box records.
_LOOKS_FOR_A_TRY: Final = 12


class Health:
    """Looks after store and machine, and remembers what has been told about the store.

    ``offer`` is the most that the store has room for; where it has none even for the sound, that is a problem.
    """

    def __init__(
        self,
        store: Store,
        *,
        max_length_s: int,
        bitrate: int | None,
        standing: tuple[SottoError, ...],
        putting_in_order: PuttingInOrder,
        machine: Callable[[], Readings] = Readings,
        audit: Callable[[], SottoError | None] = lambda: None,
        roster: Callable[[], SottoError | None] = lambda: None,
    ) -> None:
        """``bitrate``: of the camera; ``None`` where there is none.

        ``standing``: what was found wrong at the start and will not heal by itself.

        ``machine``: what is known of it now; nothing, where nobody says. ``audit``: why the audit log cannot be
        written, if it cannot. ``roster``: reads it again, and says why nobody could open a recording, if so it is.
        """
        self._store = store
        self._max_length_s = max_length_s
        self._machine = machine
        self._standing = standing
        self._bitrate = bitrate
        self._putting_in_order = putting_in_order
        self.offer = Consent.SOUND_AND_PICTURE
        self._audit = audit
        self._roster = roster
        self._looks_left = 0
        self.problems: tuple[SottoError, ...] = standing
        self.told: set[str] = set()
        self.free_bytes = 0
        self.surroundings = Surroundings(Readings(), None, max_length_s)

    @property
    def minutes_left(self) -> int:
        """How many minutes of sound surely fit the store."""
        return max(0, self.free_bytes - RESERVE_BYTES) // SOUND_BYTES_PER_S // 60

    @property
    def recovering(self) -> bool:
        """Whether what a cut left open is still being closed."""
        return self._putting_in_order.under_way

    def check(self, *, writing: bool = False) -> tuple[SottoError, ...]:
        """What keeps the box from recording now; empty where nothing does.

        ``writing``: a recording is being written, and tells sooner than any try whether that works.
        """
        found = list(self._standing)
        if (unfinished := self._putting_in_order.fault) is not None:
            found.append(unfinished)
        if (problem_of_audit := self._audit()) is not None:
            found.append(problem_of_audit)
        if (nobody_opens := self._roster()) is not None:
            found.append(nobody_opens)
        free_bytes: int | None = None
        try:
            free_bytes = self.free_bytes = self._store.free_bytes()
            self._try_store(writing=writing)
            self.offer = self._offer()
            if self.free_bytes < session_bytes(self._max_length_s, bitrate=None):
                found.append(
                    StoreFullError(
                        "the store has no room for a whole session",
                        "free room on the store, or let the box finish its sync",
                    )
                )
        except StoreError as problem:
            found.append(problem)
        self.surroundings = Surroundings(self._machine(), free_bytes, self._max_length_s)
        self.problems = tuple(found)
        return self.problems

    def _try_store(self, *, writing: bool) -> None:
        """Look at the store each time; write to it now and then, and each time while that does not work."""
        self._store.look()
        if writing:
            return
        if self._looks_left == 0:
            self._store.check()
            self._looks_left = _LOOKS_FOR_A_TRY
        self._looks_left -= 1

    def _offer(self) -> Consent:
        if self._bitrate is None:
            return self.offer  # there is nothing that more room could add
        ease_bytes = _EASE_BYTES if self.offer is Consent.SOUND else 0
        needed = session_bytes(self._max_length_s, bitrate=self._bitrate) + ease_bytes
        return Consent.SOUND_AND_PICTURE if self.free_bytes >= needed else Consent.SOUND
