"""Where the bytes of a recording come from: read in pieces anywhere, or as one stream, and counted.

A source is opened by its first read. ``http_source`` has the one for addresses.
"""

from __future__ import annotations

import io
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Protocol

from provisioning.errors import UnreachableError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_STREAM_BUFFER_BYTES = 1 << 20
_SPANS_KEPT = 2


class Source(Protocol):
    """A sealed file; one thread uses it. Every call raises ``UnreachableError`` where the bytes cannot be had."""

    @property
    def bytes_read(self) -> int:
        """Bytes of the file taken so far: what a slice saves."""

    def size_bytes(self) -> int | None:
        """The file's size, known after the first read; ``None`` where only its end would tell."""

    def read_at(self, offset: int, size: int) -> bytes:
        """``size`` bytes from ``offset`` on; fewer only at the end of the file. May raise ``NoRangeError``."""

    def stream(self) -> io.BufferedReader:
        """The whole file from its first byte."""

    def close(self) -> None:
        """Let it go; a second call does nothing."""


class RawStream(io.RawIOBase):
    """A file-like object over a function that gives up to that many bytes, and none at the end."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        super().__init__()
        self._read_some = read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        data = self._read_some(len(view))
        view[: len(data)] = data
        return len(data)

    def buffered(self) -> io.BufferedReader:
        """What a header and whole chunks are best read from."""
        return io.BufferedReader(self, _STREAM_BUFFER_BYTES)


class FileSource:
    """A file on this machine."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self._size_bytes = 0
        self.bytes_read = 0

    def _open(self) -> int:
        if self._descriptor < 0:
            try:
                # O_NONBLOCK: a pipe under that name is refused below instead of being waited for.
                self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            except FileNotFoundError as problem:
                raise UnreachableError(f"there is no {self._path}", "check the name") from problem
            except OSError as problem:
                raise self._unreadable(problem) from problem
            facts = os.fstat(self._descriptor)
            if not S_ISREG(facts.st_mode):
                raise UnreachableError(f"{self._path} is not a file", "give a recording's folder, or its .age file")
            self._size_bytes = facts.st_size
        return self._descriptor

    def size_bytes(self) -> int:
        self._open()
        return self._size_bytes

    def read_at(self, offset: int, size: int) -> bytes:
        parts: list[bytes] = []
        while size and (part := self._read_once(offset, size)):
            parts.append(part)
            offset, size = offset + len(part), size - len(part)
        return b"".join(parts)

    def _read_once(self, offset: int, size: int) -> bytes:
        try:
            part = os.pread(self._open(), size, offset)
        except OSError as problem:
            raise self._unreadable(problem) from problem
        self.bytes_read += len(part)
        return part

    def stream(self) -> io.BufferedReader:
        offset = 0

        def read(size: int) -> bytes:
            nonlocal offset
            part = self._read_once(offset, size)
            offset += len(part)
            return part

        return RawStream(read).buffered()

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _unreadable(self, problem: OSError) -> UnreachableError:
        return UnreachableError(
            f"{self._path} cannot be read: {problem.strerror}", "check that you may read it, and that its disk is well"
        )


class Ahead:
    """Few large reads in place of many small ones: what ``fetch`` brought is served from memory."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._spans: deque[tuple[int, bytes]] = deque(maxlen=_SPANS_KEPT)

    def fetch(self, offset: int, size: int) -> None:
        """Bring this part in one read, unless it is here. The last two parts stay."""
        if self._held(offset, size) is None:
            self._spans.append((offset, self._source.read_at(offset, size)))

    def read_at(self, offset: int, size: int) -> bytes:
        """As ``Source.read_at``."""
        held = self._held(offset, size)
        return self._source.read_at(offset, size) if held is None else held

    def _held(self, offset: int, size: int) -> bytes | None:
        for start, data in self._spans:
            if start <= offset and offset + size <= start + len(data):
                return data[offset - start : offset - start + size]
        return None
