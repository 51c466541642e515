"""How the page, which has no key, has the box prove by which key it signs: it asks capture for a signed answer.

One local socket; each connection is one challenge (``device/recording/enrolment.py``) and one signed document. Nothing
of capture can be set in motion here, nothing is noted and nothing kept.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

from device.datagrams import ConnectionServer, user_of
from device.recording.enrolment import CHALLENGE_BYTES

PROOF_SOCKET_NAME: Final = "proof.sock"
_ASK_S: Final = 1.0
_ANSWER_S: Final = 3.0
_MOST_BYTES: Final = 4096
_WAITING: Final = 16

Prove: TypeAlias = Callable[[bytes], bytes]
"""Signs the proof for a challenge."""


class ProofServer(ConnectionServer):
    """Answers the page, one challenge after the other, in a thread of its own."""

    def __init__(self, path: Path, prove: Prove, *, users: frozenset[int]) -> None:
        """Listen at ``path``; what stood there before is gone. ``users``: the ids of those who may ask.

        Raises:
            AdminError: no socket can be made there.
        """
        self._prove = prove
        self._users = users
        super().__init__(path, socket.SOCK_SEQPACKET, self._reply, waiting=_WAITING)

    def _reply(self, client: socket.socket) -> None:
        with suppress(OSError):  # whoever asked is gone, or says nothing: it gets no answer
            client.settimeout(_ASK_S)
            challenge = client.recv(_MOST_BYTES)
            if user_of(client) in self._users and len(challenge) == CHALLENGE_BYTES:
                client.send(self._prove(challenge))


def prove_by_capture(challenge: bytes, run: Path) -> bytes | None:
    """The signed answer; ``None`` where capture does not give one, for whatever reason."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC) as client:
            client.settimeout(_ANSWER_S)
            client.connect(str(run / PROOF_SOCKET_NAME))
            client.send(challenge)
            return client.recv(_MOST_BYTES) or None
    except OSError:
        return None
