"""What capture does for sync, which has no key: it signs receipts, and takes away erase orders that were obeyed.

It believes sync what it read, and nothing else: a receipt that proves a copy is signed only for a recording that is
here, closed and not to be erased, with the very digest and size that its manifest has. What differs is signed as that,
so that it is told and deletes nothing.

The audit log first, then the file: after a cut in between sync asks again, and the log says it twice, never not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from device.clock import Stamp
from device.errors import StoreError
from device.recording import ERASE_ORDERS_NAME
from device.recording.audited import Happened, Plain, What, Who
from device.recording.copied import Copied
from device.recording.manifest import Manifest, RecordingState
from device.recording.receipt import Receipt, proving
from device.retaining import read_receipts
from device.store import Store
from device.sync_requests import Ask, BesideAsk, ObeyedAsk, ReceiptAsk

_AGAIN: Final = "nothing: it is tried again by itself"


class Receipts:
    """Answers what sync asks. Called from one thread."""

    def __init__(
        self, store: Store, *, key: bytes, note: Callable[[Happened], int | None], now: Callable[[], Stamp]
    ) -> None:
        """``key``: the box's public key. ``note``: makes an audit entry durable; ``None`` where it could not."""
        self._store = store
        self._key = key
        self._note = note
        self._now = now

    def answer(self, ask: Ask) -> None:
        """Do what is asked; it is durable on return.

        Raises:
            StoreError: it is not done.
        """
        match ask:
            case ReceiptAsk():
                self._receipt(ask)
            case BesideAsk():
                self._beside(ask)
            case ObeyedAsk():
                self._obeyed(ask)

    def _receipt(self, ask: ReceiptAsk) -> None:
        manifest = self._closed(ask.recording)
        found = Copied(ask.size_bytes, ask.digest, ask.header_digest, ask.closing_digest)
        same = found.is_of(manifest)
        receipt = Receipt(
            remote=ask.remote,
            digest=ask.digest,
            size_bytes=ask.size_bytes,
            verified_at=self._now().wall,
            folder=ask.folder,
            beside=ask.beside,
            differs=not same,
        )
        self._keep(ask.recording, receipt, state="verified" if same else "differs")

    def _beside(self, ask: BesideAsk) -> None:
        manifest = self._closed(ask.recording)
        receipts = read_receipts(self._store.folder(ask.recording), self._key)
        proofs = proving(receipts, digest=manifest.digest, size_bytes=manifest.size_bytes)
        known = next((one for one in proofs if one.remote == ask.remote), None)
        if known is None:
            raise StoreError("there is no receipt that could be renewed", "nothing: all of it is sent again")
        self._keep(ask.recording, known.model_copy(update={"beside": ask.beside}), state="verified")

    def _keep(self, recording_id: str, receipt: Receipt, *, state: str) -> None:
        facts: dict[str, Plain] = {"state": state, "digest": receipt.digest, "size_bytes": receipt.size_bytes}
        self._must_note(Happened(What.SYNC, recording_id, Who.BOX, {**facts, "count": len(receipt.beside)}))
        self._store.write_receipt(recording_id, receipt)

    def _obeyed(self, ask: ObeyedAsk) -> None:
        if not (self._store.path / ERASE_ORDERS_NAME / f"{ask.recording}.json").exists():
            return  # taken away already, and noted then
        state = "order handed over" if ask.by_clinic else "erased"
        self._must_note(Happened(What.SYNC, ask.recording, Who.BOX, {"state": state}))
        self._store.take_order_away(ask.recording)

    def _closed(self, recording_id: str) -> Manifest:
        listed = self._store.find(recording_id)
        if listed is None:
            raise StoreError("there is no such recording in the store", _AGAIN)
        if listed.manifest.state is RecordingState.OPEN or listed.manifest.digest is None:
            raise StoreError("that recording is not closed", _AGAIN)
        if listed.going is not None:
            raise StoreError("that recording is being erased", "there is nothing left to prove")
        return listed.manifest

    def _must_note(self, happened: Happened) -> None:
        if self._note(happened) is None:
            raise StoreError("the audit log could not be written", _AGAIN)
