"""What happens to the store before anything else when the box starts: every recording that was cut short is closed.

No key is needed. The ledger says what each sealed chunk was, so the file is cut after the last one that is really
there, and the closing that belongs to that chunk, sealed long before the cut, is put behind it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from device.clock import Stamp
from device.digests import sha256
from device.durable import forget_asides, sync_folder, write_all
from device.errors import DamagedError, StoreError
from device.overwriting import marked_by
from device.recording import ATTACHMENTS_NAME, CHUNK_BYTES, ERASE_ORDERS_NAME, ERASED_NAME, LEDGER_NAME, SESSION_NAME
from device.recording.digests import Digests
from device.recording.ledger import CLOSING_BYTES, Ledger, Record, parse_ledger
from device.recording.manifest import RecordingState
from device.store import PROBE_GLOB, Store, read_manifest

_SEALED_BYTES: Final = CHUNK_BYTES + 16
_CUT: Final = "the power or the program ended"


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was done with one folder: ``closed`` (and how far it reaches), ``erased`` or ``removed`` (it was empty).

    ``damaged`` folders were left as they are; one that ``failed`` (a full or failing disk) is tried again at the next
    start. Neither keeps the others from being recovered, nor the box from starting.
    """

    recording_id: str
    what: str
    duration_us: int = 0


def recover(
    store: Store, *, at: Stamp | str, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> list[Recovered]:
    """Close, erase or remove whatever a cut left unfinished. Running it twice, or cutting it short, does no harm.

    ``progress``: told how many recordings have been looked at, and of how many.

    Raises:
        StoreError: the store cannot even be listed.
    """
    _sweep(store)
    ids, done = store.ids(), []
    for number, recording_id in enumerate(ids):
        progress(number, len(ids))
        done.append(_recover_one(store, recording_id, at=at))
    return [recovered for recovered in done if recovered is not None]


def _sweep(store: Store) -> None:
    """Take away what a cut left between recordings. Where that fails it is only in the way of tidiness."""
    with contextlib.suppress(OSError):
        for probe in list(store.path.glob(PROBE_GLOB)):
            probe.unlink(missing_ok=True)
        for folder in (store.path, store.path / ERASED_NAME, store.path / ERASE_ORDERS_NAME):
            forget_asides(folder)


def _recover_one(store: Store, recording_id: str, *, at: Stamp | str) -> Recovered | None:
    folder = store.folder(recording_id)
    try:
        if (by := marked_by(folder)) is not None:
            # Its window ended with the power: nobody can turn it over any more.
            store.erase(recording_id, by=by, at=at)
            return Recovered(recording_id, "erased")
        if not (folder / SESSION_NAME).exists():
            remove_unbegun(folder)
            return Recovered(recording_id, "removed")
        forget_asides(folder)
        forget_asides(folder / ATTACHMENTS_NAME)
        if (folder / LEDGER_NAME).exists():
            duration_us = close_torn(store, folder)
            return Recovered(recording_id, "closed", duration_us)
    except DamagedError:
        return Recovered(recording_id, "damaged")
    except (OSError, StoreError):
        return Recovered(recording_id, "failed")
    return None


def remove_unbegun(folder: Path) -> None:
    """Take away a folder in which not one chunk was durable, with all that is in it.

    Raises:
        OSError: some of it stays, and the next start takes it away.
    """
    shutil.rmtree(folder)
    sync_folder(folder.parent)


def close_torn(store: Store, folder: Path, *, why: str = _CUT, chunks: int | None = None) -> int:
    """Close the file in ``folder`` by its ledger; how far it reaches, in microseconds. ``why``: why it ended.

    ``chunks``: how many of them are known to be durable, where that is known; none behind them is then believed in.

    Raises:
        DamagedError: ledger and file do not belong together; nothing was changed.
    """
    ledger = parse_ledger((folder / LEDGER_NAME).read_bytes())
    with (folder / SESSION_NAME).open("r+b", buffering=0) as file:
        first, last = _last_whole(replace(ledger, records=ledger.records[:chunks]), file.fileno())
        start, end = (ledger.payload_offset + chunk * _SEALED_BYTES for chunk in (first.chunk, last.chunk + 1))
        # Written again, not only looked at: after a failed fsync the kernel shows what was written and forgets to write
        # it (fsync(2)), so that a chunk can be read here, and be gone with the power.
        write_all(file.fileno(), os.pread(file.fileno(), end - start, start) + last.closing, start)
        os.ftruncate(file.fileno(), end + CLOSING_BYTES)
        os.fsync(file.fileno())
    known = read_manifest(folder)
    digests = Digests(record.digest for record in ledger.records[: last.chunk + 1])
    state = RecordingState.COMPLETE if last.ends else RecordingState.INTERRUPTED
    if known.state is not RecordingState.OPEN:
        why = known.end or why  # it was closed before, by whoever knew better
    facts = {
        "state": state,
        "end": known.end if last.ends else why,
        "duration_us": last.end_us,
        "chunks": last.chunk + 1,
        "size_bytes": end + CLOSING_BYTES,
        "header_digest": ledger.header_digest.hex(),
        "digest": digests.whole,
        "digest_groups": digests.groups,
        "closing_digest": sha256(last.closing).hexdigest(),
    }
    store.write_manifest(known.model_copy(update=facts))
    forget_ledger(folder)
    return last.end_us


def forget_ledger(folder: Path) -> None:
    """Take the ledger of a closed recording away, once its manifest says that it is closed.

    Raises:
        OSError: it stays, and the next start takes it away.
    """
    (folder / LEDGER_NAME).unlink(missing_ok=True)
    sync_folder(folder)


def _last_whole(ledger: Ledger, descriptor: int) -> tuple[Record, Record]:
    """The first and the last record of the last fragment that is on disk to the last byte.

    Looked for from the end: what was synced long ago is not read again, and a sector that went bad since then is no
    reason to throw away what follows it.
    """
    fragment_end = len(ledger.records)
    while fragment_end > 0:
        last = ledger.records[fragment_end - 1]
        first = fragment_end - 1
        while first > 0 and not ledger.records[first - 1].closes:
            first -= 1
        if last.closes and all(_is_there(ledger, record, descriptor) for record in ledger.records[first:fragment_end]):
            return ledger.records[first], last
        fragment_end = first if last.closes else fragment_end - 1
    raise DamagedError("a recording has no whole chunk", "keep the folder and ask for help: nothing was changed")


def _is_there(ledger: Ledger, record: Record, descriptor: int) -> bool:
    at = ledger.payload_offset + record.chunk * _SEALED_BYTES
    sealed = os.pread(descriptor, _SEALED_BYTES, at)
    return sha256(sealed).digest() == record.digest
