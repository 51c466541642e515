"""What a box tells the desk of itself, put together from what its processes publish."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Final

from device.clock import wire_time
from device.devicekey import published_fingerprint
from device.errors import AdminError, SottoError, StoreError
from device.fleet_status import FleetStatus, OrderTold, SyncTold, UpdateTold
from device.order_results import Results, read_results
from device.recording.manifest import Manifest
from device.status import read_status
from device.store import StoreReader
from device.sync_status import is_fresh, read_sync_status
from device.tls_certificate import parse_certificate
from device.tls_series import read_series
from device.web.house import is_stale
from device.web.texts import text

_LAST_RECORDINGS: Final = 10
_DAY_S: Final = 24 * 3600
_MOST_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Box:
    """Where it stands how the box is. ``state``: what became of the clinic's orders; ``update``: of another version."""

    store: StoreReader
    run: Path
    name: str
    certificate: Path | None
    state: Path | None
    update: Callable[[], UpdateTold | None]
    unix_s: Callable[[], float]


def told_of(box: Box) -> FleetStatus:
    """How the box is now."""
    unix_s = box.unix_s()
    published = read_status(box.run)
    status = None if published is None or is_stale(published, unix_s=unix_s) else published
    faults = [] if status else [(text("state.gone"), text("health.capture.do"))]
    faults += [*status.faults, *status.warnings] if status else []
    results, newest, update = Results(), [], None
    try:
        newest = list(islice(_ended(box.store), _LAST_RECORDINGS))
        results = Results() if box.state is None else read_results(box.state)
    except StoreError as problem:
        faults.append((problem.what, problem.hint))
    try:
        update = box.update()
    except SottoError as problem:
        faults.append((problem.what, problem.hint))
    return FleetStatus(
        box=box.name,
        version=version("sotto"),
        device_key=published_fingerprint(box.run),
        at=wire_time(datetime.fromtimestamp(unix_s, UTC)),
        state=status.state if status else None,
        clock_trusted=status.clock_trusted if status else None,
        faults=tuple(faults),
        last_session=newest[0].started if newest else None,
        sounds=tuple(str(one.report.verdict) for one in newest),
        store_free_bytes=status.store_free_bytes if status else None,
        store_minutes_left=status.store_minutes_left if status else None,
        certificate_days=_certificate_days(box.certificate, unix_s),
        sync=_sync(box.run, unix_s),
        orders=tuple(_orders(results)),
        numbers=results.last,
        update=update,
    )


def _ended(store: StoreReader) -> Iterator[Manifest]:
    """Newest first."""
    found = (store.find(one) for one in reversed(store.ids()))
    return (one.manifest for one in found if one is not None and one.manifest.ended)


def _certificate_days(path: Path | None, unix_s: float) -> float | None:
    """None where there is none, or none that can be read: the page *Certificates* says why."""
    if path is None:
        return None
    try:
        if path.is_dir():
            ends = read_series(path).until(datetime.fromtimestamp(unix_s, UTC))
        else:
            with path.open("rb") as file:
                ends = parse_certificate(file.read(_MOST_BYTES)).ends
    except (OSError, AdminError):
        return None
    return round((ends.timestamp() - unix_s) / _DAY_S, 1)


def _sync(run: Path, unix_s: float) -> SyncTold | None:
    sync = read_sync_status(run)
    if sync is None or not is_fresh(sync, unix_s=unix_s):
        return None
    facts = {name: getattr(sync, name) for name in ("waiting", "waiting_bytes", "stuck", "trouble")}
    return SyncTold(state=str(sync.state), **facts)


def _orders(results: Results) -> Iterator[OrderTold]:
    """The last one of each kind."""
    last = {one.about: one for one in results.results if one.about is not None}
    for about, one in sorted(last.items()):
        facts = one.model_dump(include={"digest", "outcome", "at", "what", "hint"})
        yield OrderTold(about=about, number=one.number or 0, **facts)
