"""Does what the page asks to have named: seals it, puts it beside its recording or has it wait, and writes wishes down.

One thread of its own does all of it, one thing after the other. No take knows of it or ever waits for it: not the
sound, not the light, not a withdrawal, whose mark is made by the recording's own keeper. While something is written
beside a recording no erasure of that recording begins; one that somebody wants erased gets nothing any more. The audit
log comes first: after a cut it may say too much, never too little.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLongError
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Final, TypeAlias

from device.age.errors import AgeError
from device.attachments import TooManyError, attach, check_sealed, link, seal
from device.capture.beside import Beside
from device.capture.counting import Counting
from device.capture.duty import Duty
from device.capture.places import Begun, Places
from device.capture.waiting import WaitingRoom
from device.clock import Clock, Stamp, stamp
from device.errors import StoreError, what_of
from device.journal import Entry, Journal, Priority
from device.naming_requests import (
    ANSWER_S,
    Asked,
    AskFor,
    Assign,
    Clip,
    Declined,
    Label,
    Leave,
    Measure,
    Named,
    Note,
    NotNamedError,
    OnDuty,
    Place,
    Reason,
    Review,
)
from device.recording.audited import Happened, Plain, What, Who
from device.recording.beside import Kind
from device.recording.erasure import EraseCertificate
from device.recording.named import LabelDocument, NoteDocument, padded, to_bytes
from device.roster import WhoOpens
from device.store import Store, manifest_of
from device.waiting import Waiting, waits_still
from device.wishes import take_back_wish, write_wish
from device.words import By

_BEGINS_WITHIN_S: Final = 5.0

Attachable: TypeAlias = Label | Note | Measure


class Desk:
    """Answers the page. ``answer``, ``begun`` and ``erased`` may be called from any thread; only ``answer`` waits."""

    def __init__(
        self,
        store: Store,
        *,
        recipients: WhoOpens,
        clock: Clock,
        boot: str,
        places: Places,
        duty: Duty,
        waiting: WaitingRoom,
        note: Callable[[Happened], int | None],
        in_order: Callable[[], bool],
        journal: Journal,
    ) -> None:
        """``note``: makes an audit entry durable; ``None`` where it could not. ``in_order``: recovery is over."""
        self.places, self.duty, self.waiting = places, duty, waiting
        self._store = store
        self._recipients = recipients
        self._clock = clock
        self._boot = boot
        self._note = note
        self._beside = Beside(store, places=places, in_order=in_order)
        self._journal = journal
        self._counting = Counting(store.path)
        self._closing = False
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        places.on_begun = self.begun
        self._jobs.put(self._or_tell(waiting.tidy))
        self._thread = threading.Thread(target=self._run, name="desk", daemon=True)
        self._thread.start()

    # -- from any thread ----------------------------------------------------------------------------------------------

    def answer(self, asked: Asked) -> Named:
        """Do what is asked; it is durable on return.

        Raises:
            NotNamedError, StoreError: it is not done.
        """
        if self._closing:
            raise NotNamedError(Reason.BUSY, "the capture service is ending", "try again once it runs")
        answer: Future[Named] = Future()

        def job() -> None:
            if answer.set_running_or_notify_cancel():
                try:
                    answer.set_result(self._do(asked))
                except BaseException as problem:  # noqa: BLE001  # whoever asked is told
                    answer.set_exception(problem)

        self._jobs.put(job)
        try:
            return answer.result(ANSWER_S)
        except TookTooLongError:
            answer.cancel()
            raise NotNamedError(
                Reason.TOO_SLOW, "the box takes too long; it may do it yet", "look in a minute whether it is there"
            ) from None

    def begun(self, begun: Begun) -> None:
        """A recording has begun: what waits for it goes beside it. Never waits and never fails."""
        self._jobs.put(self._or_tell(lambda: self._receive(begun)))

    def erased(self, certificate: EraseCertificate) -> None:
        """A recording is being erased; its manifest is still there. Never fails: no erasure waits for a count."""
        self._or_tell(lambda: self._count_withdrawal(certificate))()

    def _count_withdrawal(self, certificate: EraseCertificate) -> None:
        manifest = manifest_of(self._store.folder(certificate.recording))
        if certificate.by is By.CLIENT and manifest is not None and (therapist := manifest.therapist) is not None:
            self._jobs.put(self._or_tell(lambda: self._counting.withdrawn(therapist, self._now())))

    def close(self, *, patience_s: float = 5.0) -> None:
        """Do what was asked so far, for as long as that may take."""
        self._closing = True
        self._jobs.put(None)
        self._thread.join(patience_s)

    # -- the desk's own thread ----------------------------------------------------------------------------------------

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def _or_tell(self, job: Callable[[], None]) -> Callable[[], None]:
        """The job, with whatever goes wrong in it told in the journal: nobody waits for an answer."""

        def told() -> None:
            try:
                job()
            except Exception as problem:  # noqa: BLE001  # it ends neither this thread nor a recording
                self._journal(Entry(what_of(problem), Priority.WARNING, {"SOTTO_WHAT": "desk"}))

        return told

    def _now(self) -> Stamp:
        return stamp(self._clock, self._boot)

    def _do(self, asked: Asked) -> Named:
        match asked:
            case Label() | Note() | Measure():
                return self._name(asked)
            case Clip() | Review():
                return self._bring(asked)
            case Place():
                return self._place_by_hand(asked)
            case AskFor():
                return self._wish(asked)
            case Assign():
                return self._assign(asked)
            case OnDuty() | Declined() | Leave():
                self._say(asked)
                return Named()

    # -- what is said of the room -------------------------------------------------------------------------------------

    def _say(self, asked: OnDuty | Declined | Leave) -> None:
        match asked:
            case OnDuty(therapist=None):
                self.duty.end()  # first of all: nothing more is said to be theirs, whatever the log's disk does
                self._must_note(What.ON_DUTY, person=asked.by)
                self._leave(self.waiting.all(), by=Who.PAGE)
            case OnDuty(therapist=str(therapist)):
                self._must_note(What.ON_DUTY, person=asked.by, therapist=therapist)
                self._leave([one for one in self.waiting.all() if one.by != therapist], by=Who.PAGE)
                self.duty.begin(therapist, now_us=self._clock.now_us(), for_s=asked.for_s)
            case Declined():
                self._must_note(What.DECLINED, person=asked.by)
                self._counting.declined(asked.by, self._now())
            case Leave():
                self._leave([one for one in self.waiting.all() if one.by == asked.by], by=Who.PAGE)

    # -- labels, notes, measures, clips, reviews -----------------------------------------------------------------------

    def _name(self, asked: Attachable) -> Named:
        kind, now = Kind(asked.ask), self._now()
        content = _content(asked, now)
        recording_id = asked.recording or self._meant_by(asked)
        with _as_refusals():
            sealed = seal(kind, padded(kind, content), self._recipients(self._whose(recording_id) or asked.by))
        if recording_id is not None:
            return self._attach(recording_id, kind, sealed, by=asked.by)
        self._must_note(What.NAMED, attachment=kind.value, person=asked.by)
        return Named(None, self.waiting.put(kind, sealed, by=asked.by, at=now))

    def _whose(self, recording_id: str | None) -> str | None:
        """Whose recording it is: what lies beside it opens for those for whom it opens, whoever wrote it."""
        manifest = None if recording_id is None else manifest_of(self._store.folder(recording_id))
        return None if manifest is None else manifest.therapist

    def _meant_by(self, asked: Attachable) -> str | None:
        """The recording that runs, or whose window is open; ``None`` where that is another therapist's or client's."""
        recording_id = self.places.current(patience_s=_BEGINS_WITHIN_S)
        if recording_id is None or (isinstance(asked, Measure) and recording_id == asked.after):
            return None
        manifest = manifest_of(self._store.folder(recording_id))
        return recording_id if manifest is None or manifest.therapist in (None, asked.by) else None

    def _bring(self, asked: Clip | Review) -> Named:
        kind = Kind(asked.ask)
        with _as_refusals():
            check_sealed(kind, asked.sealed)
        return self._attach(asked.recording, kind, asked.sealed, by=asked.by)

    def _attach(self, recording_id: str, kind: Kind, sealed: bytes, *, by: str) -> Named:
        self._beside.find(recording_id)
        self._must_note(What.NAMED, recording_id, attachment=kind.value, person=by)
        with self._beside.undisturbed(recording_id) as folder, _as_refusals():
            return Named(recording_id, attach(folder, kind, sealed))

    def _receive(self, begun: Begun) -> None:
        """Put beside a recording that has begun what waits for it, and leave all else: the room is another's now."""
        if begun.therapist is not None:
            self._counting.recorded(begun.therapist, begun.consent, self._now())
        for one in self.waiting.all():
            if one.by == begun.therapist and waits_still(one, self._now()):
                try:
                    self._place(one, begun.recording, by=Who.BOX)
                except (StoreError, NotNamedError) as problem:
                    self._journal(Entry(problem.what, Priority.WARNING, {"SOTTO_WHAT": "desk"}))
        self._leave(self.waiting.all(), by=Who.BOX)

    def _place_by_hand(self, asked: Place) -> Named:
        one = self.waiting.find(asked.name)
        if one is None or one.by != asked.by:
            raise NotNamedError(Reason.GONE, "nothing of that name waits", "load the page again to see what does")
        return Named(asked.recording, self._place(one, asked.recording, by=Who.PAGE))

    def _place(self, one: Waiting, recording_id: str, *, by: Who) -> str:
        self._beside.find(recording_id)
        self._must_note(What.PLACED, recording_id, by=by, attachment=one.kind.value, person=one.by)
        with self._beside.undisturbed(recording_id, patiently=by is Who.BOX) as folder, _as_refusals():
            return self.waiting.place(one, lambda path: link(path, folder, one.kind))

    def _leave(self, chosen: Sequence[Waiting], *, by: Who) -> None:
        if left := [one for one in chosen if not one.left]:
            self.waiting.leave(left)
            self._must_note(What.LEFT, by=by, count=len(left))

    # -- wishes, and whose it is --------------------------------------------------------------------------------------

    def _wish(self, asked: AskFor) -> Named:
        self._beside.find(asked.recording)
        wish, taken_back = asked.wish.value, asked.taken_back
        self._must_note(What.ASKED, asked.recording, person=asked.by, wish=wish, taken_back=taken_back)
        with self._beside.undisturbed(asked.recording) as folder:
            if asked.taken_back:
                take_back_wish(self._store, folder, asked.wish, by=asked.by, at=self._now())
            else:
                write_wish(self._store, folder, asked.wish, by=asked.by, at=self._now())
        return Named(asked.recording)

    def _assign(self, asked: Assign) -> Named:
        self._beside.find_closed(asked.recording)
        self._must_note(What.ASSIGNED, asked.recording, person=asked.by, therapist=asked.therapist)
        with self._beside.undisturbed(asked.recording):
            manifest = self._beside.find_closed(asked.recording).manifest
            self._store.write_manifest(manifest.model_copy(update={"therapist": asked.therapist}))
        return Named(asked.recording)

    def _must_note(self, what: What, recording_id: str | None = None, *, by: Who = Who.PAGE, **facts: Plain) -> None:
        if self._note(Happened(what, recording_id, by, facts)) is None:
            raise NotNamedError(
                Reason.NOT_NOTED,
                "this could not be noted in the audit log, so it is not done",
                "see that the store has room, then try again",
            )


@contextmanager
def _as_refusals() -> Iterator[None]:
    """What age refuses, and what there is too much of, as an answer."""
    try:
        yield
    except TooManyError as problem:
        raise NotNamedError(Reason.TOO_MANY, problem.what, problem.hint) from problem
    except AgeError as problem:
        raise NotNamedError(
            Reason.NOT_SEALED, problem.what, problem.hint or "ask whoever set the box up to look at its recipients"
        ) from problem


def _content(asked: Attachable, now: Stamp) -> bytes:
    """What is sealed of it."""
    at, trusted, by = now.wall, now.trusted, asked.by
    match asked:
        case Label(client=client, session=session, study=study, arm=arm):
            document = LabelDocument(
                at=at, clock_trusted=trusted, by=by, client=client, session=session, study=study, arm=arm
            )
            return to_bytes(document)
        case Note(text=text):
            return to_bytes(NoteDocument(at=at, clock_trusted=trusted, by=by, text=text))
        case Measure(document=measured):
            return measured.encode()
