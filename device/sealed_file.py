"""The file and the ledger of a recording while it is open.

What a sync costs beside its data is what the file system has to write down about the file. So both files have their
room ahead. The ledger's is written already, as zeros, which are no record: a new one changes a page in its place and
nothing else. The sealed file cannot be longer than what it holds, for it is complete at every moment; its room is only
set aside (``device/setting_aside.py``).
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

from device.durable import aside, sync_folder, write_all
from device.errors import StoreError
from device.recording import LEDGER_NAME, SESSION_NAME
from device.setting_aside import give_back, set_aside
from device.store import store_error

# Of records for two hundred chunks: some two minutes of sound.
LEDGER_STEP_BYTES: Final = 1 << 14
# Half a minute of sound, at the most; what is left of it is given back at the end.
AHEAD_BYTES: Final = 1 << 21


class SealedFile:
    """The file and the ledger of one open recording: whole chunks in, durable when ``append`` returns.

    The first ``append`` gives the file its name; from then on what stands under that name is a complete age file, or
    becomes one by its ledger alone. After any error nothing more is written to either (the page cache may have
    forgotten what it failed to write): the recording is closed by recovery.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ledger_fd = -1
        self._file_fd = -1
        self._end = 0
        self._ledger_end = 0
        self._ledger_room = 0
        self._room: int | None = 0  # set aside up to there; None: this file system does not
        self._failed = False

    def append(self, sealed: bytes, closing: bytes, records: bytes) -> None:
        """Add sealed chunks, with the closing that the next call overwrites and their ledger records.

        Raises:
            StoreError: nothing more can be written here; what was durable before still is.
        """
        if self._failed:
            raise StoreError("this recording cannot be written any more", "the box has closed it; start a new one")
        try:
            self._append(sealed, closing, records)
        except OSError as problem:
            self._failed = True
            raise store_error(problem, "a chunk could not be made durable") from problem

    def _append(self, sealed: bytes, closing: bytes, records: bytes) -> None:
        first = self._file_fd < 0
        if first:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
            self._ledger_fd = os.open(self._folder / LEDGER_NAME, flags, 0o640)
            self._file_fd = os.open(aside(self._folder / SESSION_NAME), flags, 0o640)
        # The ledger goes first: a chunk without its record would be cut off, a record without its chunk does no harm.
        write_all(self._ledger_fd, self._with_room(records), self._ledger_end)
        self._set_aside(self._end + len(sealed) + len(closing))
        write_all(self._file_fd, sealed + closing, self._end)
        os.fdatasync(self._ledger_fd)
        os.fdatasync(self._file_fd)
        if first:
            aside(self._folder / SESSION_NAME).rename(self._folder / SESSION_NAME)
            sync_folder(self._folder)
        self._ledger_end += len(records)
        self._end += len(sealed)

    def _with_room(self, records: bytes) -> bytes:
        """The records as they are to be written; with zeros behind them where the ledger has no room for them yet."""
        end = self._ledger_end + len(records)
        if end <= self._ledger_room:
            return records
        self._ledger_room = -(-end // LEDGER_STEP_BYTES) * LEDGER_STEP_BYTES
        return records + bytes(self._ledger_room - end)

    def _set_aside(self, end: int) -> None:
        """Have room up to ``end`` and beyond. A file system that has none, or cannot, is no reason not to write."""
        if self._room is None or end <= self._room:
            return
        room = -(-end // AHEAD_BYTES) * AHEAD_BYTES
        try:
            set_aside(self._file_fd, self._room, room - self._room)
        except OSError:
            self._room = None
        else:
            self._room = room

    def close(self) -> None:
        """Let both files go; a second call does nothing."""
        if self._file_fd >= 0 and not self._failed:
            with contextlib.suppress(OSError):  # what is set aside then stays so; all that was said is durable
                give_back(self._file_fd)
        for descriptor in (self._ledger_fd, self._file_fd):
            if descriptor >= 0:
                os.close(descriptor)
        self._ledger_fd = self._file_fd = -1
        self._failed = True
