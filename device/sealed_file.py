"""The file and the ledger of a recording while it is open."""

from __future__ import annotations

import os
from pathlib import Path

from device.durable import aside, sync_folder, write_all
from device.errors import StoreError
from device.recording import LEDGER_NAME, SESSION_NAME
from device.store import store_error


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
        write_all(self._ledger_fd, records, self._ledger_end)
        write_all(self._file_fd, sealed + closing, self._end)
        os.fdatasync(self._ledger_fd)
        os.fdatasync(self._file_fd)
        if first:
            aside(self._folder / SESSION_NAME).rename(self._folder / SESSION_NAME)
            sync_folder(self._folder)
        self._ledger_end += len(records)
        self._end += len(sealed)

    def close(self) -> None:
        """Let both files go; a second call does nothing."""
        for descriptor in (self._ledger_fd, self._file_fd):
            if descriptor >= 0:
                os.close(descriptor)
        self._ledger_fd = self._file_fd = -1
        self._failed = True
