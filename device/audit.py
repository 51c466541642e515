"""The audit log: what happened on this box, line after line, each signed and chained to the one before.

One process at a time writes to it (a lock on the folder sees to that), and nothing here ever takes an entry away. What
a line looks like is ``device/recording/chain.py``; who waits for the disk is not decided here.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from device.clock import Stamp
from device.digests import sha256
from device.durable import sync_folder, write_all
from device.errors import DamagedError, StoreError
from device.recording.audited import Happened, Plain, What
from device.recording.chain import Head, file_name, first_number, line_of, read_line, said_in, split_lines
from device.store import store_error

ROTATE_BYTES: Final = 1 << 20
_MODE: Final = 0o640


class AuditLog:
    """The log of a box, open for one more entry. Not safe for two threads at once.

    A line that could not be made durable is as if it never was: it is cut off again before anything else is written,
    and after a failing sync nothing more is written to that file at all. So half a line is never followed by an entry.
    """

    def __init__(self, folder: Path, *, device_key: Ed25519PrivateKey, rotate_bytes: int = ROTATE_BYTES) -> None:
        """Open the log in ``folder``, which is made if it is not there; its parent has to be.

        Raises:
            StoreError: it cannot be read or written, or another process has it.
        """
        self._folder = folder
        self._key = device_key
        self._rotate_bytes = rotate_bytes
        self._file: int | None = None
        self._size_bytes = 0
        self._lock: int | None = None
        self._torn: bytes = b""
        self.head = Head()
        try:
            self._open()
        except OSError as problem:
            self.close()
            raise store_error(problem, "the audit log cannot be opened") from problem
        except BaseException:
            self.close()
            raise

    def append(self, happened: Happened, stamp: Stamp) -> Head:
        """Make one more entry durable; the head that it is.

        Raises:
            StoreError: it is not in the log.
        """
        try:
            if self._torn:
                # What was cut off is told before anything else, so that nobody takes it for a truncation.
                told: dict[str, Plain] = {"bytes": len(self._torn), "digest": sha256(self._torn).hexdigest()}
                self._write(line_of(self.head, stamp, Happened(What.TORN, facts=told), self._key))
                self._torn = b""
            self._write(line_of(self.head, stamp, happened, self._key))
        except OSError as problem:
            raise store_error(problem, "an audit entry could not be written") from problem
        return self.head

    def close(self) -> None:
        """Let the files go. May be repeated."""
        self._let_go()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    # -- opening ------------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        if not self._folder.is_dir():
            self._folder.mkdir(mode=0o750)
            _give_to_owner(self._folder)
            sync_folder(self._folder.parent)
        self._lock = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise StoreError(
                "another program writes the audit log", "let `sotto check` end, or stop the capture service"
            ) from problem
        self._find_end()

    def _find_end(self) -> None:
        """Find the last whole line, cut off what stands behind it, and chain to it.

        Where a file begins with which number is in its name, so a line that somebody spoiled does not stop the log: it
        is found by whoever verifies, and what follows is chained to it as it stands.
        """
        files = audit_files(self._folder)
        self.head, self._size_bytes, self._torn = _end_of(files)
        if files:
            self._file = os.open(files[-1][1], os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            self._cut()
            os.fsync(self._file)

    # -- writing ------------------------------------------------------------------------------------------------------

    def _write(self, line: bytes) -> None:
        """Write one line and sync it.

        Raises:
            OSError: it is as if it had not been written.
        """
        descriptor = self._file
        if descriptor is None or (self._size_bytes and self._size_bytes + len(line) > self._rotate_bytes):
            descriptor = self._begin_file()
        try:
            self._cut()
            write_all(descriptor, line, self._size_bytes)
        except OSError:
            with suppress(OSError):  # it is cut before the next line, or there is no next line in this file
                self._cut()
            raise
        try:
            os.fdatasync(descriptor)
        except OSError:
            self._give_up_file()
            raise
        self._size_bytes += len(line)
        self.head = self.head.after(line)

    def _cut(self) -> None:
        """Take away what stands behind the last entry of this file, if anything does."""
        if self._file is not None and os.fstat(self._file).st_size != self._size_bytes:
            os.ftruncate(self._file, self._size_bytes)

    def _begin_file(self) -> int:
        self._let_go()
        path = self._folder / file_name(self.head.number + 1)
        if path.exists():  # nothing in it ever became an entry, and the disk failed it
            path.rename(path.with_suffix(".failed"))
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, _MODE)
        try:
            _give_to_owner(path)
            sync_folder(self._folder)
        except OSError:
            os.close(descriptor)
            raise
        self._file, self._size_bytes = descriptor, 0
        return descriptor

    def _give_up_file(self) -> None:
        """A sync that failed says nothing about what is on disk, and one more would say that all is well (fsync(2))."""
        with suppress(OSError):
            self._cut()
        self._let_go()

    def _let_go(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _give_to_owner(path: Path) -> None:
    """What root makes here (`sotto check`, run by an admin) belongs to the service all the same."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def _split(data: bytes) -> tuple[list[bytes], bytes]:
    """The whole lines, and what stands behind them that never was an entry."""
    lines = split_lines(data)
    torn = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
    if not torn and lines and not _is_entry(lines[-1]):
        # Its newline reached the disk before the rest of it. It was never synced, so nobody was told that it is there.
        torn = lines.pop()
    return lines, torn


