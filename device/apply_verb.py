"""``sotto apply``: carries out the clinic's orders on this box. Root runs it, when one came and before the box starts.

Other parts of the program carry out other kinds of orders: each adds its ``Judge`` to ``kinds_of``.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from device.applying import Applying, World
from device.applying_kinds import KINDS, Here, Judge, Plan
from device.applying_services import CAPTURE, Services, Systemd
from device.audit_requests import NoteRequest, note_by_capture
from device.clock import SystemClock, wire_time
from device.config import Config, load_config
from device.errors import AdminError, ConfigError
from device.idling import why_not_now
from device.order_results import Result
from device.orders import Order
from device.recording import MANIFEST_NAME
from device.status import read_status
from device.update_verb import stage_members
from device.updating_order import UPDATE

_DONE = 0


def run_apply(config_path: Path, *, settle_only: bool) -> int:
    """Deal with all orders there are, or only put right what was interrupted.

    Raises:
        SottoError: the box's own folders cannot be used.
    """
    config = load_config(config_path)
    if config.orders is None:
        raise ConfigError("the configuration has no [orders]", "docs/fleet-desk.md shows what it has to hold")
    applying = applying_of(config_path, config, services=Systemd(), kinds=kinds_of(config))
    try:
        with _alone(config.orders.state):
            applying.settle(services_run=False) if settle_only else applying.run()
    except OSError as problem:
        reason = problem.strerror or "unknown error"
        raise AdminError(f"an order could not be dealt with: {reason}", "check the folders that [orders] names") from (
            problem
        )
    return _DONE


def applying_of(config_path: Path, config: Config, *, services: Services, kinds: Mapping[str, Judge]) -> Applying:
    """What carries orders out on this box; its configuration names a place for them."""
    orders = config.orders
    if orders is None:
        raise ConfigError("the configuration has no [orders]", "docs/fleet-desk.md shows what it has to hold")

    def why_not() -> str | None:
        if not services.running([CAPTURE]):
            return None  # who does not run records nothing
        status, ended = read_status(config.box.run), _last_ended_unix_s(config.store.path)
        return why_not_now(status, unix_s=time.time(), last_ended_unix_s=ended)

    world = World(
        here=lambda: Here(config_path, load_config(config_path)),
        services=services,
        kinds=kinds,
        why_not_now=why_not,
        note=lambda result: _note(result, config.box.run),
        now=lambda: wire_time(SystemClock().utc()),
        rest=time.sleep,
    )
    return Applying(spool=orders.spool, state=orders.state, world=world)


def kinds_of(config: Config) -> Mapping[str, Judge]:
    """Which orders this box carries out, and by what."""

    def judge_update(order: Order, staged: Path, _here: Here) -> Plan:
        """Staging is all that is done here: the version is tried, and goes back, by itself (docs/updates.md)."""
        return Plan(act=lambda: stage_members(config, order, staged))

    return {**KINDS, UPDATE: judge_update}


def _note(result: Result, run: Path) -> bool:
    about = None if result.about is None else str(result.about)
    request = NoteRequest.model_validate(
        {"what": f"order {result.outcome}", "about": about, "order": result.number, "digest": result.digest}
    )
    return note_by_capture(request, run) is not None


def _last_ended_unix_s(store: Path) -> float | None:
    """When the newest recording was written last."""
    newest = max((entry.name for entry in os.scandir(store) if entry.is_dir() and entry.name[:1].isdigit()), default="")
    try:
        return (store / newest / MANIFEST_NAME).stat().st_mtime if newest else None
    except FileNotFoundError:
        return None


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    """One at a time: at a start, what settles and what carries out may come together."""
    descriptor = os.open(state, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
