"""What a cut left open is closed while the box is already up: its lamp and its page must not wait for a large store.

Until that is done the box cannot record, and says so. So a new recording can never meet one that is being closed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from device.errors import AdminError, SottoError, what_of

Progress = Callable[[int, int], None]
"""Told how many recordings are in order, and of how many; from the thread that does it."""

WHAT = "the box is putting its recordings in order"


class PuttingInOrder:
    """Runs a recovery on a thread of its own, once. The properties may be read by any thread."""

    def __init__(self, recover: Callable[[Progress], None]) -> None:
        """``recover`` does the work; what it raises stays as a fault."""
        self._recover = recover
        self._reached = (0, 0)
        self._failed: SottoError | None = None
        self._over = False
        self._done: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._run, name="recovery", daemon=True)

    def start(self, *, done: Callable[[], None], patience_s: float) -> None:
        """Begin, and wait so long at most: what is done by then need not be told. ``done`` is called in any case.

        Nobody waits for it at the end of the program: a recovery that is cut short is taken up at the next start.
        """
        self._done = done
        self._thread.start()
        self._thread.join(patience_s)

    @property
    def under_way(self) -> bool:
        """Whether it has begun and is not over."""
        return self._thread.ident is not None and not self._over

    @property
    def fault(self) -> SottoError | None:
        """Why the box cannot record on its account; ``None`` once everything is in order."""
        if not self.under_way:
            return self._failed
        done, total = self._reached
        return SottoError(WHAT, f"wait: it can record when that is done ({done} of {total} so far)")

    def _run(self) -> None:
        try:
            self._recover(self._reach)
        except BaseException as problem:  # noqa: BLE001  # a thread that dies reaches the lamp
            self._failed = AdminError(
                f"the recordings could not be put in order: {what_of(problem)}",
                "start the capture service again; if it stays so, look into its log",
            )
        self._over = True
        self._done()

    def _reach(self, done: int, total: int) -> None:
        self._reached = (done, total)
