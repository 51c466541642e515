"""What people ask to be done with a recording: a signed fact beside it that somebody asks for a copy, or a deletion.

It is a note to whoever decides, and no more: nothing is copied or deleted by it. It goes to the remote like all that
lies beside a recording, and retention lets nothing go before it is there. A deletion is granted at the box itself
(``sotto erase``).
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from device.claim import claimed
from device.clock import Stamp
from device.durable import write_whole
from device.errors import DamagedError, StoreError
from device.overwriting import mark
from device.recording import HOLD_NAME
from device.recording.beside import ASKED_NAMES, Wish
from device.recording.manifest import RecordingState
from device.recording.wished import WISH_KIND, Wished, read_wish
from device.store import Store, store_error
from device.words import By


def wishes_of(folder: Path) -> tuple[Wished, ...]:
    """What is asked for the recording in ``folder``. One whose signature does not hold was asked by nobody."""
    found = []
    for name in ASKED_NAMES.values():
        with suppress(OSError, DamagedError):
            wished, _ = read_wish((folder / name).read_bytes(), folder.name)
            found += [] if wished.taken_back else [wished]
    return tuple(found)


def write_wish(store: Store, folder: Path, wish: Wish, *, by: str, at: Stamp) -> None:
    """Make it durable that somebody asks for it; whoever asked before is not remembered.

    Raises:
        StoreError: it is not durable.
    """
    wished = Wished(recording=folder.name, wish=wish, by=by, asked=at.wall, clock_trusted=at.trusted)
    _write(store, folder, wished, "what was asked could not be written down")


def take_back_wish(store: Store, folder: Path, wish: Wish, *, by: str, at: Stamp) -> None:
    """Make it durable that nobody asks for it any more; nobody having asked is no error.

    Raises:
        StoreError: it may still be asked for.
    """
    if wish not in {wished.wish for wished in wishes_of(folder)}:
        return
    wished = Wished(recording=folder.name, wish=wish, by=by, asked=at.wall, clock_trusted=at.trusted, taken_back=True)
    _write(store, folder, wished, "what was asked could not be taken back")


def _write(store: Store, folder: Path, wished: Wished, doing: str) -> None:
    try:
        write_whole(folder / ASKED_NAMES[wished.wish], store.signed(WISH_KIND, wished.model_dump(mode="json")))
    except OSError as problem:
        raise store_error(problem, doing) from problem


def grant_deletion(store: Store, recording_id: str) -> None:
    """Mark a recording whose deletion is asked for, durably: whoever looks after the store erases it, with an order.

    Any program with the device's key may do this, also while the box runs; the page cannot.

    Raises:
        StoreError: nobody asks for it, it is not closed or held for research; or it may be marked or not.
    """
    folder, listed = store.folder(recording_id), store.find(recording_id)
    if listed is None or Wish.DELETION not in {wished.wish for wished in wishes_of(folder)}:
        raise StoreError(
            "nobody asks for the deletion of that recording", "have its therapist ask for it on the page first"
        )
    if listed.manifest.state is RecordingState.OPEN:
        raise StoreError("that recording is not closed yet", "try again when it is")
    with claimed(folder, otherwise=StoreError("another program is at that recording just now", "try again soon")):
        if (folder / HOLD_NAME).exists():
            raise StoreError("that recording is held for research", "release it first: sotto release")
        try:
            mark(folder, By.THERAPIST)
        except OSError as problem:
            raise store_error(problem, "a recording could not be marked") from problem
