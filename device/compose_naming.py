"""Builds what answers the page when it has something named."""

from __future__ import annotations

import time
from collections.abc import Callable

from device.audit_requests import PATIENCE_S
from device.capture.auditor import Auditor
from device.capture.desk import Desk
from device.capture.duty import Duty
from device.capture.places import Places
from device.capture.waiting import WaitingRoom
from device.clock import Clock, boot_id
from device.config import Config
from device.datagrams import PAGE_USER, users_named
from device.journal import Journal
from device.naming_requests import NAMING_SOCKET_NAME, NamingServer
from device.roster import WhoOpens
from device.store import Store


def desk_of(
    config: Config,
    *,
    store: Store,
    recipients: WhoOpens,
    waiting: WaitingRoom,
    auditor: Auditor,
    clock: Clock,
    journal: Journal,
    in_order: Callable[[], bool],
) -> Desk:
    """What seals labels, notes and measures, and writes down who works in the room and what is asked for."""
    boot = boot_id()
    return Desk(
        store,
        recipients=recipients,
        clock=clock,
        boot=boot,
        places=Places(),
        duty=Duty(config.box.run, boot=boot),
        waiting=waiting,
        note=lambda happened: auditor.note_durably(happened, patience_s=PATIENCE_S),
        in_order=in_order,
        journal=journal,
    )


def naming_server(config: Config, desk: Desk) -> NamingServer:
    """The socket on which the page asks for all that."""
    return NamingServer(config.box.run / NAMING_SOCKET_NAME, desk.answer, users=users_named(PAGE_USER), rest=time.sleep)
