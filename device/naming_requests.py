"""How the page, which has no key and cannot write to the store, has something named; and is answered.

One local socket; each connection is one request and one answer, a JSON object each. ``{"done": true, …}``: it is
durable, and sealed where it is anything that only a recipient may read. ``{"done": false, "reason": …}``: it is not.
The vocabulary is names and wishes: consent and start do not exist in it, nothing is ever opened, and what somebody asks
to be deleted is not. Each request says by its mark who asks (``by``); the page knows that, and is believed.

``recording`` is the id of one that is in the store. Left out it means the recording that runs, or whose window is open,
unless another therapist was checked in when it began. With neither the attachment is sealed at once, waits, and goes
beside the next recording that begins within three hours with the same person on duty. A page that knows which recording
is meant says so: a measure that was answered five minutes after the end belongs to that recording, and not to the next
client's.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from time import monotonic
from typing import Annotated, Any, ClassVar, Final, Literal

from device.datagrams import ConnectionServer, user_of
from device.errors import AdminError, SottoError, what_of
from device.people.person import is_mark
from device.recording import is_recording_id
from device.recording.beside import Wish
from device.recording.named import Session, Text, Word
from device.shapes import Hidden, Shape, ShapeError, from_json, rule, then

NAMING_SOCKET_NAME: Final = "naming.sock"
MOST_MEASURE_BYTES: Final = 32 * 1024
MOST_SEALED_BYTES: Final = 96 * 1024
MOST_DUTY_S: Final = 86_400
ANSWER_S: Final = 20.0
_ASK_S: Final = 1.0
_MOST_BYTES: Final = 160 * 1024
_WAITING: Final = 16


def _mark(text: str) -> str:
    if not is_mark(text):
        raise ValueError("must be a person's mark")
    return text


def _recording(text: str) -> str:
    if not is_recording_id(text):
        raise ValueError("must be the id of a recording")
    return text


def _document(text: str) -> str:
    if len(text.encode()) > MOST_MEASURE_BYTES:
        raise ValueError("must be shorter")
    return text


Mark = Annotated[str, then(_mark)]
RecordingId = Annotated[str, then(_recording)]
Sealed = Annotated[bytes, rule(min_length=1, max_length=MOST_SEALED_BYTES)]
WaitingName = Annotated[str, rule(pattern=r"^(label|note|measure)-[0-9a-f]{12}\.age$")]


class _Ask(Shape):
    by: Mark


class OnDuty(_Ask, tag_field="ask", tag="on_duty"):
    """Somebody works in the room from now on, for so many seconds at most; ``None``: nobody does.

    Whose mark it is stands in the manifest of every recording that begins until then. What waits for the recording of
    somebody else waits no more.
    """

    ask: ClassVar[Literal["on_duty"]] = "on_duty"
    therapist: Mark | None
    for_s: Annotated[int, rule(ge=1, le=MOST_DUTY_S)] = MOST_DUTY_S


class Label(_Ask, tag_field="ask", tag="label"):
    """Name the recording; the next label takes this one's place."""

    ask: ClassVar[Literal["label"]] = "label"
    recording: RecordingId | None = None
    client: Hidden[Word]
    session: Hidden[Session | None] = None
    study: Hidden[Word | None] = None
    arm: Hidden[Word | None] = None


class Note(_Ask, tag_field="ask", tag="note"):
    """Put a note beside the recording."""

    ask: ClassVar[Literal["note"]] = "note"
    recording: RecordingId | None = None
    text: Hidden[Text]


class Measure(_Ask, tag_field="ask", tag="measure"):
    """Put an answered measure beside the recording: the document as it is to be sealed.

    ``after``: where no recording is named, it is not this one either, whose window may still be open: the next one's
    client has the tablet already.
    """

    ask: ClassVar[Literal["measure"]] = "measure"
    recording: RecordingId | None = None
    after: RecordingId | None = None
    document: Hidden[Annotated[str, rule(min_length=2), then(_document)]]


class Clip(_Ask, tag_field="ask", tag="clip"):
    """Put something beside a recording that a person's own program has sealed: a whole age file."""

    ask: ClassVar[Literal["clip"]] = "clip"
    recording: RecordingId
    sealed: Hidden[Sealed]


class Review(_Ask, tag_field="ask", tag="review"):
    """Put what somebody says of a recording beside it, sealed by their own program as a clip is."""

    ask: ClassVar[Literal["review"]] = "review"
    recording: RecordingId
    sealed: Hidden[Sealed]


class AskFor(_Ask, tag_field="ask", tag="wish"):
    """Ask for a copy, or for the deletion, of a recording; or ask for it no longer."""

    ask: ClassVar[Literal["wish"]] = "wish"
    recording: RecordingId
    wish: Wish
    taken_back: bool = False


class Assign(_Ask, tag_field="ask", tag="assign"):
    """Say whose recording it is: one during which nobody was checked in, or the wrong one."""

    ask: ClassVar[Literal["assign"]] = "assign"
    recording: RecordingId
    therapist: Mark


class Declined(_Ask, tag_field="ask", tag="declined"):
    """Count that a client was asked to be recorded and said no: a box cannot see that."""

    ask: ClassVar[Literal["declined"]] = "declined"


