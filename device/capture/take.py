"""One recording from the press to the end of its window: its threads and its facts; its fate is the keeper's.

Four threads, so that none has to wait for another's device: microphone, camera, writer, and a keeper that makes marks
and erases. What they tell is handed on as the reports that the session machine understands.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from device.age.recipients import Recipient
from device.capture.backlog import SOUND_LIMIT_US, Backlog, Bookmark
from device.capture.facts import Facts
from device.capture.feeds import SoundEvents, SoundFeed
from device.capture.keeper import Keeper
from device.capture.meter import Level
from device.capture.needs import Surroundings
from device.capture.packets import Camera, Microphone, SoundFormat
from device.capture.picture_side import PictureSide, SideEvents
from device.capture.trail import begun
from device.capture.writer import Writer, WriterEvents
from device.clock import Clock
from device.errors import MicrophoneError, what_of
from device.recording.audited import Tell
from device.recording.manifest import SoundReport
from device.session_events import Ended, Failed, Opened, Report, Sealed, Trouble, Well
from device.store import Store
from device.words import Fate

NO_SOUND: Final = "no sound"
LONG_SILENCE: Final = "long silence"
MICROPHONE_GONE: Final = "microphone gone"
SECOND_MICROPHONE: Final = "second microphone"
NO_PICTURE: Final = "no picture"
STORAGE_SLOW: Final = "storage slow"
# Why a recording ends by itself, as its manifest has it.
SILENCE: Final = "silence"
STORE_FULL: Final = "the store is full"
_SILENT_AFTER_US: Final = 10_000_000
_SILENCE_WARNED_US: Final = 60_000_000
_PAUSE_US: Final = 3_000_000
_SLOW_AFTER_US: Final = 4_000_000
_STUCK_AFTER_US: Final = SOUND_LIMIT_US + 10_000_000
# How far a rehearsal's time may run ahead of the writer: far less than any patience above.
_WRITER_SLACK_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Devices:
    """What a take records from. ``stills``: the same camera, sending JPEG, for a framing check; no take is given it."""

    microphone: Microphone
    camera: Camera | None
    stills: Camera | None = None


class Take:
    """A recording under way, or one whose fate is still open.

    Called from the service's thread only, apart from the properties, which any thread may read.
    """

    def __init__(
        self,
        ordinal: int,
        facts: Facts,
        devices: Devices,
        *,
        store: Store,
        recipients: Sequence[Recipient],
        clock: Clock,
        floor_dbfs: float,
        silence_stop_s: int,
        surroundings: Callable[[], Surroundings],
        report: Callable[[Report], None],
        changed: Callable[[], None],
        begun: Callable[[str], None],
        tell: Tell,
    ) -> None:
        """``silence_stop_s``: it ends by itself after so long without a sound above the floor; 0: never.

        ``report``, ``changed`` (a device was opened or closed) and ``begun`` (the recording has its id, and its first
        chunk is durable) may be called from any thread, and neither wait nor fail.
        """
        self.ordinal = ordinal
        self._pace = f"take {ordinal}"
        self.facts = facts
        self.durable_us = self.size_bytes = 0
        self.level: Level | None = None
        self._microphone = devices.microphone
        self._clock = clock
        self._floor_dbfs = floor_dbfs
        self._silence_stop_us = silence_stop_s * 1_000_000
        self._surroundings = surroundings
        self._report = report
        self._changed = changed
        self._begun = begun
        self._audit = tell
        self._backlog = Backlog()
        self._troubles: set[str] = set()
        self._telling = threading.Lock()
        self._loud_at_us = self._durable_at_us = facts.beginning.pressed_us
        self._opened = False
        self._camera_after: Sequence[threading.Event] = ()
        self._failed = False
        self._ending = False
        self._pacing = threading.Lock()
        self._writer_thread: threading.Thread | None = None
        self._keeper = Keeper(facts, store=store, clock=clock, trouble=self._on_trouble)
        self._writer = Writer(
            store,
            recipients,
            self._backlog,
            facts,
            clock=clock,
            report=self._sound_report,
            events=WriterEvents(begun=self._on_begun, durable=self._on_durable, taken=self._on_taken, audit=tell),
        )
        self._sound = SoundFeed(
            devices.microphone, self._backlog, clock=clock, floor_dbfs=floor_dbfs, events=self._sound_events()
        )
        self._picture = self._picture_side(devices.camera) if devices.camera else None

    # -- what the service asks ----------------------------------------------------------------------------------------

    def start(self, *, after: Take | None, camera_after: Sequence[threading.Event] = ()) -> None:
        """Open the devices as soon as those of the take before are closed. ``Opened`` or ``Failed`` is reported.

        ``camera_after``: what else has to let the camera go first; the sound does not wait for that.
        """
        self._camera_after = camera_after
        # A microphone that a slow machine opens late has nothing to lose in a rehearsal either.
        self._let_time_run(self.facts.beginning.pressed_us + _WRITER_SLACK_US)
        self._sound.start(after=None if after is None else after.microphone_closed)

    def stop(self, *, cause: str) -> None:
        """Close the devices, then seal what there is. Returns at once; ``Sealed`` is reported. May be repeated.

        ``cause``: why, for the manifest; the first one counts.
        """
        with self._pacing:
            self._ending = True
            self._clock.keep_pace(self._pace, None)
        self.facts.end = self.facts.end or cause
        self._sound.stop()
        if self._picture is not None:
            self._picture.stop()

    def withdraw(self, at_us: int) -> None:
        """Close the devices at once, and make the withdrawal durable before anything else."""
        self.stop(cause=Fate.WITHDRAWN.value)
        self.turn_over(Fate.WITHDRAWN, at_us)

    def turn_over(self, fate: Fate, at_us: int) -> None:
        """Write the recording's fate down, durably; nothing is erased yet."""
        self._keeper.turn_over(fate, at_us)

    def settle(self, fate: Fate) -> None:
        """The window has closed: erase what was withdrawn, as soon as it is sealed."""
        self._keeper.settle(fate)

    def bookmark(self, at_us: int) -> None:
        """Set a bookmark."""
        self._backlog.put_note(Bookmark(at_us))

    def watch(self, now_us: int) -> None:
        """Look whether there is sound, room, and whether it becomes durable; to be called a few times a second."""
        if self._ending or not self._opened:
            return
        if self._picture is not None:
            self._picture.watch(now_us)
        self._tell(NO_SOUND, wrong=now_us - self._loud_at_us > _SILENT_AFTER_US)
        self._tell(STORAGE_SLOW, wrong=now_us - self._durable_at_us > _SLOW_AFTER_US)
        self._watch_silence(now_us)
        if self._surroundings().full:
            self._end_by_itself(STORE_FULL)

    def _watch_silence(self, now_us: int) -> None:
        """End a recording that was forgotten; a microphone that is gone is no silence, and may be back."""
        if not self._silence_stop_us or self.level is None:
            return
        left_us = self._silence_stop_us - (now_us - self._loud_at_us)
        self._tell(LONG_SILENCE, wrong=left_us <= min(_SILENCE_WARNED_US, self._silence_stop_us // 2))
        if left_us <= 0:
            self._end_by_itself(SILENCE)

    def stuck(self, now_us: int) -> bool:
        """Whether nothing has become durable for so long that only starting the program again can help.

        Longer than the backlog lasts: a restart costs what is in it, so it comes when that is lost anyway.
        """
        return self._opened and not self.sealed and now_us - self._durable_at_us > _STUCK_AFTER_US

    @property
    def microphone_closed(self) -> threading.Event:
        """Set once this take will never hold the microphone again."""
        return self._sound.closed

    @property
    def camera_closed(self) -> threading.Event | None:
        """Set once this take will never hold the camera again; ``None`` if it never did."""
        return None if self._picture is None else self._picture.closed

    @property
    def sealed(self) -> bool:
        """Whether nothing more will be written to it, or nothing ever was."""
        return self._keeper.sealed

    @property
    def idle(self) -> bool:
        """Whether it is sealed, its devices are closed, and all that was said about its fate so far is carried out."""
        return self.sealed and not self.holds_devices and self._keeper.idle

    @property
    def over(self) -> bool:
        """Whether nothing is left to do for it: it could not start, or it is sealed and its fate carried out."""
        return self.idle and self._keeper.over

    @property
    def devices_open(self) -> tuple[str, ...]:
        """The devices that are open at this moment."""
        picture_open = self._picture is not None and self._picture.is_open
        return ("microphone",) * self._sound.is_open + ("camera",) * picture_open

    @property
    def holds_devices(self) -> bool:
        """Whether a device is open, or is being opened or closed: a device that takes its time is no dark one."""
        return not self._sound.closed.is_set() or (self._picture is not None and self._picture.holds_device)

    @property
    def pictures(self) -> int:
        """Pictures taken so far."""
        return 0 if self._picture is None else self._picture.pictures

    @property
    def above_floor(self) -> bool:
        """Whether there was sound just now: people pause, and a pause is nothing to tell."""
        return self.level is not None and self._clock.now_us() - self._loud_at_us < _PAUSE_US

    # -- what the threads tell ----------------------------------------------------------------------------------------

    def _sound_events(self) -> SoundEvents:
        return SoundEvents(
            opened=self._on_opened,
            failed=self._on_failed,
            gone=self._on_microphone_gone,
            back=self._on_microphone_back,
            overloaded=lambda: self._tell(STORAGE_SLOW, wrong=True),
            level=self._on_level,
            devices=self._on_microphone,
            died=self._on_died,
        )

    def _picture_side(self, camera: Camera) -> PictureSide:
        events = SideEvents(
            gone=lambda: self._tell(NO_PICTURE, wrong=True),
            back=lambda: self._tell(NO_PICTURE, wrong=False),
            devices=self._changed,
            died=self._on_died,
        )
        return PictureSide(camera, self._backlog, clock=self._clock, surroundings=self._surroundings, events=events)

    def _tell(self, name: str, *, wrong: bool) -> None:
        with self._telling:  # several threads tell, and what is reported last has to be what is true
            if wrong == (name in self._troubles):
                return
            (self._troubles.add if wrong else self._troubles.discard)(name)
            kind = Trouble if wrong else Well
            self._report(kind(self.ordinal, self._clock.now_us(), name))

    def _on_opened(self, sound: SoundFormat) -> None:
        now_us = self._clock.now_us()
        self._loud_at_us = self._durable_at_us = now_us
        self._opened = True
        self._let_time_run(now_us + _WRITER_SLACK_US)
        self._writer_thread = threading.Thread(target=self._write, args=(sound,), name="writer", daemon=True)
        self._writer_thread.start()
        self._report(Opened(self.ordinal, now_us))
        self._note_microphone()
        if self._picture is not None and not self._ending:
            # What it may tell is heard only of a recording that has begun.
            self._picture.start(after=self._camera_after)

    def _on_failed(self, problem: MicrophoneError) -> None:
        self._failed = True
        self._end()
        self._report(Failed(self.ordinal, self._clock.now_us(), problem.what))

    def _on_microphone(self) -> None:
        if self._sound.closed.is_set() and not self._opened and not self._failed:
            # It was stopped, or its thread died, before the microphone was open: nobody else tells that it never began.
            self._on_failed(MicrophoneError("the recording ended before it began", "press CONSENT, then RECORD, again"))
        self._changed()

    def _on_level(self, level: Level) -> None:
        self.level = level
        if self._sound.meter is not None and self._sound.meter.above_floor(level):
            self._loud_at_us = self._clock.now_us()

    def _on_microphone_gone(self) -> None:
        self.level = None
        self._tell(MICROPHONE_GONE, wrong=True)

    def _on_microphone_back(self) -> None:
        self._loud_at_us = self._clock.now_us()  # what it did not hear was no silence
        self._tell(MICROPHONE_GONE, wrong=False)
        self._note_microphone()

    def _note_microphone(self) -> None:
        self.facts.add_microphone(self._microphone.name, self._clock.now_us())
        self._tell(SECOND_MICROPHONE, wrong=self._microphone.stands_in)

    def _on_trouble(self, what: str) -> None:
        self._report(Trouble(self.ordinal, self._clock.now_us(), what))

    def _on_died(self, problem: BaseException) -> None:
        self._end_by_itself(what_of(problem))

    def _on_begun(self, recording_id: str) -> None:
        self._audit(begun(recording_id, self.ordinal, therapist=self.facts.beginning.therapist))
        self._keeper.begun()
        self._begun(recording_id)

    def _on_durable(self, end_us: int, size_bytes: int) -> None:
        self.durable_us, self.size_bytes = end_us, size_bytes
        self._durable_at_us = self._clock.now_us()
        self._tell(STORAGE_SLOW, wrong=False)

    def _on_taken(self, at_us: int) -> None:
        self._let_time_run(at_us + _WRITER_SLACK_US)

    def _let_time_run(self, until_us: int) -> None:
        """Have a rehearsal's time wait for this take, as long as it records: after that it has nothing to lose."""
        with self._pacing:
            if not self._ending:
                self._clock.keep_pace(self._pace, until_us)

    def _sound_report(self) -> SoundReport:
        meter = self._sound.meter
        return SoundReport() if meter is None else meter.report(gaps=bool(self.facts.gaps))

    # -- the writer's thread ------------------------------------------------------------------------------------------

    def _write(self, sound: SoundFormat) -> None:
        try:
            self._writer.run(sound)
        except BaseException as problem:  # noqa: BLE001  # a thread that dies reaches the recorder, and it the lamp
            if not self._keeper.has_begun:
                self._never_began(what_of(problem))
                return
            self._on_died(problem)
        self._end()
        self._report(Sealed(self.ordinal, self._clock.now_us()))

    def _never_began(self, what: str) -> None:
        """Not one chunk could be made durable: there is no recording, and no lamp may say "sealed"."""
        self._failed = True
        self.stop(cause=what)
        self._end()
        self._report(Failed(self.ordinal, self._clock.now_us(), what))

    def _end_by_itself(self, cause: str) -> None:
        if not self._ending:
            self.stop(cause=cause)
            self._report(Ended(self.ordinal, self._clock.now_us(), cause))

    def _end(self) -> None:
        self._clock.keep_pace(self._pace, None)
        meter = self._sound.meter
        if meter is not None:
            self._sound.closed.wait()
            meter.close()
        self._keeper.ended(never_began=self._failed)
