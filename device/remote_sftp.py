"""Any NAS or Linux machine with SSH as a remote: files written aside, made durable, and renamed.

Of OpenSSH's extensions each is used where the server has it. Without ``fsync`` the server decides when a file is
durable; without ``posix-rename`` exchanging a file takes two steps, and for a moment there is nothing under its name.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, Final

from device.errors import PutOffError, RemoteAbsentError, RemoteError, SottoError
from device.recording import SESSION_NAME
from device.remote import SILENCE_S, Held, Pace, absent, at_once, is_remote_name, must_be_remote_name
from device.sftp_files import SftpFiles, no_folder
from device.sftp_packets import Open, PacketError
from device.sftp_session import SftpSession
from device.ssh_channel import Account, SshChannel, ssh_command
from device.underway import IN_FLIGHT_BYTES, goes_on_at, hidden, piece_of, size_of

_SYNC_EACH_BYTES: Final = 256 << 20  # so that no sync takes a slow disk longer than anybody waits
_RECORDING: Final = SESSION_NAME.encode()

Connect = Callable[[], SftpSession]
"""A new session with the server, on which nothing was said yet."""


def sftp_remote(account: Account, *, folder: str, silence_s: float = SILENCE_S) -> SftpRemote:
    """That folder of an account at a server; ``""`` is where the login starts."""
    command = ssh_command(account, silence_s=silence_s)
    return SftpRemote(lambda: SftpSession(SshChannel(command, silence_s=silence_s)), folder=folder)


class SftpRemote:
    """A folder behind an SFTP session. See ``Remote`` for what each method promises."""

    def __init__(self, connect: Connect, *, folder: str) -> None:
        self._connect = connect
        self._top = (folder.rstrip("/") or ("/." if folder else ".")).encode()
        self._session: SftpSession | None = None

    def put(self, name: str, file: BinaryIO, *, replace: bool = False, pace: Pace = at_once) -> bool:
        must_be_remote_name(name)
        with self._connected() as files:
            target = self._path(name)
            if not replace and files.attributes(target) is not None:
                return False
            folder, _, last = target.rpartition(b"/")
            beside = folder + b"/" + hidden(last.decode()).encode()
            handle, start = self._open_beside(files, beside, file)
            _Sending(files, handle, folder, pace).send(file, start)
            files.close(handle)
            if replace:
                files.exchange(beside, target)
            elif not files.rename_new(beside, target):
                files.remove(beside)
                return False
            files.sync_names(folder)
            return True

    def read(self, name: str, *, start: int = 0, end: int | None = None, pace: Pace = at_once) -> Iterator[bytes]:
        must_be_remote_name(name)
        with self._connected() as files:
            if (handle := files.open(self._path(name), Open.READ)) is None:
                raise absent()
            yield from _reading(files, handle, start, end, pace)

    def names(self, folder: str) -> Iterator[Held]:
        if folder:
            must_be_remote_name(folder)
        with self._connected() as files:
            if not folder and files.inside(self._top) is None:
                raise no_folder()
            yield from self._names(files, folder)

    def erase(self, folder: str) -> None:
        must_be_remote_name(folder)
        with self._connected() as files:
            found = list(files.beneath(self._path(folder)))
            inside = [path for path, is_folder in found if not is_folder]
            for path in sorted(inside, key=lambda path: _RECORDING not in path.rpartition(b"/")[2]):
                files.remove(path)
            for path in (path for path, is_folder in found if is_folder):
                files.remove_folder(path)
            if found:
                files.sync_names(self._path(folder).rpartition(b"/")[0])

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    @contextmanager
    def _connected(self) -> Iterator[SftpFiles]:
        """The session of now. What goes wrong ends it: whatever is still under way in it is nobody's any more."""
        if self._session is None:
            self._session = self._connect()
            fresh = True
        else:
            fresh = False
        session = self._session
        try:
            if fresh:
                session.begin()
            yield SftpFiles(session)
        except (RemoteAbsentError, GeneratorExit):
            raise
        except BaseException as problem:
            if self._session is session:
                self._session = None
            session.close()
            if isinstance(problem, PacketError):
                raise RemoteError("the remote's SFTP makes no sense", "bring the server up to date") from None
            raise

    def _path(self, name: str) -> bytes:
        return self._top + b"/" + name.encode()

    def _open_beside(self, files: SftpFiles, beside: bytes, file: BinaryIO) -> tuple[bytes, int]:
        """The file under way, and from where to go on.

        What is no part of this file is taken away, not overwritten: the server may still be writing there what the
        last connection sent.
        """
        how = Open.READ | Open.WRITE
        if (handle := files.open(beside, how)) is not None:
            start = _goes_on_at(files, handle, file)
            if start:
                return handle, start
            files.close(handle)
            files.remove(beside)
        how |= Open.CREATE | Open.NEW
        if (handle := files.open(beside, how)) is None:
            files.make_folder(beside.rpartition(b"/")[0], top=self._top)
            handle = files.open(beside, how)
        if handle is None:
            raise no_folder()
        return handle, 0

    def _names(self, files: SftpFiles, folder: str) -> Iterator[Held]:
        before = f"{folder}/" if folder else ""
        entries = files.inside(self._path(folder) if folder else self._top) or []
        named = [(name.decode(), found) for name, found in entries if name.isascii() and is_remote_name(name.decode())]
        # A folder counts by what its files are called: with the slash, which comes after "-" and ".".
        for name, found in sorted(named, key=lambda one: f"{one[0]}/" if one[1].is_folder else one[0]):
            if found.is_folder:
                yield from self._names(files, before + name)
            elif found.is_file:
                yield Held(before + name, found.size_bytes or 0)


