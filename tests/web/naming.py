"""Capture's desk behind its socket, for real: what the page hands in is sealed to a key that a test has."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from device.age.identities import KeyIdentity, generate_identity
from device.audit_requests import PATIENCE_S
from device.capture.auditor import Auditor
from device.capture.desk import Desk
from device.capture.duty import Duty
from device.capture.places import Begun, Places
from device.capture.waiting import WaitingRoom
from device.clock import SystemClock, boot_id
from device.measures.document import Measured, from_bytes
from device.naming_requests import NAMING_SOCKET_NAME, NamingServer
from device.recording import ATTACHMENTS_NAME
from device.roster import the_same_for_all
from device.words import Consent
from tests.support import own_open
from tests.web.conftest import Box


@dataclass
class Naming:
    """The desk, and what came of what was handed in."""

    box: Box
    desk: Desk
    identity: KeyIdentity

    def beside(self, recording_id: str) -> list[Measured]:
        """The measures beside a recording, opened as a clinic opens them."""
        return self._opened(self.box.store.path / recording_id / ATTACHMENTS_NAME)

    def waiting(self) -> list[Measured]:
        """Those that wait for a recording, or were left."""
        return self._opened(self.desk.waiting.folder)

    def _opened(self, folder: Path) -> list[Measured]:
        return [from_bytes(own_open(path, self.identity)) for path in sorted(folder.glob("measure-*.age"))]

    def runs(self, recording_id: str, therapist: str | None) -> None:
        """A recording that is in the store already runs now."""
        self.desk.places.started(int(recording_id[:6]))
        self.desk.places.begun(int(recording_id[:6]), Begun(recording_id, therapist, Consent.SOUND))


@contextmanager
def naming(box: Box, auditor: Auditor) -> Iterator[Naming]:
    """Somebody who seals what the page hands in."""
    identity = generate_identity(post_quantum=False)
    desk = Desk(
        box.store,
        recipients=the_same_for_all([identity.recipient()]),
        clock=SystemClock(),
        boot=boot_id(),
        places=Places(),
        duty=Duty(box.run, boot=boot_id()),
        waiting=WaitingRoom(box.store.path),
        note=lambda happened: auditor.note_durably(happened, patience_s=PATIENCE_S),
        in_order=lambda: True,
        journal=lambda _entry: None,
    )
    server = NamingServer(
        box.run / NAMING_SOCKET_NAME, desk.answer, users=frozenset({os.geteuid()}), rest=lambda _seconds: None
    )
    with closing(desk), closing(server):
        yield Naming(box, desk, identity)
