"""Files and folders at the other end of an SFTP session, and what a server's refusals mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from device.errors import RemoteAwayError, RemoteError, RemoteFullError, SottoError
from device.remote import absent
from device.sftp_packets import (
    FSYNC,
    POSIX_RENAME,
    STATVFS,
    Answer,
    Attributes,
    Kind,
    Open,
    Status,
    long,
    number,
    text,
)
from device.sftp_session import SftpSession

_PLAIN: Final = number(0)  # no attributes: the account's umask decides
_SOME_BYTES: Final = 1 << 20  # with less than this left, nobody can be sure that a small file finds room


class SftpFiles:
    """What can be done with paths and handles. Each method raises what ``Remote`` may raise."""

    def __init__(self, session: SftpSession) -> None:
        self.session = session

    def attributes(self, path: bytes) -> Attributes | None:
        """What is there under that path, were it a link; ``None``: nothing."""
        answer = self.session.ask(Kind.LSTAT, text(path))
        return None if answer.status == Status.NO_SUCH_FILE else self.must(answer).attributes()

    def open(self, path: bytes, how: Open) -> bytes | None:
        """A handle; ``None``: it is not there, or its folder is not."""
        answer = self.session.ask(Kind.OPEN, text(path), number(how), _PLAIN)
        return None if answer.status == Status.NO_SUCH_FILE else self.must(answer, near=_parent(path)).text()

    def close(self, handle: bytes) -> None:
        self.must(self.session.ask(Kind.CLOSE, text(handle)))

    def size(self, handle: bytes) -> int:
        """How long an open file is.

        Raises:
            RemoteAbsentError: it is no file.
        """
        found = self.must(self.session.ask(Kind.FSTAT, text(handle))).attributes()
        if found.is_folder:
            raise absent()
        return found.size_bytes or 0

    def send_read(self, handle: bytes, start: int, length: int) -> int:
        """Ask for bytes; ``read_bytes`` at most. ``rest`` gives them."""
        return self.session.send(Kind.READ, text(handle), long(start), number(length))

    def rest(self, asked: int, handle: bytes, start: int, length: int) -> bytes:
        """The bytes asked for, all of them: a server may answer with fewer. Fewer mean that the file ends there."""
        pieces = []
        while (answer := self.session.answer(asked)).status != Status.EOF:
            data = self.must(answer).text()[:length]
            pieces.append(data)
            start, length = start + len(data), length - len(data)
            if not length:
                break
            asked = self.send_read(handle, start, length)
        return b"".join(pieces)

    def read_at(self, handle: bytes, start: int, length: int) -> bytes:
        """The bytes from there on, that many; fewer where the file ends."""
        pieces = []
        for at in range(start, start + length, self.session.read_bytes):
            step = min(self.session.read_bytes, start + length - at)
            pieces.append(self.rest(self.send_read(handle, at, step), handle, at, step))
        return b"".join(pieces)

    def forget(self, handle: bytes, asked: list[int]) -> None:
        """Close a file without waiting, and want no answer to what was asked of it."""
        for one in (*asked, self.session.send(Kind.CLOSE, text(handle))):
            self.session.forget(one)

    def remove(self, path: bytes) -> None:
        """Take a file away, if it is there."""
        self._must_or_absent(self.session.ask(Kind.REMOVE, text(path)))

    def remove_folder(self, path: bytes) -> None:
        """Take an empty folder away, if it is there."""
        self._must_or_absent(self.session.ask(Kind.RMDIR, text(path)))

    def make_folder(self, path: bytes, *, top: bytes) -> None:
        """Make a folder and those above it, but none above ``top``: that is the clinic's to make."""
        if path == top:
            raise no_folder()
        answer = self.session.ask(Kind.MKDIR, text(path), _PLAIN)
        if answer.status == Status.NO_SUCH_FILE:
            self.make_folder(_parent(path), top=top)
            answer = self.session.ask(Kind.MKDIR, text(path), _PLAIN)
        if answer.status == Status.OK:
            self.sync_names(_parent(path))
        elif self.attributes(path) is None:
            self.must(answer, near=_parent(path))

    def inside(self, path: bytes) -> list[tuple[bytes, Attributes]] | None:
        """What a folder holds, ordered by name; ``None``: it is not there, or no folder."""
        answer = self.session.ask(Kind.OPENDIR, text(path))
        if answer.status == Status.NO_SUCH_FILE:
            return None
        handle, found = self.must(answer).text(), []
        while (answer := self.session.ask(Kind.READDIR, text(handle))).status != Status.EOF:
            found += [entry for entry in self.must(answer).entries() if entry[0] not in {b".", b".."}]
        self.close(handle)
        return sorted(found, key=lambda entry: entry[0])

    def beneath(self, path: bytes) -> Iterator[tuple[bytes, bool]]:
        """Every path beneath a folder and itself, each folder (``True``) after all that it holds; links as files."""
        if (inside := self.inside(path)) is not None:
            for name, attributes in inside:
                inner = path + b"/" + name
                if attributes.is_folder or (attributes.mode is None and self._is_folder(inner)):
                    yield from self.beneath(inner)
                else:
                    yield inner, False
            yield path, True

    def rename_new(self, path: bytes, target: bytes) -> bool:
        """Rename, unless ``target`` is there: ``False`` then. OpenSSH does it in one step, by a link."""
        answer = self.session.ask(Kind.RENAME, text(path), text(target))
        if answer.status != Status.OK and self.attributes(target) is not None:
            return False
        self.must(answer, near=_parent(target))
        return True

    def exchange(self, path: bytes, target: bytes) -> None:
        """Rename over what is there; in one step, if the server knows how."""
        if POSIX_RENAME in self.session.extensions:
            answer = self.session.ask(Kind.EXTENDED, text(POSIX_RENAME), text(path), text(target))
        elif not self.rename_new(path, target):
            self.remove(target)
            answer = self.session.ask(Kind.RENAME, text(path), text(target))
        else:
            return
        self.must(answer, near=_parent(target))

    def sync_names(self, folder: bytes) -> None:
        """Make the names in a folder durable, where a server lets a folder be opened and synced as a file (OpenSSH)."""
        if FSYNC not in self.session.extensions:
            return
        with suppress(RemoteError):
            if (handle := self.open(folder, Open.READ)) is not None:
                self.session.ask(Kind.EXTENDED, text(FSYNC), text(handle))
                self.close(handle)

    def must(self, answer: Answer, *, near: bytes | None = None, needed_bytes: int = 0) -> Answer:
        """The answer, unless it is a refusal. ``near``: a folder where room was needed, and how much of it."""
        status = answer.status
        if status == Status.OK:
            return answer
        if status == Status.FAILURE and near is not None and self._is_full(near, needed_bytes):
            raise RemoteFullError("the remote is full", "make room there")
        raise _refusal(status)

    def must_have_written(self, answer: Answer, *, folder: bytes, left_bytes: int) -> None:
        """As ``must``, of a write or a sync. One that fails for no reason is most often a quota that is used up: what
        is free on the disk does not show it, and version 3 has no word for it.
        """
        if answer.status == Status.FAILURE and not self._is_full(folder, left_bytes):
            raise RemoteFullError(
                "the remote takes no more, and does not say why",
                "look at the quota of this box's account, at the server's disk, and at its log",
            )
        self.must(answer, near=folder, needed_bytes=left_bytes)

    def _is_full(self, folder: bytes, needed_bytes: int) -> bool:
        if STATVFS not in self.session.extensions:
            return False
        answer = self.session.ask(Kind.EXTENDED, text(STATVFS), text(folder))
        return answer.kind == Kind.EXTENDED_REPLY and answer.free_bytes() < needed_bytes + _SOME_BYTES

    def _is_folder(self, path: bytes) -> bool:
        found = self.attributes(path)
        return found is not None and found.is_folder

    def _must_or_absent(self, answer: Answer) -> None:
        if answer.status != Status.NO_SUCH_FILE:
            self.must(answer)


def no_folder() -> RemoteError:
    """The folder that everything is kept in is not there: a clinic makes it, no box does."""
    return RemoteError(
        "the folder for recordings is not there at the remote",
        "make it there, for this box's account to write in, or correct folder in [remote]",
    )


def _refusal(status: Status) -> SottoError:
    if status in {Status.NO_CONNECTION, Status.CONNECTION_LOST}:
        return RemoteAwayError("the remote lost its own disk for now", "it is tried again by itself")
    if status == Status.PERMISSION_DENIED:
        return RemoteError(
            "the remote denies this box's account what it asked for",
            "give the account the right to write in its folder, and to read what is its own",
        )
    if status == Status.NO_SUCH_FILE:
        return RemoteError("a file or folder at the remote went away", "let nobody else work in this box's folder")
    if status == Status.OP_UNSUPPORTED:
        return RemoteError("the remote cannot do what is needed", "bring the server's SFTP up to date")
    return RemoteError(
        "the remote failed, and does not say why",
        "look at its disk, at the quota of this box's account, and at its log",
    )


def _parent(path: bytes) -> bytes:
    return path.rpartition(b"/")[0] or b"/"
