"""Where a recording is on its way: sealed, waiting, being sent, compared, and from when on it may go from the box.

Everything is told from what the box has: the manifest, the receipts beside it, sync's published status, and what
retention would decide. A receipt counts if the box that signed the manifest signed it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from device.glimpse import Glimpse
from device.lived import Lived
from device.recording.manifest import RecordingState
from device.recording.receipt import proving
from device.retaining import facts_of
from device.retention import Facts, Policy, days_to_stay
from device.store import StoreReader
from device.sync_status import SyncState, SyncStatus, is_fresh
from device.web.proofs import Proofs
from device.web.setup import Setup
from device.web.texts import text
from device.web.wording import day_text, length_text, size_text


class Stage(StrEnum):
    """How far a recording has come."""

    OPEN = "open"
    KEPT_BACK = "kept back"
    QUEUED = "queued"
    SENDING = "sending"
    VERIFYING = "verifying"
    VERIFIED = "verified"
    LACKING = "lacking"
    DIFFERS = "differs"
    ALONE = "alone"
    GOING = "going"


STEPS: Final = ("sealed", "queued", "sending", "verified", "goes")
# How many of the steps are behind it.
_DONE: Final = {
    Stage.OPEN: 0,
    Stage.KEPT_BACK: 1,
    Stage.QUEUED: 1,
    Stage.ALONE: 1,
    Stage.SENDING: 2,
    Stage.VERIFYING: 3,
    Stage.DIFFERS: 1,
    Stage.LACKING: 4,
    Stage.VERIFIED: 4,
    Stage.GOING: 4,
}


@dataclass(frozen=True, slots=True)
class Moving:
    """What moves just now, there or back. ``percent`` of ``size``; the others are empty while nobody can tell."""

    percent: int
    size: str
    speed: str
    left: str


@dataclass(frozen=True, slots=True)
class Way:
    """Where one recording is. ``done``: how many of ``STEPS`` are behind it; ``goes``: when it may go, in words."""

    stage: Stage
    text: str
    hint: str
    done: int
    goes: str
    moving: Moving | None = None


class Ways:
    """As of one look at the box. ``kept_back``: the recording that the client can still withdraw."""

    def __init__(
        self,
        store: StoreReader,
        setup: Setup,
        proofs: Proofs,
        *,
        sync: SyncStatus | None,
        kept_back: str | None,
        unix_s: float,
    ) -> None:
        self._store = store
        self._proofs = proofs
        self._setup = setup
        self._sync = sync if sync is not None and is_fresh(sync, unix_s=unix_s) else None
        self._kept_back = kept_back
        self._now = datetime.fromtimestamp(unix_s, UTC)
        self._lived: dict[bytes, Lived] = {}

    def of(self, seen: Glimpse) -> Way:
        """The way of one recording."""
        facts = self.facts_of(seen)
        stage = self.stage_of(seen, facts)
        goes = goes_text(facts, self._setup.policy, now=self._now) if stage is Stage.VERIFIED else ""
        moving = moving_of(self._sync) if self._sync and stage in (Stage.SENDING, Stage.VERIFYING) else None
        remote = self._setup.remote or ""
        key = f"way.{stage.replace(' ', '_')}"
        return Way(stage, text(key), text(f"{key}.do", remote=remote), _DONE[stage], goes, moving)

    def facts_of(self, seen: Glimpse) -> Facts:
        """What retention knows of it."""
        folder, key = self._store.folder(seen.id), seen.common.key
        if key not in self._lived:
            self._lived[key] = self._store.read_lived(key) or Lived(boot="", monotonic_us=0, lived_us=0)
        receipts = self._proofs.receipts(folder, key)
        return facts_of(seen, receipts, self._lived[key], folder, digests=self._proofs.digests)

    def stage_of(self, seen: Glimpse, facts: Facts) -> Stage:
        """How far it has come; ``facts``: what ``facts_of`` says of it."""
        if seen.going is not None:
            return Stage.GOING
        if seen.common.state is RecordingState.OPEN:
            return Stage.OPEN
        if proving(facts.receipts, digest=facts.digest, size_bytes=facts.size_bytes):
            return Stage.LACKING if facts.lacking else Stage.VERIFIED
        return self._unproven(facts)

    def _unproven(self, facts: Facts) -> Stage:
        sync = self._sync
        if self._setup.remote is None and sync is None:
            return Stage.ALONE
        if sync is not None and sync.recording == facts.recording:
            if sync.state is SyncState.SENDING:
                return Stage.SENDING
            if sync.state is SyncState.VERIFYING:
                return Stage.VERIFYING
        if facts.recording == self._kept_back:
            return Stage.KEPT_BACK
        return Stage.DIFFERS if facts.receipts else Stage.QUEUED


def moving_of(sync: SyncStatus) -> Moving:
    """What moves just now, in words."""
    percent = min(100, 100 * sync.sent_bytes // sync.size_bytes) if sync.size_bytes else 0
    speed, left = "", ""
    if sync.bytes_per_s:
        speed = text("way.speed", speed=size_text(sync.bytes_per_s))
        left_s = max(0, sync.size_bytes - sync.sent_bytes) // sync.bytes_per_s
        left = text("way.left", left=length_text(max(1, left_s) * 1_000_000))
    return Moving(percent, size_text(sync.size_bytes), speed, left)


def goes_text(facts: Facts, policy: Policy | None, *, now: datetime) -> str:
    """From when on it may go from the box, as far as anybody can know today."""
    if facts.held:
        return text("way.goes.held")
    days = days_to_stay(facts, policy)
    if days is None:
        return text("way.goes.never")
    if days == 0:
        return text("way.goes.now")
    return text("way.goes.on", day=day_text(now + timedelta(days=days)))
