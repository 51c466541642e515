"""The remote: what every clinic server can do for a box, whatever it is made of. A contract; nothing here talks to one.

A remote holds files under names such as ``practice/room-3/2026/11/000042-…/session.mp4.age``: parts of letters, digits
and ``._-``, joined by ``/``, none of which begins with a dot. Nothing that it says is believed: whoever sends a
recording reads it again, and compares.

Every method may raise, and no other error escapes it:

    PutOffError         ``pace`` said so; what was sent so far is kept for the next time
    RemoteAwayError     no answer, a broken connection, "not now": nobody has to act, the retry loop will
    RemoteFullError     there is no room: whoever looks after the remote has to act
    RemoteAbsentError   only ``read``: there is nothing under that name
    RemoteError         it refuses: credentials, host key, certificate, rights; an admin has to act
    StoreError          only ``put``: it is our own file that cannot be read

No error holds a secret, or a text that the server sent: that is for the journal of neither box nor clinic.

One thread at a time uses a remote. Nothing connects before the first method is called, a broken connection is made
anew by the next call, and each call ends by itself when the server falls silent (``SILENCE_S``), however long it takes
as long as bytes move. ``tests/remote`` holds every implementation to all of this.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, Protocol, TypeAlias

from device.errors import RemoteAbsentError, RemoteError

SILENCE_S: Final = 30.0
MOST_AGAIN_BYTES: Final = 16 << 20  # of what is sent a second time after a cut, at most

_PART: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")

Pace: TypeAlias = Callable[[int], None]
"""Told how many bytes are about to be moved, before each piece (1 MiB at most). It may wait, which is how a bandwidth
is kept, and it may raise ``PutOffError``: somebody paused, the box ends, or the recording was withdrawn."""


def at_once(_moved_bytes: int) -> None:
    """The pace of somebody who is alone."""


@dataclass(frozen=True, slots=True)
class Held:
    """A file that the remote holds, as it lists it."""

    name: str
    size_bytes: int


class Remote(Protocol):
    """A clinic server."""

    def put(self, name: str, file: BinaryIO, *, replace: bool = False, pace: Pace = at_once) -> bool:
        """Send ``file``, which can be sought and does not change, and have the remote keep it durably under ``name``.

        All or nothing: under ``name`` nobody ever sees half of it. Where there is something under that name already it
        stays as it is, and the answer is ``False``, unless ``replace``: then it is exchanged in one step.

        After a cut anywhere (of this process, the connection, the server) the same call goes on where that one was, and
        sends ``MOST_AGAIN_BYTES`` again at most. What is found of another file under way there is not built upon.
        """

    def read(self, name: str, *, start: int = 0, end: int | None = None, pace: Pace = at_once) -> Iterator[bytes]:
        """The bytes from ``start`` up to ``end`` as the remote has them, piece by piece, none from a cache here.

        Ends early where the file does. The first piece, or the error, comes when it is asked for.
        """

    def names(self, folder: str) -> Iterator[Held]:
        """All that is held beneath ``folder`` (of all there is, for ``""``), ordered by name; nothing unfinished.

        A box may have no right to this (``RemoteError``), and does not need it.
        """

    def erase(self, folder: str) -> None:
        """Erase all beneath ``folder``, finished or not. There being nothing is no error: it may be repeated.

        The recording itself goes first, so that nothing can be opened any more whatever comes between. After this
        returns nothing is there. A box may have no right to this, or the clinic has locked it (``RemoteError``).
        """

    def close(self) -> None:
        """Let the connection go. May be repeated; the next call makes a new one."""


def absent() -> RemoteAbsentError:
    """What ``read`` says of a name that is not there."""
    return RemoteAbsentError("there is nothing under that name at the clinic", "it may not have been sent yet")


def is_remote_name(text: str) -> bool:
    """Whether ``text`` can name a file at a remote."""
    return len(text) <= 512 and all(_PART.fullmatch(part) for part in text.split("/"))


def must_be_remote_name(text: str) -> None:
    """Refuse what cannot be a name, before any server hears of it.

    Raises:
        RemoteError: it would lead out of where all is kept, or could not be told from a file under way.
    """
    if not is_remote_name(text):
        raise RemoteError("this cannot be a name at the remote", "use parts of letters, digits and ._- joined by /")