class _Sending:
    """One file on its way: many writes at once, and never more of them than a next time would send again."""

    def __init__(self, files: SftpFiles, handle: bytes, folder: bytes, pace: Pace) -> None:
        self._files, self._handle, self._folder, self._pace = files, handle, folder, pace
        self._asked: deque[tuple[int, int]] = deque()
        self._in_flight_bytes = 0
        self._unsynced_bytes = 0
        self._left_bytes = 0

    def send(self, file: BinaryIO, start: int) -> None:
        """Send all from there on, until the server has made it durable."""
        size = size_of(file)
        self._left_bytes = size - start
        try:
            step = self._files.session.write_bytes
            for at in range(start, size, step):
                length = min(step, size - at)
                self._pace(length)
                self._write(at, piece_of(file, at, length))
                self._unsynced_bytes += length
                if self._unsynced_bytes >= _SYNC_EACH_BYTES:
                    self._sync()
            self._sync()
            self._settle(0)
        except PutOffError:
            with suppress(SottoError):  # what is sent is kept; whether all of it is, the next time finds out
                self._settle(0)
            raise
        if self._files.size(self._handle) != size:
            raise RemoteError("the remote lost a part of a file", "look at its disk, and at its log")

    def _write(self, start: int, data: bytes) -> None:
        self._settle(IN_FLIGHT_BYTES - len(data))
        self._asked.append((self._files.session.send_write(self._handle, start, data), len(data)))
        self._in_flight_bytes += len(data)

    def _sync(self) -> None:
        asked = self._files.session.send_fsync(self._handle)
        if asked is not None:
            self._asked.append((asked, 0))
        self._unsynced_bytes = 0

    def _settle(self, most_bytes: int) -> None:
        """Wait until no more than that is in flight; for 0 until all is answered."""
        while self._asked and (self._in_flight_bytes > most_bytes or not most_bytes):
            asked, length = self._asked.popleft()
            answer = self._files.session.answer(asked)
            self._files.must_have_written(answer, folder=self._folder, left_bytes=self._left_bytes)
            self._in_flight_bytes -= length
            self._left_bytes -= length


def _goes_on_at(files: SftpFiles, handle: bytes, file: BinaryIO) -> int:
    return goes_on_at(
        file,
        size_bytes=size_of(file),
        there_bytes=files.size(handle),
        read_at=lambda start, length: files.read_at(handle, start, length),
    )


def _reading(files: SftpFiles, handle: bytes, start: int, end: int | None, pace: Pace) -> Iterator[bytes]:
    """The bytes in order, asked for ahead. Whoever stops in the middle leaves nothing for a next call to fall over."""
    asked: deque[tuple[int, int, int]] = deque()
    try:
        size = files.size(handle)
        end = size if end is None else min(end, size)
        while start < end or asked:
            while start < end and (not asked or start - asked[0][1] < IN_FLIGHT_BYTES):
                length = min(files.session.read_bytes, end - start)
                pace(length)
                asked.append((files.send_read(handle, start, length), start, length))
                start += length
            number, at, length = asked.popleft()
            data = files.rest(number, handle, at, length)
            if data:
                yield data
            if len(data) < length:
                return
    finally:
        files.forget(handle, [number for number, _, _ in asked])
