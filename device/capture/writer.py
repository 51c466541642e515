"""Makes a recording durable: backlog → pipeline → sealer → store. The only part that may have to wait for the disk."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from device.age.recipients import Recipient
from device.capture.backlog import Backlog, Bookmark, CameraAway, Item, Step
from device.capture.facts import Facts
from device.capture.packets import Gap, Picture, Sound, SoundFormat
from device.capture.pipeline import Pipeline
from device.capture.sealer import Sealer
from device.capture.trail import gap_of, sealed
from device.clock import Clock, wire_time
from device.errors import SottoError, StoreError
from device.recording.audited import Tell, to_no_log
from device.recording.manifest import GapFact, RecordingState, SoundReport
from device.recovery import close_torn, forget_ledger, remove_unbegun
from device.sealed_file import SealedFile
from device.store import Store, read_manifest


@dataclass(frozen=True, slots=True)
class WriterEvents:
    """Whom the writer tells what, on its own thread."""

    begun: Callable[[str], None]
    durable: Callable[[int, int], None]  # up to which microsecond of the recording, in how many bytes
    taken: Callable[[int], None]  # sound up to this monotonic microsecond is on its way to the disk
    audit: Tell = to_no_log  # a gap that is over, so that its length is known; and that the recording is closed


class Writer:
    """Writes one recording, from its first sound to the end mark, on whatever thread calls ``run``."""

    def __init__(
        self,
        store: Store,
        recipients: Sequence[Recipient],
        backlog: Backlog,
        facts: Facts,
        *,
        clock: Clock,
        report: Callable[[], SoundReport],
        events: WriterEvents,
    ) -> None:
        self._store = store
        self._recipients = recipients
        self._backlog = backlog
        self._facts = facts
        self._clock = clock
        self._report = report
        self._events = events
        self._noted: tuple[int | None, tuple[GapFact, ...]] = (None, ())
        self._gaps_told = 0

    def run(self, sound: SoundFormat) -> None:
        """Write until the backlog has ended and everything is durable.

        Raises:
            StoreError: the recording ends here. What was durable before is closed as it is and not written to again.
        """
        folder = self._store.new_folder()
        self._facts.recording_id, self._facts.sound = folder.name, sound
        self._store.write_manifest(self._facts.manifest(RecordingState.OPEN))
        sealer = Sealer(self._recipients, SealedFile(folder), on_durable=self._events.durable)
        begun = self._facts.beginning
        pipeline = Pipeline(sound, self._facts, size=begun.size if begun.camera else None, sink=sealer)
        try:
            pipeline.open()
            self._events.begun(folder.name)
            self._take_all(pipeline)
            pipeline.close()
        except BaseException as problem:
            sealer.close()
            self._close_as_it_is(problem, chunks=sealer.chunks)
            raise
        sealer.close()
        self._facts.ended = wire_time(self._clock.utc())
        manifest = self._facts.manifest(
            RecordingState.COMPLETE,
            duration_us=pipeline.duration_us,
            report=self._report(),
            pictures=pipeline.pictures,
            chunks=sealer.chunks,
            size_bytes=sealer.size_bytes,
            header_digest=sealer.header_digest,
            digests=sealer.digests,
            closing_digest=sealer.closing_digest,
        )
        self._store.write_manifest(manifest)
        self._tell_gaps()
        self._events.audit(sealed(manifest))
        with contextlib.suppress(OSError):  # it then stays for the next start to take away
            forget_ledger(folder)

    def _take_all(self, pipeline: Pipeline) -> None:
        """Take what comes, as much at a time as fills a chunk, until it ends."""
        while waiting := self._backlog.wait(pipeline.due_us):
            for _ in range(waiting):
                if (item := self._backlog.get()) is not None:
                    self._take(item, pipeline)
            pipeline.flush_if_due()

    def _take(self, item: Item, pipeline: Pipeline) -> None:
        match item:
            case Sound():
                pipeline.write_sound(item)
                self._events.taken(item.end_us)
                self._note_what_grew(pipeline)
                self._tell_gaps()
            case Gap():
                known = len(self._facts.gaps)
                pipeline.write_gap(item)
                self._events.taken(item.end_us)
                if len(self._facts.gaps) > known:
                    self._note(pipeline)
            case Picture():
                pipeline.write_picture(item)
            case Bookmark():
                self._facts.bookmarks_us.append(max(0, self._facts.from_zero(item.at_us)))
                self._note(pipeline)
            case CameraAway():
                self._facts.add_camera_away(item.at_us, away=item.away)
                self._note(pipeline)
            case Step():
                self._facts.add_step(item.at_us, item.rung, item.cause)
                self._note(pipeline)

    def _note_what_grew(self, pipeline: Pipeline) -> None:
        """Write down when the first sample was taken, and a gap when it begins and, in full, when the sound is back."""
        if (self._facts.zero_us, tuple(self._facts.gaps)) != self._noted:
            self._note(pipeline)

    def _tell_gaps(self) -> None:
        """Tell the gaps that are over: with the sound back, or the recording at its end, they grow no more."""
        over = self._facts.gaps[self._gaps_told :]
        self._gaps_told += len(over)
        for gap in over:
            self._events.audit(gap_of(self._facts.recording_id, gap))

    def _note(self, pipeline: Pipeline) -> None:
        """Write the facts down as they come, so that a power cut does not take them along."""
        manifest = self._facts.manifest(
            RecordingState.OPEN, duration_us=pipeline.duration_us, report=self._report(), pictures=pipeline.pictures
        )
        self._store.write_manifest(manifest)
        self._noted = (self._facts.zero_us, manifest.gaps)

    def _close_as_it_is(self, problem: BaseException, *, chunks: int) -> None:
        """Close what was durable by the ledger, as after a power cut; where even that fails the next start does it."""
        folder = self._store.folder(self._facts.recording_id)
        try:
            if chunks == 0:
                remove_unbegun(folder)
                return
            why = problem.what if isinstance(problem, SottoError) else "a part of the program failed"
            close_torn(self._store, folder, why=why, chunks=chunks)
            self._tell_gaps()
            self._events.audit(sealed(read_manifest(folder)))
        except (OSError, StoreError):
            return
