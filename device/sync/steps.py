"""One step of sync: a recording is sent, read again and signed for; or an erase order is obeyed and taken away."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

from device.errors import AdminError, PutOffError, RemoteError
from device.journal import Priority
from device.notify import ALIVE, Notify
from device.recording import MANIFEST_NAME, SESSION_NAME
from device.recording.layout import Desk, filed
from device.recording.manifest import Manifest
from device.remote import Remote
from device.sync.looking import Looking
from device.sync.sending import Paces, Sending
from device.sync.telling import Telling
from device.sync.waiting import Waiting
from device.sync_queue import Order, Send
from device.sync_requests import Ask, BesideAsk, ObeyedAsk, ReceiptAsk
from device.sync_status import SyncState

_SIGNING_S: Final = 60.0  # for so long capture may start again without anything having to be read again
_SIGNING_AGAIN_S: Final = 2.0

AskCapture: TypeAlias = Callable[[Ask], None]
"""Has capture do something, durably. ``AdminError``: it does not answer; ``RetryError``: it says why not."""


class SpoiledError(RemoteError):
    """The remote keeps another recording than it is sent, and capture has signed that."""


class Steps:
    """Does one step. Raises what a remote raises, ``DamagedError``, and what keeps capture from signing."""

    def __init__(
        self,
        *,
        remote: Remote,
        name: str,
        desks: tuple[Desk, ...],
        looking: Looking,
        ask: AskCapture,
        waiting: Waiting,
        telling: Telling,
        notify: Notify,
    ) -> None:
        """``name``: the remote's, for receipts. ``desks``: the box's place there, and those that it had before."""
        self._remote = remote
        self._name = name
        self._desk, self._desks = desks[0], desks
        self._looking = looking
        self._ask = ask
        self._waiting = waiting
        self._telling = telling
        self._notify = notify
        self._under_way: str | None = None  # the recording that is being sent
        paces = Paces(
            sending=lambda moved_bytes: self._pace(SyncState.SENDING, moved_bytes),
            verifying=lambda moved_bytes: self._pace(SyncState.VERIFYING, moved_bytes),
        )
        self._sending = Sending(remote, paces)

    # -- an erase order -----------------------------------------------------------------------------------------------

    def erase(self, order: Order) -> None:
        """Have a recording erased at the remote, and the order taken away here."""
        self._under_way = None
        self._telling.at(SyncState.ERASING, recording=order.recording)
        path = self._looking.order_path(order.recording)
        answers = [self._sending.erase(self._folder_of(order, desk), path) for desk in self._desks]  # each is asked
        erased = all(answers)
        self._have_signed(ObeyedAsk(recording=order.recording, remote=self._name, by_clinic=not erased))
        done = "is erased at the remote" if erased else "is marked at the remote, to be erased by the clinic"
        self._telling.say(f"{order.recording} {done}", Priority.NOTICE)

    def _folder_of(self, order: Order, desk: Desk) -> str:
        if order.started is None:
            # An order of older software; or of a recording that was never closed, of which nothing was ever sent.
            with suppress(RemoteError):
                for held in self._remote.names(desk.folder):
                    self._go_on()
                    if (found := filed(held.name)) is not None and found.recording == order.recording:
                        return found.folder
        return desk.recording(order.recording, order.started)

    # -- a recording --------------------------------------------------------------------------------------------------

    def send(self, step: Send, *, probe: bool = False) -> None:
        """Send what the remote lacks of a recording, read it again, and have that signed.

        ``probe``: the remote was full. Its manifest goes first then: a server that still has no room is found out with
        a few hundred bytes, and not with a piece of the recording from each of a thousand boxes.
        """
        one = step.standing
        manifest, path = self._looking.manifest(one.recording), self._looking.folder(one.recording)
        if manifest is None:
            raise PutOffError("a recording is not here any more", "nothing: it was erased")
        self._under_way = one.recording
        self._telling.at(SyncState.SENDING, recording=one.recording, size_bytes=step.size_bytes)
        if step.whole:
            if probe:
                self._sending.send_beside(path, self._place_of(step), (MANIFEST_NAME,))
            self._send_whole(step, manifest, path)
        else:
            self._send_rest(step, path)
        self._telling.say(f"{one.recording} is synced", Priority.NOTICE)

    def _send_rest(self, step: Send, path: Path) -> None:
        one = step.standing
        found = self._sending.send_beside(path, self._place_of(step), step.files)
        self._send_line()
        kept = {name: digest for name, digest in one.beside.items() if name not in step.files}
        self._have_signed(BesideAsk(recording=one.recording, remote=self._name, beside={**kept, **found}))

    def _send_whole(self, step: Send, manifest: Manifest, path: Path) -> None:
        folder, spoiled = self._place_of(step), self._sending.spoiled
        copied = self._sending.send_recording(path / SESSION_NAME, folder, manifest)
        same = copied.is_of(manifest)
        if again := self._sending.spoiled - spoiled:
            self._telling.now(spoiled=self._telling.status.spoiled + again)
            self._telling.say(f"{manifest.id}: the remote had not what it was sent ({again} times)", Priority.WARNING)
        beside = {}
        if same:
            beside = self._sending.send_beside(path, folder, step.files)
            self._send_line()
        self._have_signed(
            ReceiptAsk(
                recording=manifest.id,
                remote=self._name,
                digest=copied.digest,
                header_digest=copied.header_digest,
                closing_digest=copied.closing_digest,
                size_bytes=copied.size_bytes,
                folder=folder,
                beside=beside,
            )
        )
        if not same:
            raise SpoiledError(
                "the remote's copy of a recording is not what was sent, also after it was sent again",
                "ask whoever looks after the remote; the recording is safe here, and nothing is deleted",
            )

    def _place_of(self, step: Send) -> str:
        """Where a recording belongs; what is added to one that is there already goes where that is."""
        one = step.standing
        there = one.receipt.folder if one.receipt is not None and not step.whole else None
        return there or self._desk.recording(one.recording, one.started)

    def _send_line(self) -> None:
        """The audit log's newest line goes along: what it follows cannot be changed unseen any more."""
        if (newest := self._looking.audit_line()) is not None:
            number, line = newest
            self._sending.send_line(self._desk.audit(number), line)

    def _have_signed(self, ask: Ask) -> None:
        """Have capture do it; while it starts again nothing has to be sent or read once more."""
        until_s = self._waiting.now_s() + _SIGNING_S
        while True:
            try:
                self._ask(ask)
            except AdminError:
                if self._waiting.ending or self._waiting.now_s() >= until_s:
                    raise
                self._waiting.rest(_SIGNING_AGAIN_S)
            else:
                return

    # -- before each piece --------------------------------------------------------------------------------------------

    def _pace(self, state: SyncState, moved_bytes: int) -> None:
        self._go_on()
        self._telling.moved(SyncState.ERASING if self._under_way is None else state, moved_bytes)
        due_s = self._waiting.reserve(moved_bytes)  # there and back alike: it is the same line
        while self._waiting.now_s() < due_s:
            self._waiting.wait(due_s)
            self._go_on()

    def _go_on(self) -> None:
        """Raise ``PutOffError`` where what is under way may not go on."""
        self._notify(ALIVE)
        if self._waiting.ending:
            raise PutOffError("the box ends", "nothing: it goes on when it starts")
        if self._under_way is None:
            return  # an erase order waits for nothing
        if self._waiting.is_paused or self._waiting.limit == 0:
            raise PutOffError("sync is paused", "`sotto sync resume` goes on")
        if not self._looking.may_leave(self._under_way, unix_s=self._waiting.unix_s()):
            raise PutOffError("the recording may not leave the room now", "nothing: it goes on by itself, or is erased")
