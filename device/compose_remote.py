"""Builds what sync is made of, and the remote that the configuration names. Capture never loads any of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time

from device.clock import Clock
from device.config import AnyRemote, Config, SyncSection
from device.datagrams import DatagramServer
from device.errors import AdminError, ConfigError
from device.journal import Journal, to_nobody
from device.notify import Notify, tell_nobody
from device.recording.layout import Desk
from device.remote import SILENCE_S, Remote
from device.remotes import remote_of as built
from device.store import StoreReader
from device.sync.desks import remembered
from device.sync.looking import Looking
from device.sync.loop import Sync
from device.sync.steps import AskCapture, Steps
from device.sync.telling import Publish, Telling
from device.sync.waiting import Waiting
from device.sync_control import Tell, control_path, parse_tell
from device.sync_requests import ask_capture
from device.sync_schedule import Chance, Hours, Limits
from device.sync_status import publish_sync

NOTES_NAME = "uploads"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def configured(config: Config) -> tuple[AnyRemote, SyncSection]:
    """What the configuration says of the remote and of sync.

    Raises:
        ConfigError: it says nothing.
    """
    if config.remote is None or config.sync is None:
        raise ConfigError(
            "the configuration names no remote", "add [remote] and [sync]: docs/configuration.md, docs/sync.md"
        )
    return config.remote, config.sync


def remote_of(config: Config, *, clock: Clock, silence_s: float = SILENCE_S) -> Remote:
    """The remote that the configuration names; nothing connects yet, and no credentials are read.

    Raises:
        ConfigError: it names none.
    """
    section, sync = configured(config)
    return built(section, notes=sync.state / NOTES_NAME, utc=clock.utc, silence_s=silence_s)


def desks_of(config: Config) -> tuple[Desk, ...]:
    """The place of this box at its remote, and those that it had before.

    Raises:
        AdminError: the place cannot be remembered.
    """
    section, sync = configured(config)
    try:
        return remembered(sync.state, Desk(clinic=section.clinic, room=section.room))
    except OSError as problem:
        reason = problem.strerror or "unknown error"
        raise AdminError(f"sync.state cannot be written: {reason}", "check the folder that sync.state names") from None


def limits_of(section: SyncSection) -> Limits:
    """How fast may be sent, and when."""
    if section.office_from is None or section.office_to is None:
        return Limits(always=section.limit_kbit_s)
    days = frozenset(_DAYS.index(day) for day in section.office_days)
    hours = Hours(days, time.fromisoformat(section.office_from), time.fromisoformat(section.office_to))
    return Limits(always=section.limit_kbit_s, hours=hours, in_hours=section.office_limit_kbit_s)


@dataclass(frozen=True, slots=True)
class Syncing:
    """The loop, and by what it is told to wait, to go on or to end."""

    sync: Sync
    waiting: Waiting


def sync_of(
    config: Config,
    *,
    remote: Remote,
    clock: Clock,
    chance: Chance = random.random,
    ask: AskCapture | None = None,
    publish: Publish | None = None,
    journal: Journal = to_nobody,
    notify: Notify = tell_nobody,
) -> Syncing:
    """Sync as configured, over this remote.

    Raises:
        AdminError: the configuration names none, or sync's own folder cannot be written.
    """
    section, chosen = configured(config)
    run = config.box.run
    telling = Telling(
        publish or (lambda status: publish_sync(status, run)), remote=section.name, clock=clock, journal=journal
    )
    waiting = Waiting(state=chosen.state, limits=limits_of(chosen), clock=clock, telling=telling, notify=notify)
    looking = Looking(StoreReader(config.store.path), run=run, remote=section.name)
    steps = Steps(
        remote=remote,
        name=section.name,
        desks=desks_of(config),
        looking=looking,
        ask=ask or (lambda asked: ask_capture(asked, run)),
        waiting=waiting,
        telling=telling,
        notify=notify,
    )
    sync = Sync(
        looking=looking,
        steps=steps,
        waiting=waiting,
        telling=telling,
        stuck_days=chosen.stuck_days,
        start_jitter_s=float(chosen.start_jitter_s),
        chance=chance,
        notify=notify,
    )
    return Syncing(sync, waiting)


def control_server(config: Config, waiting: Waiting, *, failed: Callable[[OSError], None]) -> DatagramServer:
    """The socket on which the service is told to wait, or to go on. ``failed``: told where it is not remembered."""
    known = {Tell.PAUSE: waiting.pause, Tell.RESUME: waiting.resume, Tell.NOW: waiting.hurry}

    def handle(data: bytes) -> None:
        try:
            if (told := parse_tell(data)) is not None:
                known[told]()
        except OSError as problem:
            failed(problem)

    return DatagramServer(control_path(config.box.run), handle)
