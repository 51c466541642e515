"""What a box tells the clinic's desk of itself: how it is, and nothing that names anybody or any recording."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from device.orders import About
from device.shapes import Shape, rule

STATUS_PATH = "/fleet/v1/status"
METRICS_PATH = "/fleet/v1/metrics"
ORDERS_PATH = "/fleet/v1/orders"
PIECE_BYTES = 96 << 10
"""An order comes in pieces of that: neither nginx nor the page ever holds more of it in memory."""

Count = Annotated[int, rule(ge=0)]
Words = Annotated[str, rule(max_length=1000)]


class _Told(Shape, forbid_unknown_fields=False):
    """A box may be newer than the desk: what the desk does not know it leaves out."""


class SyncTold(_Told):
    """How far sync is."""

    state: str
    waiting: Count
    waiting_bytes: Count
    stuck: bool
    trouble: tuple[Words, Words] | None


class OrderTold(_Told):
    """What became of the last order of a kind. ``digest``: by which the desk's log names it."""

    about: About
    number: Count
    digest: str
    outcome: Literal["waiting", "done", "refused", "undone"]
    at: str
    what: Words
    hint: Words


class UpdateTold(_Told):
    """A version that came and is not settled: it waits for a free room, is ``on_trial``, or has ``failed`` (why)."""

    version: Words
    on_trial: bool
    failed: Words | None


class FleetStatus(_Told):
    """A box. Where capture does not answer, what it alone knows is ``None``.

    ``sounds``: the verdicts of the last recordings, newest first. ``certificate_days``: how long the page's holds.
    ``numbers``: the highest number that was dealt with, for each kind of order. ``update``: none is under way; a box
    that is older than this says nothing of it.
    """

    sotto_fleet: Literal[1] = 1
    box: Words
    version: Words
    device_key: Words | None
    at: str
    state: Words | None
    clock_trusted: bool | None
    faults: tuple[tuple[Words, Words], ...]
    last_session: str | None
    sounds: Annotated[tuple[Words, ...], rule(max_length=100)]
    store_free_bytes: Count | None
    store_minutes_left: Count | None
    certificate_days: float | None
    sync: SyncTold | None
    orders: Annotated[tuple[OrderTold, ...], rule(max_length=100)]
    numbers: Mapping[About, Count]
    update: UpdateTold | None = None


class Received(_Told):
    """How much of an order is there. ``whole``: all of it, and it waits for being carried out."""

    have: Count
    whole: bool
