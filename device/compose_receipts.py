"""Builds capture's side of sync: what signs receipts. Nothing of a remote is known here."""

from __future__ import annotations

import os
import pwd
from typing import Final

from device.audit_requests import PATIENCE_S
from device.capture.auditor import Auditor
from device.capture.receipts import Receipts
from device.clock import Clock, boot_id, stamp
from device.config import Config
from device.devicekey import load_or_make_device_key
from device.store import Store
from device.sync_requests import SYNC_SOCKET_NAME, SyncServer

SYNC_USER: Final = "sotto-sync"  # as in systemd/sysusers.d


def receipts_server(config: Config, *, store: Store, auditor: Auditor, clock: Clock) -> SyncServer:
    """The socket on which capture signs what sync has found at the remote."""
    key = load_or_make_device_key(config.box.device_key).public_key().public_bytes_raw()
    boot = boot_id()
    receipts = Receipts(
        store,
        key=key,
        note=lambda happened: auditor.note_durably(happened, patience_s=PATIENCE_S),
        now=lambda: stamp(clock, boot),
    )
    return SyncServer(config.box.run / SYNC_SOCKET_NAME, receipts.answer, users=_who_may_ask())


def _who_may_ask() -> frozenset[int]:
    """Sync's user, where this machine has one, and capture's own: on a developer's machine both are the same."""
    own = {os.geteuid()}
    try:
        return frozenset({*own, pwd.getpwnam(SYNC_USER).pw_uid})
    except KeyError:
        return frozenset(own)
