"""The same for those who have Prometheus. The only home of prometheus-client."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from device.fleet_status import FleetStatus

METRICS_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4


def metrics_of(told: FleetStatus) -> bytes:
    """In Prometheus' text format. What is not known is not there."""
    registry = CollectorRegistry()

    def tell(name: str, about: str, value: float | None, **labels: str) -> None:
        if value is not None:
            gauge = Gauge(f"sotto_{name}", about, list(labels), registry=registry)
            (gauge.labels(**labels) if labels else gauge).set(value)

    tell("info", "The box and its version.", 1, box=told.box, version=told.version)
    tell("capture_up", "Whether the capture service answers.", told.state is not None)
    tell("faults", "How many things are wrong.", len(told.faults))
    tell("clock_trusted", "Whether the clock can be believed.", told.clock_trusted)
    tell("last_session_seconds", "When the last session began.", _unix_s(told.last_session))
    tell("store_free_bytes", "Room in the store.", told.store_free_bytes)
    tell("store_left_seconds", "How much can still be recorded.", _seconds(told.store_minutes_left))
    tell("certificate_days", "How long the page's certificate holds.", told.certificate_days)
    tell("sync_up", "Whether sync answers.", told.sync is not None)
    if told.sync is not None:
        tell("sync_waiting", "Recordings that are not at the remote.", told.sync.waiting)
        tell("sync_waiting_bytes", "How much that is.", told.sync.waiting_bytes)
        tell("sync_stuck", "Whether something waits for too long.", told.sync.stuck)
    sounds = Gauge("sotto_recent_sound", "The last recordings, by how their sound was.", ["verdict"], registry=registry)
    for verdict, count in Counter(told.sounds).items():
        sounds.labels(verdict=verdict).set(count)
    orders = Gauge("sotto_order_number", "The last order of each kind.", ["about", "outcome"], registry=registry)
    for one in told.orders:
        orders.labels(about=one.about, outcome=one.outcome).set(one.number)
    return generate_latest(registry)


def _seconds(minutes: int | None) -> int | None:
    return None if minutes is None else minutes * 60


def _unix_s(wire: str | None) -> float | None:
    return None if wire is None else datetime.fromisoformat(wire).timestamp()
