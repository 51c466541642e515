"""Whether the box could record the next session, found out without opening a device."""

from __future__ import annotations

from collections.abc import Callable

from device.capture.ladder import Readings
from device.capture.needs import SOUND_BYTES_PER_S, Surroundings
from device.errors import SottoError, StoreError, StoreFullError
from device.store import Store


class Health:
    """Looks after store and machine, and remembers what has been told about the store."""

    def __init__(
        self,
        store: Store,
        *,
        max_length_s: int,
        standing: tuple[SottoError, ...],
        machine: Callable[[], Readings] = Readings,
        audit: Callable[[], SottoError | None] = lambda: None,
    ) -> None:
        """``standing``: what was found wrong at the start and will not heal by itself.

        ``machine``: what is known of it now; nothing, where nobody says. ``audit``: why the audit log cannot be
        written, if it cannot.
        """
        self._store = store
        self._max_length_s = max_length_s
        self._machine = machine
        self._standing = standing
        self._audit = audit
        self.problems: tuple[SottoError, ...] = standing
        self.told: set[str] = set()
        self.free_bytes = 0
        self.surroundings = Surroundings(Readings(), None, max_length_s)

    @property
    def minutes_left(self) -> int:
        """How many minutes of sound surely fit the store."""
        return self.free_bytes // SOUND_BYTES_PER_S // 60

    def check(self) -> tuple[SottoError, ...]:
        """What keeps the box from recording now; empty where nothing does."""
        found = list(self._standing)
        if (problem_of_audit := self._audit()) is not None:
            found.append(problem_of_audit)
        free_bytes: int | None = None
        try:
            free_bytes = self.free_bytes = self._store.free_bytes()
            self._store.check()
            if self.free_bytes < self._max_length_s * SOUND_BYTES_PER_S:
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
