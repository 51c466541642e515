"""How the page, which has no key, has something noted in the audit log: it asks capture, and waits for the answer.

One local socket; each connection is one request and one reply, a JSON object each: ``{"what": "pull", "recording": …}``
and ``{"number": 2417}``, the number of the entry, which is then durable, or ``null`` where it could not be noted in
time. The vocabulary is what a page can do: look, pull, log in and out, change what it knows of people, and tell
sync something; and take the list of people that the clinic signed. Nothing of capture can be set in motion here, and
nobody but the page may say what was done on it.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final, Literal

from device.datagrams import ConnectionServer, user_of
from device.recording.audited import Happened, Plain, What, Who
from device.shapes import Shape, ShapeError, rule

AUDIT_SOCKET_NAME: Final = "audit.sock"
PATIENCE_S: Final = 3.0
_ANSWER_S: Final = PATIENCE_S + 1.0
_ASK_S: Final = 1.0
_MOST_BYTES: Final = 1024
_WAITING: Final = 16
_ROOT: Final = 0

Count = Annotated[int, rule(ge=0, lt=1 << 53)]


class NoteRequest(Shape):
    """What somebody did on the page. ``up_to_bytes``: how much of a recording is handed out at most, all in all.

    ``person``: the mark of who did it, ``whom`` of the person to whom; ``door``: through which they came in; ``way``:
    how they proved who they are; ``told``: what sync is to do (``device/sync_control.py``); ``people_list`` and
    ``digest``: the number and the SHA-256 of the clinic's list of people.
    """

    what: Literal[
        "view",
        "pull",
        "login",
        "logout",
        "person changed",
        "people taken",
        "people refused",
        "sync told",
        "order done",
        "order refused",
        "order undone",
    ]
    person: str | None = None
    whom: str | None = None
    recording: str | None = None
    of: str | None = None
    door: str | None = None
    way: str | None = None
    change: str | None = None
    told: str | None = None
    digest: str | None = None
    people_list: Count | None = None
    up_to_bytes: Count | None = None
    size_bytes: Count | None = None
    since: Count | None = None  # the number of the entry with which this pull began
    granted: bool | None = None
    about: str | None = None  # what an order of the clinic's was about, its number, and by what it is known
    order: Count | None = None

    def happened(self) -> Happened | None:
        """The same for the log; ``None`` if it says something for which the log has no words."""
        told = self.model_dump(exclude={"what", "recording"}, exclude_none=True)
        facts: dict[str, Plain] = dict(told)
        try:
            return Happened(What(self.what), self.recording, Who.BOX if self.of_an_order() else Who.PAGE, facts)
        except ValueError:
            return None

    def of_an_order(self) -> bool:
        """Whether it says what became of an order of the clinic's: that is for root to say, who carries them out."""
        return self.what in {What.ORDER_DONE, What.ORDER_REFUSED, What.ORDER_UNDONE}


Note = Callable[[Happened], int | None]
"""Makes an entry durable, and says its number; ``None`` where that took too long or failed."""


class AuditServer(ConnectionServer):
    """Answers the page, one request after the other, in a thread of its own.

    Sync's and nginx's processes are of the socket's group as well: what they could say would be a lie in the box's own
    hand, and pages of it would fill the disk. The kernel says who asks (unix(7)).
    """

    def __init__(self, path: Path, note: Note, *, users: frozenset[int]) -> None:
        """Listen at ``path``; what stood there before is gone. ``users``: the ids of those who may ask.

        Raises:
            AdminError: no socket can be made there.
        """
        self._note = note
        self._users = users
        super().__init__(path, socket.SOCK_SEQPACKET, self._reply, waiting=_WAITING)

    def _reply(self, client: socket.socket) -> None:
        with suppress(OSError):  # whoever asked is gone, or says nothing: it gets no answer
            client.settimeout(_ASK_S)
            asked = client.recv(_MOST_BYTES)
            number = self._answer(asked, user_of(client))
            client.send(json.dumps({"number": number}).encode())

    def _answer(self, asked: bytes, user: int) -> int | None:
        try:
            request = NoteRequest.model_validate_json(asked)
        except ShapeError:
            return None
        if user not in ({_ROOT, os.geteuid()} if request.of_an_order() else self._users):
            return None
        happened = request.happened()
        return None if happened is None else self._note(happened)


def note_by_capture(request: NoteRequest, run: Path) -> int | None:
    """The number of the entry, once it is durable; ``None`` where it could not be noted, for whatever reason."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC) as client:
            client.settimeout(_ANSWER_S)
            client.connect(str(run / AUDIT_SOCKET_NAME))
            client.send(request.model_dump_json(exclude_none=True).encode())
            number = json.loads(client.recv(_MOST_BYTES))["number"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return number if isinstance(number, int) else None
