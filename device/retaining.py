"""Retention and the store: what is known of each recording there, and carrying out what was decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from device.belonging import beside_of, digest_of
from device.clock import Stamp
from device.errors import DamagedError
from device.glimpse import Glimpse
from device.lived import Lived, age_us, look_at, verified_for_us
from device.overwriting import GoOn
from device.recording import RECEIPTS_NAME
from device.recording.manifest import RecordingState
from device.recording.receipt import RECEIPT_KIND, Receipt, proving
from device.recording.signing import verify
from device.retention import Decision, Facts, Policy, decide
from device.shapes import ShapeError
from device.store import Store, StoreReader
from device.words import By

DigestsOf = Callable[[Path], Mapping[str, str] | None]
"""The SHA-256 (hex) of each of the smaller files that belong to the recording in a folder, by its name beneath it;
``None``: one of them cannot be read."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What is to become of each recording, oldest first, and the lived time that knows what was seen."""

    decisions: tuple[Decision, ...]
    lived: Lived


def survey(store: StoreReader, lived: Lived, *, policy: Policy | None, key: bytes | None) -> Survey:
    """Look at every recording; nothing is changed. ``key``: the public key that receipts have to be signed by.

    Raises:
        StoreError: the store cannot be listed.
    """
    ids = store.ids()
    found = {one: listed.glimpse for one in ids if (listed := store.find(one)) is not None}
    receipts = {recording_id: read_receipts(store.folder(recording_id), key) for recording_id in found}
    boots = {recording_id: seen.common.boot for recording_id, seen in found.items()}
    lived = look_at(lived, boots=boots, verified=[one for one in found if _is_proven(found[one], receipts[one])])
    unread = "it has only begun, or it cannot be read"
    decisions = (
        decide(facts_of(found[one], receipts[one], lived, store.folder(one)), policy)
        if one in found
        else Decision(one, erase=False, why=unread)
        for one in ids
    )
    return Survey(tuple(decisions), lived)


def _is_proven(seen: Glimpse, receipts: tuple[Receipt, ...]) -> bool:
    closed = seen.common.state is not RecordingState.OPEN
    return closed and bool(proving(receipts, digest=seen.digest, size_bytes=seen.sealed_bytes))


def digests_beside(folder: Path) -> Mapping[str, str] | None:
    """``DigestsOf``, read now."""
    try:
        return {name: digest_of(folder / name) for name in beside_of(folder)}
    except OSError:  # also where one went since it was listed: it may have been replaced
        return None


def facts_of(
    seen: Glimpse, receipts: tuple[Receipt, ...], lived: Lived, folder: Path, *, digests: DigestsOf = digests_beside
) -> Facts:
    """What retention knows of one recording. ``digests``: one that remembers, where many are asked often."""
    age = age_us(lived, seen.id, boot=seen.common.boot, started_monotonic_us=seen.started_monotonic_us)
    return Facts(
        recording=seen.id,
        state=seen.common.state,
        digest=seen.digest,
        size_bytes=seen.sealed_bytes,
        age_us=age,
        receipts=receipts,
        verified_for_us=verified_for_us(lived, seen.id),
        held=seen.held,
        going=seen.going,
        lacking=_is_proven(seen, receipts) and _lacks(seen, receipts, digests(folder)),
    )


def _lacks(seen: Glimpse, receipts: tuple[Receipt, ...], ours: Mapping[str, str] | None) -> bool:
    """Whether every remote that has the recording lacks something that belongs to it, as far as its receipt knows.

    That is what is sealed beside it, what is asked for it, and its manifest as it is now: it may say since yesterday
    whose recording it is.
    """
    if ours is None:
        return True  # what cannot be read is not known to be there either
    copies = proving(receipts, digest=seen.digest, size_bytes=seen.sealed_bytes)
    return all(any(copy.beside.get(name) != digest for name, digest in ours.items()) for copy in copies)


def read_receipts(folder: Path, key: bytes | None) -> tuple[Receipt, ...]:
    """The receipts of a recording that are signed by ``key``. One that does not hold proves nothing, and is let be."""
    found = []
    for path in sorted((folder / RECEIPTS_NAME).glob("*.json")):
        try:
            signed = verify(RECEIPT_KIND, path.read_bytes())
            receipt = Receipt.model_validate(signed.payload)
        except (DamagedError, OSError, ShapeError):
            continue
        if signed.key == key:
            found.append(receipt)
    return tuple(found)


def carry_out(store: Store, decision: Decision, *, key: bytes | None, at: Stamp, go_on: GoOn) -> bool:
    """Erase a recording that may go; whether it is gone. Held meanwhile, or put off: it is not.

    What was put beside it since the decision keeps it: it is looked at once more, and marked, while nobody else can
    put anything there. ``key`` as in ``survey``.

    Raises:
        StoreError: it could not be erased; where its mark is durable, that is taken up again.
    """
    if not decision.erase:
        return False
    with store.erasing.undisturbed():
        if not _may_still_go(store, decision.recording, key) or not store.mark_for_retention(decision.recording):
            return False
    return store.erase(decision.recording, by=By.RETENTION, at=at, go_on=go_on)


def _may_still_go(store: Store, recording_id: str, key: bytes | None) -> bool:
    listed, folder = store.find(recording_id), store.folder(recording_id)
    if listed is None:
        return False
    receipts = read_receipts(folder, key)
    seen = listed.glimpse
    return _is_proven(seen, receipts) and not _lacks(seen, receipts, digests_beside(folder))
