"""Retention: which recordings may go from the box, and why; pure.

A recording stays until a remote holds it and that copy, read again, had the manifest's digest; and then for the days
that the clinic chose. What is not synced is never deleted, however old it is: it is told. A research hold keeps
everything. Without ``[retention]`` in the configuration nothing is ever deleted. Days are of lived time
(``device/lived.py``), which no wall clock can hurry.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from device.config import Config
from device.lived import DAY_US
from device.recording.manifest import RecordingState
from device.recording.receipt import Receipt, proving
from device.words import By


@dataclass(frozen=True, slots=True)
class Policy:
    """What the clinic chose. ``keep_days``: after the copy was verified; ``None``: for ever. ``warn_days``: of age."""

    keep_days: int | None = None
    warn_days: int | None = None


def policy_of(config: Config) -> Policy | None:
    """What the clinic chose about retention; ``None``: nothing. Warns by sync's limit where it says no other."""
    section = config.retention
    stuck_days = None if config.sync is None else config.sync.stuck_days
    if section is None:
        return None if stuck_days is None else Policy(warn_days=stuck_days)
    return Policy(keep_days=section.keep_days, warn_days=section.warn_days or stuck_days)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one recording. ``receipts``: those whose signature holds, whatever they say.

    ``age_us`` and ``verified_for_us`` (how long a copy has been known to be verified) are lived time.
    """

    recording: str
    state: RecordingState
    digest: str | None
    size_bytes: int
    age_us: int
    receipts: tuple[Receipt, ...] = ()
    verified_for_us: int = 0
    held: bool = False
    going: By | None = None
    lacking: bool = (
        False  # no remote that has it is known to have all that is beside it, too, as it is: a label, a wish
    )


class Concern(StrEnum):
    """What somebody should look after."""

    OLD = "old and not synced"
    DIFFERS = "the remote's copy differs"


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to become of one recording, and why; and what somebody should look after, ``warning`` in words."""

    recording: str
    erase: bool
    why: str
    concern: Concern | None = None
    warning: str | None = None


def decide(facts: Facts, policy: Policy | None) -> Decision:
    """What the policy says about one recording. It never says "erase" of one without a verified copy."""
    copies = proving(facts.receipts, digest=facts.digest, size_bytes=facts.size_bytes)
    if (reason := _reason_to_stay(facts, policy, copies)) is not None:
        concern = _concern(facts, policy, copies)
        return Decision(facts.recording, erase=False, why=reason, concern=concern, warning=_warning(facts, concern))
    passed = _days(facts.verified_for_us)
    return Decision(facts.recording, erase=True, why=f"{_verified(copies)}, known for {_text(passed)}")


def days_to_stay(facts: Facts, policy: Policy | None) -> int | None:
    """In how many days of lived time it may go, if nothing changes until then; ``None``: something else keeps it."""
    if policy is None or policy.keep_days is None:
        return None
    kept = facts.going is not None or facts.state is RecordingState.OPEN or facts.held
    if kept or facts.lacking:
        return None
    if not proving(facts.receipts, digest=facts.digest, size_bytes=facts.size_bytes):
        return None
    return max(0, -((facts.verified_for_us - policy.keep_days * DAY_US) // DAY_US))


def _reason_to_stay(facts: Facts, policy: Policy | None, copies: tuple[Receipt, ...]) -> str | None:
    """Why it stays; the first that holds. ``None``: nothing keeps it."""
    if facts.going is not None:
        return f"it is being erased already ({facts.going})"
    if facts.state is RecordingState.OPEN:
        return "it is not closed yet"
    if facts.held:
        return "it is held for research"
    if copies and facts.lacking:
        return f"{_verified(copies)}; what was put beside it or changed later is not synced"
    return _too_early(facts, policy, copies) if copies else _unproven(facts)


def _too_early(facts: Facts, policy: Policy | None, copies: tuple[Receipt, ...]) -> str | None:
    if policy is None or policy.keep_days is None:
        return f"{_verified(copies)}; the configuration says nothing of deleting, so it is kept for ever"
    if facts.verified_for_us >= policy.keep_days * DAY_US:
        return None
    passed = _days(facts.verified_for_us)
    return f"{_verified(copies)}, known for {_text(passed)}; it is kept for {_text(policy.keep_days)}"


def _unproven(facts: Facts) -> str:
    if facts.digest is None:
        return "its manifest has no digest that a copy could be compared with"
    if not facts.receipts:
        return "it is not synced"
    remotes = ", ".join(sorted({receipt.remote for receipt in facts.receipts}))
    return f"the copy at {remotes} is not what the box has"


def _concern(facts: Facts, policy: Policy | None, copies: tuple[Receipt, ...]) -> Concern | None:
    if facts.going is not None or facts.state is RecordingState.OPEN or copies:
        return None
    if facts.receipts and facts.digest is not None:
        return Concern.DIFFERS
    old = policy is not None and policy.warn_days is not None and facts.age_us >= policy.warn_days * DAY_US
    return Concern.OLD if old else None


def _warning(facts: Facts, concern: Concern | None) -> str | None:
    if concern is Concern.OLD:
        return f"it is {_text(_days(facts.age_us))} old and not synced"
    return None if concern is None else _unproven(facts)


def _verified(copies: tuple[Receipt, ...]) -> str:
    return f"its copy at {', '.join(sorted({receipt.remote for receipt in copies}))} is verified"


def _days(lived_us: int) -> int:
    return lived_us // DAY_US


def _text(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"
