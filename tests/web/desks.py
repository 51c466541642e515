"""Capture's desk behind a page, for real: it seals what is named to an identity of the test's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from device.age.identities import KeyIdentity, generate_identity
from device.capture.auditor import Auditor
from device.capture.desk import Desk
from device.clock import SystemClock
from device.naming_requests import NAMING_SOCKET_NAME, NamingServer
from device.recording import ATTACHMENTS_NAME
from device.recording.named import LabelDocument, NoteDocument, from_bytes
from tests.support import desk_at, own_open
from tests.web.conftest import Box

_Document = TypeVar("_Document", LabelDocument, NoteDocument)


@dataclass
class Named:
    """The desk of a box, and who can open what it seals."""

    box: Box
    desk: Desk
    identity: KeyIdentity

    def opened(self, recording_id: str, name: str, kind: type[_Document]) -> _Document:
        """What was sealed beside a recording."""
        path = self.box.store.folder(recording_id) / ATTACHMENTS_NAME / name
        return from_bytes(own_open(path, self.identity), kind)


@contextmanager
def named(box: Box, auditor: Auditor) -> Iterator[Named]:
    """A desk that answers the page of ``box``."""
    identity = generate_identity(post_quantum=False)
    desk = desk_at(box.store, clock=SystemClock(), recipients=[identity.recipient()], auditor=auditor, run=box.run)
    path, users = box.run / NAMING_SOCKET_NAME, frozenset({os.geteuid()})
    with closing(desk), closing(NamingServer(path, desk.answer, users=users, rest=lambda _seconds: None)):
        yield Named(box, desk, identity)
