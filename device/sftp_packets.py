"""SFTP version 3 as bytes: requests out, answers in; pure.

Sources: draft-ietf-secsh-filexfer-02, which is the version that every server speaks, and OpenSSH's PROTOCOL for what
ends in ``@openssh.com``. The texts that a server adds to its answers are left where they are: nobody here reads them.
"""

from __future__ import annotations

import stat
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final

VERSION: Final = 3
LONGEST_BYTES: Final = 1 << 20  # of an answer; servers send a quarter of it at most

LIMITS: Final = b"limits@openssh.com"
FSYNC: Final = b"fsync@openssh.com"
POSIX_RENAME: Final = b"posix-rename@openssh.com"
STATVFS: Final = b"statvfs@openssh.com"


class Kind(IntEnum):
    """What a packet is."""

    INIT = 1
    VERSION = 2
    OPEN = 3
    CLOSE = 4
    READ = 5
    WRITE = 6
    LSTAT = 7
    FSTAT = 8
    OPENDIR = 11
    READDIR = 12
    REMOVE = 13
    MKDIR = 14
    RMDIR = 15
    RENAME = 18
    STATUS = 101
    HANDLE = 102
    DATA = 103
    NAME = 104
    ATTRS = 105
    EXTENDED = 200
    EXTENDED_REPLY = 201


class Status(IntEnum):
    """How a request ended. What a server says beyond these counts as ``FAILURE``."""

    OK = 0
    EOF = 1
    NO_SUCH_FILE = 2
    PERMISSION_DENIED = 3
    FAILURE = 4
    BAD_MESSAGE = 5
    NO_CONNECTION = 6
    CONNECTION_LOST = 7
    OP_UNSUPPORTED = 8

    @classmethod
    def _missing_(cls, _value: object) -> Status:
        return cls.FAILURE


class Open(IntFlag):
    """How a file is opened."""

    READ = 1
    WRITE = 2
    CREATE = 8
    NEW = 32


class PacketError(Exception):
    """This is not SFTP, or it was cut."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """What is known of a file: its length and its mode, where the server says so."""

    size_bytes: int | None
    mode: int | None

    @property
    def is_folder(self) -> bool:
        return self.mode is not None and stat.S_ISDIR(self.mode)

    @property
    def is_file(self) -> bool:
        return self.mode is not None and stat.S_ISREG(self.mode)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: what it is, and what comes after its number."""

    kind: int
    body: bytes

    @property
    def status(self) -> Status:
        """How the request ended; anything but a status is what was asked for."""
        return Status(_Fields(self.body).number()) if self.kind == Kind.STATUS else Status.OK

    def text(self) -> bytes:
        """The handle or the data."""
        self._must_be(Kind.HANDLE, Kind.DATA)
        return _Fields(self.body).text()

    def attributes(self) -> Attributes:
        self._must_be(Kind.ATTRS)
        return _Fields(self.body).attributes()

    def entries(self) -> Iterator[tuple[bytes, Attributes]]:
        """What is in a folder, with ``.`` and ``..``."""
        self._must_be(Kind.NAME)
        fields = _Fields(self.body)
        for _ in range(fields.number()):
            name = fields.text()
            fields.text()  # the line that `ls -l` would show
            yield name, fields.attributes()

    def limits(self) -> tuple[int, int]:
        """The longest read and the longest write in bytes; 0: it does not say."""
        self._must_be(Kind.EXTENDED_REPLY)
        fields = _Fields(self.body)
        fields.long()  # the longest packet, of which these two are what counts
        return fields.long(), fields.long()

    def free_bytes(self) -> int:
        """What ``statvfs`` says is left for those who are not root."""
        self._must_be(Kind.EXTENDED_REPLY)
        fields = _Fields(self.body)
        _, block_bytes, _, _, available = (fields.long() for _ in range(5))
        return block_bytes * available

    def _must_be(self, *kinds: Kind) -> None:
        if self.kind not in kinds:
            raise PacketError


def text(data: bytes) -> bytes:
    """A field with its length before it."""
    return struct.pack(">I", len(data)) + data


def number(value: int) -> bytes:
    """A field of four bytes."""
    return struct.pack(">I", value)


def long(value: int) -> bytes:
    """A field of eight bytes."""
    return struct.pack(">Q", value)


def hello() -> bytes:
    """What is said first."""
    return struct.pack(">IBI", 5, Kind.INIT, VERSION)


def request(kind: Kind, number_: int, *fields: bytes, following_bytes: int = 0) -> bytes:
    """A request under that number; ``following_bytes`` of its last field are sent behind it."""
    body = b"".join(fields)
    return struct.pack(">IBI", 5 + len(body) + following_bytes, kind, number_) + body


def extensions(body: bytes) -> Mapping[bytes, bytes]:
    """What a server can do beyond version 3, from its first answer."""
    fields, found = _Fields(body), {}
    if fields.number() != VERSION:
        raise PacketError
    while fields.left:
        name = fields.text()
        found[name] = fields.text()
    return found


class Inbox:
    """Bytes as they come in, whole packets out."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """The kind and the rest of each packet that is now complete.

        Raises:
            PacketError: something else than SFTP is said there.
        """
        self._waiting += data
        at = 0
        while len(self._waiting) - at >= 5:
            length, kind = struct.unpack_from(">IB", self._waiting, at)
            if not 1 <= length <= LONGEST_BYTES:
                raise PacketError
            if len(self._waiting) - at - 4 < length:
                break
            yield kind, bytes(memoryview(self._waiting)[at + 5 : at + 4 + length])
            at += 4 + length
        del self._waiting[:at]


class _Fields:
    """One field of a packet after the other."""

    def __init__(self, body: bytes) -> None:
        self._body, self._at = body, 0

    @property
    def left(self) -> int:
        return len(self._body) - self._at

    def number(self) -> int:
        return int.from_bytes(self._take(4), "big")

    def long(self) -> int:
        return int.from_bytes(self._take(8), "big")

    def text(self) -> bytes:
        return self._take(self.number())

    def attributes(self) -> Attributes:
        flags = self.number()
        size = self.long() if flags & 1 else None
        if flags & 2:
            self._take(8)  # user and group
        mode = self.number() if flags & 4 else None
        if flags & 8:
            self._take(8)  # times
        if flags & 0x80000000:
            for _ in range(2 * self.number()):
                self.text()
        return Attributes(size, mode)

    def _take(self, length: int) -> bytes:
        if length > self.left:
            raise PacketError
        self._at += length
        return self._body[self._at - length : self._at]
