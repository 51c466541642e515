"""How boxes are, as a table and for a script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from device.fleet_status import FleetStatus
from provisioning.exits import exit_of
from provisioning.fleet.many import Outcome

_HEAD: Final = ("box", "state", "version", "last session", "sound", "room", "clock", "certificate", "sync", "wrong")
_LOW_DAYS: Final = 30
_GB: Final = 10**9


def lines_of(outcomes: Sequence[Outcome[FleetStatus]]) -> list[str]:
    """The table, and beneath it what is wrong, with what to do."""
    rows = [_HEAD, *(_row(one) for one in outcomes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    for one in outcomes:
        for what, hint in wrong_with(one):
            lines.append(f"{one.box.name}: {what} ({hint})")
    return lines


def wrong_with(one: Outcome[FleetStatus]) -> list[tuple[str, str]]:
    """All that is wrong with a box: what, and what to do."""
    if one.problem is not None:
        return [(one.problem.what, one.problem.hint)]
    told = one.told
    if told is None:
        return []
    wrong = list(told.faults)
    if told.certificate_days is not None and told.certificate_days < _LOW_DAYS:
        days = max(0, int(told.certificate_days))
        wrong.append((f"its certificates end in {days} days", "sotto-clinic fleet rotate-certificates"))
    if told.sync is not None and told.sync.trouble is not None:
        wrong.append(told.sync.trouble)
    if told.update is not None and told.update.failed is not None:
        what = f"version {told.update.version} was given up: {told.update.failed}"
        wrong.append((what, "the one before it runs; look into its journal"))
    wrong += [
        (f"order {order.number} about {order.about} was {order.outcome}: {order.what}", order.hint)
        for order in told.orders
        if order.outcome in {"refused", "undone"}
    ]
    return wrong


def as_json(one: Outcome[FleetStatus]) -> dict[str, Any]:
    """One box for a script."""
    said: dict[str, Any] = {"name": one.box.name, "address": one.box.address, "reachable": one.told is not None}
    if one.told is not None:
        said["status"] = one.told.model_dump(mode="json")
    if one.problem is not None:
        said |= {"error": one.problem.what, "hint": one.problem.hint, "exit_code": exit_of(one.problem)}
    return said


def _row(one: Outcome[FleetStatus]) -> tuple[str, ...]:
    told = one.told
    if told is None:
        return (one.box.name, "not reachable", *[""] * (len(_HEAD) - 3), "1")
    sounds = Counter(told.sounds)
    bad = sum(count for verdict, count in sounds.items() if verdict != "good")
    room = "?" if told.store_free_bytes is None else f"{told.store_free_bytes // _GB} GB"
    return (
        one.box.name,
        told.state or "no answer",
        _version(told),
        (told.last_session or "none")[:16].replace("T", " "),
        "none" if not told.sounds else "good" if not bad else f"{bad} of {len(told.sounds)} not",
        room,
        {True: "good", False: "not set", None: "?"}[told.clock_trusted],
        "none" if told.certificate_days is None else f"{int(told.certificate_days)} days",
        "?" if told.sync is None else f"{told.sync.state}, {told.sync.waiting} waiting",
        str(len(wrong_with(one))),
    )


def _version(told: FleetStatus) -> str:
    """Which version runs, and which came and is not settled yet."""
    update = told.update
    if update is None or update.failed is not None:
        return told.version
    return f"{told.version} on trial" if update.on_trial else f"{told.version}, {update.version} waits"