def _end_of(files: list[tuple[int, Path]]) -> tuple[Head, int, bytes]:
    """The head of a log, the size of its last file up to there, and what stands behind that and is no entry."""
    if not files:
        return Head(), 0, b""
    first, path = files[-1]
    lines, torn = _split(path.read_bytes())
    head = Head(first - 2 + len(lines)).after(lines[-1]) if lines else _end_before(first, files[:-1])
    return head, sum(map(len, lines)), torn


def _end_before(first: int, files: list[tuple[int, Path]]) -> Head:
    """The head before the entry of number ``first``, with which a file begins that holds none yet."""
    for number, path in reversed(files):
        lines = [line for line in split_lines(path.read_bytes()) if line.endswith(b"\n")][: first - number]
        if lines:
            return Head(first - 2).after(lines[-1])
    return Head(first - 1)


def _is_entry(line: bytes) -> bool:
    try:
        read_line(line)
    except DamagedError:
        return False
    return True


def audit_files(folder: Path) -> list[tuple[int, Path]]:
    """The files of a log with the number of each one's first entry, in order.

    Raises:
        OSError: the folder cannot be listed.
    """
    named = ((first_number(path.name), path) for path in folder.iterdir())
    return sorted((first, path) for first, path in named if first is not None)


def newest_entries(folder: Path) -> Iterator[dict[str, Any]]:
    """What the entries say, the newest first; lines that are no entries are left out. Nothing is verified here.

    Raises:
        StoreError: the log cannot be read.
    """
    try:
        for _, path in reversed(audit_files(folder)):
            for line in reversed(split_lines(path.read_bytes())):
                if (said := said_in(line)) is not None:
                    yield said
    except OSError as problem:
        raise store_error(problem, "the audit log cannot be read") from problem


def head_of(folder: Path) -> Head:
    """The head of the log in ``folder``, as far as it is whole; nothing is verified, locked or changed.

    Raises:
        StoreError: the log cannot be read.
    """
    try:
        return _end_of(audit_files(folder))[0]
    except OSError as problem:
        raise store_error(problem, "the audit log cannot be read") from problem


def newest_line(folder: Path) -> tuple[int, bytes] | None:
    """The last line of the log in ``folder`` and its number; ``None`` where there is none. Nothing is verified.

    Raises:
        StoreError: the log cannot be read.
    """
    try:
        for first, path in reversed(audit_files(folder)):
            if lines := _split(path.read_bytes())[0]:
                return first - 1 + len(lines), lines[-1]
    except OSError as problem:
        raise store_error(problem, "the audit log cannot be read") from problem
    return None
