"""A clinic's share or disk that is mounted on the box: the remote that is a folder.

A mount point without its disk is an empty folder of the box itself, and what is copied there is nowhere. So the disk
has to hold a file ``sotto-remote``, and each call looks for it first. A share whose server is silent keeps a call
waiting for as long as the kernel does: mount it with a time-out (``soft`` for NFS; SMB has one).

What was written is read back from the disk, as far as that can be asked for: the kernel is told to forget its copy.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from device.durable import sync_folder, write_all
from device.errors import RemoteAwayError, RemoteError, RemoteFullError
from device.recording import SESSION_NAME
from device.remote import Held, Pace, absent, at_once, is_remote_name, must_be_remote_name
from device.rename_new import rename_new
from device.underway import PIECE_BYTES, goes_on_at, hidden, piece_of, size_of

MARK_NAME: Final = "sotto-remote"
_SYNC_EACH_BYTES: Final = 16 << 20  # so that a stick that is pulled out loses no more, and the last sync is short
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED: Final = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL}
_HELD_FLAGS: Final = os.O_CLOEXEC | os.O_NOFOLLOW


class FolderRemote:
    """A mounted folder. See ``Remote`` for what each method promises."""

    def __init__(self, path: Path) -> None:
        self._root = path

    def put(self, name: str, file: BinaryIO, *, replace: bool = False, pace: Pace = at_once) -> bool:
        must_be_remote_name(name)
        with self._mounted():
            target = self._root / name
            if not replace and os.path.lexists(target):
                return False
            self._make_folder(target.parent)
            beside = target.with_name(hidden(target.name))
            self._write(beside, file, pace)
            if replace:
                beside.rename(target)
            elif not self._give_name(beside, target):
                return False
            _sync_names(target.parent)
            return True

    def read(self, name: str, *, start: int = 0, end: int | None = None, pace: Pace = at_once) -> Iterator[bytes]:
        must_be_remote_name(name)
        with self._mounted():
            descriptor = self._open_held(name)
            try:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                size = os.fstat(descriptor).st_size
                end = size if end is None else min(end, size)
                while start < end:
                    length = min(PIECE_BYTES, end - start)
                    pace(length)
                    piece = os.pread(descriptor, length, start)
                    if not piece:
                        return
                    start += len(piece)
                    yield piece
            finally:
                os.close(descriptor)

    def names(self, folder: str) -> Iterator[Held]:
        if folder:
            must_be_remote_name(folder)
        with self._mounted():
            yield from self._names(self._root / folder, f"{folder}/" if folder else "")

    def erase(self, folder: str) -> None:
        must_be_remote_name(folder)
        with self._mounted():
            top = self._root / folder
            if not os.path.lexists(top):
                return
            inside = [(Path(place), names, folders) for place, folders, names in os.walk(top, topdown=False)]
            files = {place / name for place, names, _ in inside for name in names}
            first = {path for path in files if SESSION_NAME in path.name}
            for path in sorted(first):
                path.unlink(missing_ok=True)
                _sync_names(path.parent)
            for path in sorted(files - first):
                path.unlink(missing_ok=True)
            for place, _, folders in inside:
                for link in (place / inner for inner in folders if (place / inner).is_symlink()):
                    link.unlink(missing_ok=True)
                place.rmdir()
            _sync_names(top.parent)

    def close(self) -> None:
        """Nothing is open between two calls."""

    def _names(self, folder: Path, before: str) -> Iterator[Held]:
        try:
            with os.scandir(folder) as found:
                entries = [entry for entry in found if is_remote_name(entry.name) and not entry.is_symlink()]
        except (FileNotFoundError, NotADirectoryError):
            return
        # A folder counts by what its files are called: with the slash, which comes after "-" and ".".
        for entry in sorted(entries, key=lambda entry: f"{entry.name}/" if entry.is_dir() else entry.name):
            if entry.is_dir():
                yield from self._names(folder / entry.name, f"{before}{entry.name}/")
            elif entry.is_file() and before + entry.name != MARK_NAME:
                with suppress(FileNotFoundError):
                    yield Held(before + entry.name, entry.stat().st_size)

    def _open_held(self, name: str) -> int:
        try:
            descriptor = os.open(self._root / name, os.O_RDONLY | _HELD_FLAGS)
        except (FileNotFoundError, NotADirectoryError) as problem:
            raise absent() from problem
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise absent()
        return descriptor

    def _make_folder(self, folder: Path) -> None:
        """A folder and those above it, each durable in its own."""
        if folder == self._root or folder.is_dir():
            return
        self._make_folder(folder.parent)
        with suppress(FileExistsError):
            folder.mkdir()
        _sync_names(folder.parent)

    @staticmethod
    def _give_name(beside: Path, target: Path) -> bool:
        """Under its name now, unless somebody else was quicker."""
        try:
            done = rename_new(beside, target)
        except FileNotFoundError:  # who was quicker took this one away
            if os.path.lexists(target):
                return False
            raise
        if not done:
            beside.unlink(missing_ok=True)
        return done

    @staticmethod
    def _open_beside(beside: Path, file: BinaryIO) -> tuple[int, int]:
        """The file under way, and from where to go on; one that is no part of this file is another file, and goes."""
        with suppress(FileNotFoundError):
            descriptor = os.open(beside, os.O_RDWR | _HELD_FLAGS)
            try:
                at = goes_on_at(
                    file,
                    size_bytes=size_of(file),
                    there_bytes=os.fstat(descriptor).st_size,
                    read_at=lambda start, length: os.pread(descriptor, length, start),
                )
            except BaseException:
                os.close(descriptor)
                raise
            if at:
                return descriptor, at
            os.close(descriptor)
            beside.unlink()
        return os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | _HELD_FLAGS, 0o640), 0

    def _write(self, beside: Path, file: BinaryIO, pace: Pace) -> None:
        """Write on, or anew, until all of it is durable."""
        size = size_of(file)
        descriptor, at = self._open_beside(beside, file)
        try:
            while at < size:
                length = min(PIECE_BYTES, size - at)
                pace(length)
                write_all(descriptor, piece_of(file, at, length), at)
                at += length
                if at % _SYNC_EACH_BYTES == 0:
                    os.fsync(descriptor)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)

    @contextmanager
    def _mounted(self) -> Iterator[None]:
        """The one place where this remote's errors become ours."""
        try:
            if not (self._root / MARK_NAME).is_file():
                raise RemoteAwayError(
                    f"the clinic's folder is not mounted: there is no file {MARK_NAME} in it",
                    "plug the disk in or mount the share; a new one gets an empty file of that name",
                )
            yield
        except OSError as problem:
            raise _ours(problem) from problem


def _sync_names(folder: Path) -> None:
    """Make names durable, where the file system knows how: on some shares a folder cannot be synced."""
    try:
        sync_folder(folder)
    except OSError as problem:
        if problem.errno not in {errno.EINVAL, errno.EBADF, errno.EOPNOTSUPP, errno.ENOSYS, errno.EISDIR}:
            raise


def _ours(problem: OSError) -> RemoteAwayError | RemoteError:
    said = os.strerror(problem.errno) if problem.errno else "unknown"
    if problem.errno in _FULL:
        return RemoteFullError("the clinic's folder is full", "make room on that disk or share")
    if problem.errno in _REFUSED:
        return RemoteError(f"the clinic's folder refuses: {said}", "let Sotto's user write there")
    return RemoteAwayError(f"the clinic's folder does not answer: {said}", "look at the disk's plug, or at the share")
