"""Builds what looks after the store while nobody is there."""

from __future__ import annotations

from device.audit_requests import PATIENCE_S
from device.capture.auditor import Auditor
from device.capture.upkeep import Upkeep
from device.capture.waiting import WaitingRoom
from device.clock import Clock, boot_id
from device.config import Config
from device.devicekey import load_or_make_device_key
from device.journal import Journal
from device.retention import policy_of
from device.store import Store


def upkeep_of(
    config: Config, *, store: Store, clock: Clock, journal: Journal, waiting: WaitingRoom, auditor: Auditor
) -> Upkeep:
    """Upkeep as this box is configured."""
    return Upkeep(
        store,
        key=load_or_make_device_key(config.box.device_key).public_key().public_bytes_raw(),
        policy=policy_of(config),
        clock=clock,
        boot=boot_id(),
        journal=journal,
        waiting=waiting,
        note=lambda happened: auditor.note_durably(happened, patience_s=PATIENCE_S),
    )
