"""A file that a remote holds, read in places or as one stream; and its small files.

Nothing is kept here between two reads. A remote does not tell when a file is exchanged for another while it is read:
a length that no longer fits is told, and otherwise its chunks do not open, because each file has a key of its own.
"""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator

from device.errors import RemoteAbsentError, RemoteError, RetryError
from device.remote import Remote
from provisioning.errors import UnreachableError
from provisioning.source import RawStream


def pieces(remote: Remote, name: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """As ``Remote.read``, with the clinic's errors.

    Raises:
        UnreachableError: the remote does not answer or refuses, or there is nothing under that name.
    """
    try:
        yield from remote.read(name, start=start, end=end)
    except RemoteAbsentError as problem:
        raise UnreachableError(
            f"the remote does not hold {name}", "see with `sotto-clinic list` what it holds"
        ) from problem
    except (RemoteError, RetryError) as problem:
        raise UnreachableError(problem.what, problem.hint) from problem


def read_small(remote: Remote, name: str, *, most_bytes: int) -> bytes:
    """A small file as a whole.

    Raises:
        UnreachableError: it cannot be read, or is larger than ``most_bytes``.
    """
    data = b"".join(pieces(remote, name, end=most_bytes + 1))
    if len(data) > most_bytes:
        raise UnreachableError(f"{name} is far too large at the remote", "find out who put it there")
    return data


class RemoteSource:
    """The file ``name`` of ``size_bytes``, as the remote listed it."""

    def __init__(self, remote: Remote, name: str, size_bytes: int) -> None:
        self._remote = remote
        self._name = name
        self._size_bytes = size_bytes
        self._coming: Generator[bytes, None, None] | None = None
        self.bytes_read = 0

    def size_bytes(self) -> int:
        return self._size_bytes

    def read_at(self, offset: int, size: int) -> bytes:
        end = min(offset + size, self._size_bytes)
        if end <= offset:
            return b""
        data = b"".join(self._counted(offset, end))
        if len(data) != end - offset:
            raise UnreachableError("the recording changed while it was read", "try again; if it stays so, verify it")
        return data

    def stream(self) -> io.BufferedReader:
        coming = self._coming = self._counted(0, None)
        held = memoryview(b"")

        def read(size: int) -> bytes:
            nonlocal held
            if not held:
                held = memoryview(next(coming, b""))
            part, held = bytes(held[:size]), held[size:]
            return part

        return RawStream(read).buffered()

    def pieces(self, start: int) -> Iterator[bytes]:
        """All from ``start`` on, piece by piece."""
        return self._counted(start, None)

    def close(self) -> None:
        """Read no further; the remote stays open: it belongs to whoever made it."""
        if self._coming is not None:
            self._coming.close()
            self._coming = None

    def _counted(self, start: int, end: int | None) -> Generator[bytes, None, None]:
        for piece in filter(None, pieces(self._remote, self._name, start=start, end=end)):
            self.bytes_read += len(piece)
            yield piece
