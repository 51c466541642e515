"""How sync, which has no key and writes nothing into the store, has capture sign a receipt, or take an order away.

One local socket; each connection is one request and one answer, a JSON object each. ``{"done": true}``: it is durable.
``{"done": false, "why": …}``: it is not, and asking the same again would change nothing. The vocabulary is what a sync
has to say: what it found when it read a copy again, and that a remote obeyed an order.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

from device.datagrams import ConnectionServer, user_of
from device.errors import AdminError, RetryError, SottoError
from device.recording import MANIFEST_NAME, is_recording_id
from device.recording.beside import ASKED_NAMES
from device.shapes import Shape, ShapeError, from_json, rule, then

SYNC_SOCKET_NAME: Final = "receipts.sock"
_ANSWER_S: Final = 30.0  # an erasure under way is waited for, and the audit log's disk
_ASK_S: Final = 1.0
_MOST_BYTES: Final = 1 << 16
_MOST_BESIDE: Final = 400
_WAITING: Final = 4
_NOT_YOU: Final[dict[str, object]] = {"done": False, "why": "only sync may ask this"}
_PLAIN: Final = frozenset({MANIFEST_NAME, *ASKED_NAMES.values()})
_BESIDE: Final = re.compile(r"attachments/[A-Za-z0-9_-][A-Za-z0-9._-]{0,80}")
_FOLDER: Final = r"^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$"
_DIGEST: Final = r"^[0-9a-f]{64}$"


def _recording(text: str) -> str:
    if not is_recording_id(text):
        raise ValueError("must be the id of a recording")
    return text


def _beside(beside: Mapping[str, str]) -> Mapping[str, str]:
    if not all(name in _PLAIN or _BESIDE.fullmatch(name) for name in beside):
        raise ValueError("must be files beside a recording")
    return beside


RecordingId = Annotated[str, then(_recording)]
Digest = Annotated[str, rule(pattern=_DIGEST)]
Beside = Annotated[dict[str, Digest], rule(max_length=_MOST_BESIDE), then(_beside)]
RemoteName = Annotated[str, rule(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,59}$")]


class _Ask(Shape):
    recording: RecordingId
    remote: RemoteName


class ReceiptAsk(_Ask, tag_field="ask", tag="receipt"):
    """Sign what was found when the remote's copy was read again, all of it, whether it was the recording or not."""

    ask: ClassVar[Literal["receipt"]] = "receipt"
    digest: Digest
    header_digest: Digest
    closing_digest: Digest
    size_bytes: Annotated[int, rule(ge=0, lt=1 << 53)]
    folder: Annotated[str, rule(pattern=_FOLDER, max_length=512)]
    beside: Beside


class BesideAsk(_Ask, tag_field="ask", tag="beside"):
    """Renew a receipt that proves a copy: these smaller files are beside it now."""

    ask: ClassVar[Literal["beside"]] = "beside"
    beside: Beside


class ObeyedAsk(_Ask, tag_field="ask", tag="obeyed"):
    """Take an erase order away. ``by_clinic``: the remote refused, so the order lies there for the clinic's program."""

    ask: ClassVar[Literal["obeyed"]] = "obeyed"
    by_clinic: bool = False


Ask = ReceiptAsk | BesideAsk | ObeyedAsk

Answering = Callable[[Ask], None]
"""Does what is asked, durably. Raises ``SottoError`` where it does not."""


class SyncServer(ConnectionServer):
    """Answers sync, one request after the other, in a thread of its own.

    The page's process is of the socket's group as well, and has no business here: the kernel says who asks (unix(7)).
    """

    def __init__(self, path: Path, answering: Answering, *, users: frozenset[int]) -> None:
        """Listen at ``path``; what stood there before is gone. ``users``: the ids of those who may ask.

        Raises:
            AdminError: no socket can be made there.
        """
        self._answering = answering
        self._users = users
        super().__init__(path, socket.SOCK_SEQPACKET, self._reply, waiting=_WAITING)

    def _reply(self, client: socket.socket) -> None:
        with suppress(OSError):  # whoever asked is gone, or says nothing: it gets no answer
            client.settimeout(_ASK_S)
            asked = client.recv(_MOST_BYTES)
            answer = self._answer(asked) if user_of(client) in self._users else _NOT_YOU
            client.send(json.dumps(answer).encode())

    def _answer(self, asked: bytes) -> dict[str, object]:
        try:
            self._answering(from_json(Ask, asked))
        except ShapeError:
            return {"done": False, "why": "that is nothing that can be asked"}
        except SottoError as problem:
            return {"done": False, "why": problem.what}
        return {"done": True}


def ask_capture(ask: Ask, run: Path) -> None:
    """Have capture do it; it is durable on return.

    Raises:
        AdminError: capture does not answer.
        RetryError: it says why not.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC) as client:
            client.settimeout(_ANSWER_S)
            client.connect(str(run / SYNC_SOCKET_NAME))
            client.send(ask.model_dump_json().encode())
            answer = json.loads(client.recv(_MOST_BYTES))
        done, why = answer["done"] is True, str(answer.get("why", ""))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise AdminError("the capture service does not answer", "start it, or look into its log") from problem
    if not done:
        raise RetryError(f"the capture service did not sign: {why}", "it is tried again by itself")