class Leave(_Ask, tag_field="ask", tag="leave"):
    """Have what waits for this person's next recording wait no more: that session was not recorded."""

    ask: ClassVar[Literal["leave"]] = "leave"


class Place(_Ask, tag_field="ask", tag="place"):
    """Put what waits, or was left, beside a recording after all."""

    ask: ClassVar[Literal["place"]] = "place"
    name: WaitingName
    recording: RecordingId


Asked = OnDuty | Label | Note | Measure | Clip | Review | AskFor | Assign | Declined | Leave | Place


_LEAST_REST_S: Final = 0.2
_MOST_REST_S: Final = 2.0


class Reason(StrEnum):
    """Why something was not named."""

    NOT_ASKABLE = "not askable"  # nothing of the vocabulary, or not by one of the page's processes
    GONE = "gone"  # there is no such recording, or nothing of that name waits
    GOING = "going"  # it was withdrawn, or is being erased: nothing is put beside it any more
    NOT_CLOSED = "not closed"  # it is being recorded, sealed, or its window is open
    TOO_MANY = "too many"  # of that kind, beside that recording
    NOT_SEALED = "not sealed"  # what was brought is no age file, or the box has no recipient that it could seal to
    BUSY = "busy"  # an erasure is under way, or the recordings are being put in order
    NOT_NOTED = "not noted"  # the audit log cannot be written
    STORE = "store"  # the store failed, or is full
    TOO_SLOW = "too slow"  # it may be done yet


class NotNamedError(SottoError):
    """What was asked is not done; whoever asked can act. ``reason``: one of those above."""

    def __init__(self, reason: Reason, what: str, hint: str) -> None:
        super().__init__(what, hint)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Named:
    """It is done. ``recording``: beside which recording; ``None`` where it waits, or belongs to none.

    ``name``: of the file, beside the recording or among those that wait.
    """

    recording: str | None = None
    name: str | None = None


class _Answer(Shape):
    done: bool
    recording: str | None = None
    name: str | None = None
    reason: Reason = Reason.STORE
    what: str = ""
    hint: str = ""


Answering = Callable[[Asked], Named]
"""Does what is asked, durably. Raises ``NotNamedError`` where it does not."""


class NamingServer(ConnectionServer):
    """Answers the page, one request after the other, in a thread of its own.

    It rests after each for as long as that took, and a fifth of a second at least: a page that asks without end has
    half of the disk's time at most, a recording that runs the other half, and the audit log grows no faster than that.
    Sync's process is of the socket's group as well, and has no business here: the
    kernel says who asks (unix(7)).
    """

    def __init__(
        self, path: Path, answering: Answering, *, users: frozenset[int], rest: Callable[[float], None]
    ) -> None:
        """Listen at ``path``; what stood there before is gone. ``users``: the ids of those who may ask.

        ``rest``: lets so many seconds pass after an answer that took so long.

        Raises:
            AdminError: no socket can be made there.
        """
        self._answering = answering
        self._users = users
        self._rest = rest
        super().__init__(path, socket.SOCK_SEQPACKET, self._reply, waiting=_WAITING)

    def _reply(self, client: socket.socket) -> None:
        with suppress(OSError):  # whoever asked is gone, or says nothing: it gets no answer
            client.settimeout(_ASK_S)
            asked, began_s = client.recv(_MOST_BYTES), monotonic()
            answer = self._answer(asked) if user_of(client) in self._users else _refused(_not_askable())
            client.send(json.dumps(answer).encode())
            client.close()  # whoever asked need not wait for the rest
            self._rest(min(max(monotonic() - began_s, _LEAST_REST_S), _MOST_REST_S))

    def _answer(self, asked: bytes) -> dict[str, Any]:
        try:
            named = self._answering(from_json(Asked, asked))
        except ShapeError:
            return _refused(_not_askable())
        except NotNamedError as problem:
            return _refused(problem)
        except SottoError as problem:
            return _refused(NotNamedError(Reason.STORE, problem.what, problem.hint))
        except Exception as problem:  # noqa: BLE001  # no request ends this thread; only its kind is told (promise P4)
            return _refused(NotNamedError(Reason.STORE, what_of(problem), "report it to whoever set the box up"))
        return {"done": True, "recording": named.recording, "name": named.name}


def _refused(problem: NotNamedError) -> dict[str, Any]:
    return {"done": False, "reason": problem.reason, "what": problem.what, "hint": problem.hint}


def _not_askable() -> NotNamedError:
    return NotNamedError(
        Reason.NOT_ASKABLE, "that is nothing that can be asked", "use the page that belongs to this version of sotto"
    )


def ask_naming(asked: Asked, run: Path) -> Named:
    """Have capture do it; it is durable on return.

    Raises:
        NotNamedError: it says why not.
        AdminError: capture does not answer.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC) as client:
            client.settimeout(ANSWER_S + _ASK_S)
            client.connect(str(run / NAMING_SOCKET_NAME))
            client.send(asked.model_dump_json().encode())
            answer = _Answer.model_validate_json(client.recv(_MOST_BYTES))
    except (OSError, ShapeError) as problem:
        raise AdminError("the capture service does not answer", "start it, or look into its log") from problem
    if not answer.done:
        raise NotNamedError(answer.reason, answer.what, answer.hint)
    return Named(answer.recording, answer.name)
