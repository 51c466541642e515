"""Builds capture's side of sync: what signs receipts. Nothing of a remote is known here."""

from __future__ import annotations

from device.audit_requests import PATIENCE_S
from device.capture.auditor import Auditor
from device.capture.receipts import Receipts
from device.clock import Clock, boot_id, stamp
from device.config import Config
from device.datagrams import SYNC_USER, users_named
from device.devicekey import load_or_make_device_key
from device.store import Store
from device.sync_requests import SYNC_SOCKET_NAME, SyncServer


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
    return SyncServer(config.box.run / SYNC_SOCKET_NAME, receipts.answer, users=users_named(SYNC_USER))
