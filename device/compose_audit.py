"""Puts the audit log of a box together: who writes it, what it is told first, where the page has things noted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from device.audit import AuditLog, newest_entries
from device.audit_requests import AUDIT_SOCKET_NAME, PATIENCE_S, AuditServer
from device.capture.auditor import Auditor
from device.clock import Clock, boot_id, stamp
from device.config import Config
from device.config_marks import start_of
from device.datagrams import PAGE_USER, users_named
from device.devicekey import load_or_make_device_key
from device.errors import StoreError
from device.recording.audited import Happened
from device.recording.chain import AUDIT_NAME


def auditor_of(config: Config, *, clock: Clock) -> Auditor:
    """The audit log of this box, on a thread of its own; it opens the log once there is something to write.

    Raises:
        AdminError: the box has no key, or none that can be used.
    """
    key, folder = load_or_make_device_key(config.box.device_key), config.store.path / AUDIT_NAME
    return Auditor(lambda: AuditLog(folder, device_key=key), clock=clock, boot=boot_id())


def start_entries(config: Config) -> list[Happened]:
    """What the audit log is told first: that the box starts, with which configuration, and what changed in it."""
    secret = load_or_make_device_key(config.box.device_key).private_bytes_raw()
    try:
        return start_of(config, secret, newest_entries(config.store.path / AUDIT_NAME))
    except StoreError:  # there is no log yet, or it cannot be read: whoever writes to it tells of that
        return start_of(config, secret, ())


def room_test_noter(config: Config, *, clock: Clock) -> Callable[[Happened], None]:
    """What writes into the audit log while the capture service does not run; it has the log only while it writes.

    Raises:
        AdminError: the box's key cannot be used.
    """
    key, folder, boot = load_or_make_device_key(config.box.device_key), config.store.path / AUDIT_NAME, boot_id()

    def note(happened: Happened) -> None:
        with closing(AuditLog(folder, device_key=key)) as log:
            log.append(happened, stamp(clock, boot))

    return note


def audit_server(config: Config, auditor: Auditor) -> AuditServer:
    """The socket on which the page has noted what somebody looked at or pulled."""
    return AuditServer(
        config.box.run / AUDIT_SOCKET_NAME,
        lambda happened: auditor.note_durably(happened, patience_s=PATIENCE_S),
        users=users_named(PAGE_USER),
    )
