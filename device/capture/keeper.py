"""What becomes of a recording once it has a name: its fate is marked, and in the end carried out.

On a thread of its own, for both wait for the disk. Marks come in the order in which hands made them, each durable
before the next; what has to be erased is erased when nothing more is written to it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from device.capture.facts import Facts
from device.clock import Clock, stamp, wait_until
from device.errors import StoreError, what_of
from device.store import Store, read_manifest
from device.words import By, Fate

# A withdrawal is too much to leave to the next start because a disk failed once.
_ASK_AGAIN_AFTER_US: Final = (500_000, 5_000_000)


class Keeper:
    """Keeps one recording, or erases it, as hands decide.

    ``turn_over`` and ``settle`` are called from the service's thread, ``begun`` and ``ended`` by whoever records; the
    properties may be read by any thread.
    """

    def __init__(
        self,
        facts: Facts,
        *,
        store: Store,
        clock: Clock,
        trouble: Callable[[str], None],
    ) -> None:
        """``trouble``: told what a store that fails says; from any thread."""
        self._facts = facts
        self._store = store
        self._clock = clock
        self._trouble = trouble
        self._never_began = False
        self._settled = False
        self._sealed = False
        self._jobs: list[Future[None]] = []
        self._finishing = threading.Lock()
        self._begun = threading.Event()
        self._done = threading.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="keeper")

    # -- what hands decide --------------------------------------------------------------------------------------------

    def turn_over(self, fate: Fate, at_us: int) -> None:
        """Write the recording's fate down, durably; nothing is erased yet."""
        self._facts.add_fate(fate, at_us)
        self._jobs.append(self._thread.submit(self._do, lambda: self._mark(fate)))

    def settle(self, fate: Fate) -> None:
        """The window has closed: erase what was withdrawn, as soon as it is sealed."""
        if fate is Fate.WITHDRAWN:
            self._jobs.append(self._thread.submit(self._do, self._erase))
        self._thread.shutdown(wait=False)
        self._settled = True

    # -- what the recorder tells --------------------------------------------------------------------------------------

    def begun(self) -> None:
        """There is something to keep: the recording has its folder."""
        self._begun.set()

    @property
    def has_begun(self) -> bool:
        """Whether there is."""
        return self._begun.is_set()

    def ended(self, *, never_began: bool) -> None:
        """Nothing more will be written to the recording; ``never_began``: nothing ever was."""
        self._never_began = never_began
        self._begun.set()
        with self._finishing:
            self._update_consent()
            self._sealed = True
            self._done.set()

    # -- how far it is ------------------------------------------------------------------------------------------------

    @property
    def sealed(self) -> bool:
        """Whether nothing more will be written to the recording."""
        return self._sealed

    @property
    def idle(self) -> bool:
        """Whether all that hands decided so far is carried out."""
        return all(job.done() for job in self._jobs)

    @property
    def over(self) -> bool:
        """Whether nothing can be decided any more: the window has closed, or there never was a recording."""
        return self._never_began or self._settled

    # -- the keeper's thread ------------------------------------------------------------------------------------------

    def _do(self, job: Callable[[], None]) -> None:
        """Do a job once there is something to keep. A store that fails is told, and asked again for a time."""
        self._begun.wait()
        if not self._facts.recording_id:
            return
        for pause_us in (*_ASK_AGAIN_AFTER_US, 0):
            try:
                job()
            except StoreError as problem:
                self._trouble(problem.what)
                wait_until(self._clock, self._clock.now_us() + pause_us)
            except Exception as problem:  # noqa: BLE001  # a future would keep it to itself
                self._trouble(what_of(problem))
                return
            else:
                return

    def _mark(self, fate: Fate) -> None:
        if fate is Fate.WITHDRAWN:
            self._store.mark_withdrawn(self._facts.recording_id)
        else:
            self._store.unmark_withdrawn(self._facts.recording_id)
        with self._finishing:
            if self._sealed:
                self._update_consent()

    def _update_consent(self) -> None:
        """Write down what the buttons said after the writer had written its last manifest."""
        if self._never_began or not self._facts.recording_id:
            return
        try:
            manifest = read_manifest(self._store.folder(self._facts.recording_id))
            if manifest.consent_events != self._facts.consent_events:
                events = {"consent_events": self._facts.consent_events}
                self._store.write_manifest(manifest.model_copy(update=events))
        except StoreError as problem:
            self._trouble(problem.what)

    def _erase(self) -> None:
        self._done.wait()
        at = stamp(self._clock, self._facts.beginning.boot)
        self._store.erase(self._facts.recording_id, by=By.CLIENT, at=at)
