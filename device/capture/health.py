"""Whether the box could record the next session, found out without opening a device."""

from __future__ import annotations

from typing import Final

from device.errors import SottoError, StoreError, StoreFullError
from device.store import Store

# 24-bit stereo noise at 48 kHz, which FLAC cannot make smaller, with its padding.
SOUND_BYTES_PER_S: Final = 310_000


class Health:
    """Looks after the store and remembers what has been told about it."""

    def __init__(self, store: Store, *, max_length_s: int, standing: tuple[SottoError, ...]) -> None:
        """``standing``: what was found wrong at the start and will not heal by itself."""
        self._store = store
        self._max_length_s = max_length_s
        self._standing = standing
        self.problems: tuple[SottoError, ...] = standing
        self.told: set[str] = set()
        self.free_bytes = 0

    @property
    def minutes_left(self) -> int:
        """How many minutes of sound surely fit the store."""
        return self.free_bytes // SOUND_BYTES_PER_S // 60

    def check(self) -> tuple[SottoError, ...]:
        """What keeps the box from recording now; empty where nothing does."""
        found = list(self._standing)
        try:
            self.free_bytes = self._store.free_bytes()
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
        self.problems = tuple(found)
        return self.problems
