"""One SFTP session: requests go out under numbers, many at once, and their answers are fetched in any order."""

from __future__ import annotations

from typing import Final, Protocol

from device.errors import RemoteError
from device.sftp_packets import (
    FSYNC,
    LIMITS,
    Answer,
    Inbox,
    Kind,
    PacketError,
    extensions,
    hello,
    long,
    number,
    request,
    text,
)
from device.ssh_reasons import no_sftp

_EVERY_SERVER_BYTES: Final = 32 << 10  # of one read or write (draft-ietf-secsh-filexfer-02, section 3)
_MOST_BYTES: Final = 255 << 10


class Channel(Protocol):
    """Bytes to a server and back."""

    def send(self, *parts: bytes | memoryview) -> None:
        """Have them sent when there is room. They do not change until then."""

    def receive(self) -> bytes:
        """Send, until something comes in. Raises what ``Remote`` may raise, and is over then."""

    def close(self, *, at_once: bool = False) -> None:
        """End it. May be repeated."""


class SftpSession:
    """What a server can do (``extensions``, and bytes in one read or write), and questions to it.

    One thread uses it. Each method that waits raises what ``Channel.receive`` does, and ``RemoteError`` where something
    else than SFTP is answered; it is over then.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._inbox = Inbox()
        self._last_number = 0
        self._answers: dict[int, Answer] = {}
        self._unwanted: set[int] = set()
        self.read_bytes = self.write_bytes = _EVERY_SERVER_BYTES
        self.extensions: frozenset[bytes] = frozenset()

    def begin(self) -> None:
        """Say hello. Once, before all else."""
        self._channel.send(hello())
        try:
            first: list[tuple[int, bytes]] = []
            while not first:
                first = list(self._inbox.feed(self._channel.receive()))
            ((kind, body),) = first
            if kind != Kind.VERSION:
                raise no_sftp()
            self.extensions = frozenset(extensions(body))
            if LIMITS in self.extensions:
                self._learn(self.ask(Kind.EXTENDED, text(LIMITS)))
        except (PacketError, ValueError):
            raise no_sftp() from None

    def send(self, kind: Kind, *fields: bytes) -> int:
        """Ask something; the number under which ``answer`` has the answer."""
        self._last_number = (self._last_number + 1) % (1 << 32)
        self._channel.send(request(kind, self._last_number, *fields))
        return self._last_number

    def send_write(self, handle: bytes, start: int, data: bytes) -> int:
        """Have bytes written there. They are not copied, and must not change before the answer is here."""
        self._last_number = (self._last_number + 1) % (1 << 32)
        fields = (text(handle), long(start), number(len(data)))
        self._channel.send(request(Kind.WRITE, self._last_number, *fields, following_bytes=len(data)), data)
        return self._last_number

    def send_fsync(self, handle: bytes) -> int | None:
        """Have a file made durable; ``None``: this server does not do that when asked."""
        return self.send(Kind.EXTENDED, text(FSYNC), text(handle)) if FSYNC in self.extensions else None

    def ask(self, kind: Kind, *fields: bytes) -> Answer:
        """Ask something, and wait for the answer."""
        return self.answer(self.send(kind, *fields))

    def answer(self, asked: int) -> Answer:
        """The answer to what was asked under that number; each can be fetched once."""
        while asked not in self._answers:
            try:
                for kind, body in self._inbox.feed(self._channel.receive()):
                    self._arrived(kind, body)
            except PacketError:
                self.close()
                raise _nonsense() from None
        return self._answers.pop(asked)

    def forget(self, asked: int) -> None:
        """Nobody will fetch this answer."""
        if self._answers.pop(asked, None) is None:
            self._unwanted.add(asked)

    def close(self) -> None:
        """Hang up. May be repeated."""
        self._channel.close()

    def _arrived(self, kind: int, body: bytes) -> None:
        if len(body) < 4:
            raise PacketError
        asked = int.from_bytes(body[:4], "big")
        if asked in self._unwanted:
            self._unwanted.discard(asked)
        else:
            self._answers[asked] = Answer(kind, body[4:])

    def _learn(self, answer: Answer) -> None:
        if answer.kind == Kind.EXTENDED_REPLY:
            reads, writes = (limit or _EVERY_SERVER_BYTES for limit in answer.limits())
            self.read_bytes, self.write_bytes = min(reads, _MOST_BYTES), min(writes, _MOST_BYTES)


def _nonsense() -> RemoteError:
    return RemoteError("the remote answers what is no SFTP", "bring the server's SFTP up to date")
