"""In the guest: what a box does to its store, on a disk that is cut; ``keep_promises.py STORES DISK AT RECIPIENT``.

The scenarios of tests/crash, each in a store of its own, first one after the other, then several at once; and an audit
log. What begins, and what was promised, is written onto the disk itself (AT is behind its file system), past the page
cache and without a flush: so the disk's log tells what the box had said before which write.
"""

import json
import mmap
import os
import sys
import threading
from pathlib import Path

from device.audit import AuditLog
from device.clock import Stamp
from device.config_recipients import recipients_of
from device.recording.audited import Happened, What
from tests.crash.play import AT, KEY, SCENARIOS, Scene, store_of, telling

MARK_BYTES = 4096
ALONE = [name for name in SCENARIOS if not name.startswith("program_")]
AT_ONCE = ["whole", "rewritten", "withdrawn", "with_receipt", "named", "placed", "named_and_withdrawn"]
ENTRIES = 60


class Marks:
    """Stands where the crash tests have their disk, and says which store it is about."""

    def __init__(self, disk: str, at: int) -> None:
        self._disk = os.open(disk, os.O_WRONLY | os.O_DIRECT)
        self._page = mmap.mmap(-1, MARK_BYTES)  # where a page begins, as O_DIRECT wants it
        self._at = at
        self._lock = threading.Lock()
        self.here = threading.local()

    def mark(self, **said: object) -> None:
        text = json.dumps({"store": getattr(self.here, "store", None), **said}).encode()
        with self._lock:
            self._page[:] = text.ljust(MARK_BYTES, b"\0")
            os.pwrite(self._disk, self._page, self._at)


def audited(folder: Path, marks: Marks) -> None:
    """Entry after entry, some files of them."""
    log = AuditLog(folder, device_key=KEY, rotate_bytes=4000)
    for number in range(ENTRIES):
        happened = Happened(What.TORN, facts={"bytes": number, "digest": "0" * 64})
        head = log.append(happened, Stamp(AT, trusted=True, boot="b", monotonic_us=number))
        marks.mark(do="entered", number=head.number)
    log.close()


def play(name: str, marks: Marks, stores: Path, recipients: list, round_: str) -> None:  # type: ignore[type-arg]
    marks.here.store = f"{name}-{round_}"
    place = stores / marks.here.store
    place.mkdir()
    if name == "audited":
        audited(place, marks)
    else:
        SCENARIOS[name](Scene(store_of(place), recipients, marks, place))


def main() -> None:
    stores, disk, marks_at, recipient = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
    marks, recipients = Marks(disk, marks_at), recipients_of((recipient,))
    stores.mkdir()
    failed: list[object] = []
    threading.excepthook = failed.append
    with telling(marks):
        for name in [*ALONE, "audited"]:
            play(name, marks, stores, recipients, "alone")
        threads = [
            threading.Thread(target=play, args=(name, marks, stores, recipients, "beside others"))
            for name in [*AT_ONCE, "audited"]
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    marks.mark(do="over")
    if failed:
        sys.exit(str(failed))
    print("played", flush=True)


if __name__ == "__main__":
    main()
