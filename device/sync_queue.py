"""What sync has to do next, derived anew each time from what the store, the receipts and the erase orders say; pure.

Nothing of a queue is kept anywhere, so there is nothing that could be wrong or lost. Erase orders go before everything
else. Then what is small and what somebody wants first: recordings of sound alone and those with a bookmark, the
smallest first; then all others, the smallest first. What the remote spoiled before comes last, so that one bad place
there keeps no other recording waiting.

Never sent: a recording that is open, that is being erased, whose two-minute window is open, or that has no digest with
which a copy could be compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from device.recording.receipt import Receipt, proving


@dataclass(frozen=True, slots=True)
class Standing:
    """A recording as sync finds it in the store.

    ``beside``: the SHA-256 of each smaller file (``manifest.json``, ``attachments/…``). ``receipt``: of the remote that
    is synced to, where there is one that the box signed. ``age_us``: in lived time.
    """

    recording: str
    started: str
    size_bytes: int
    digest: str | None
    is_open: bool = False
    is_going: bool = False
    sound_only: bool = False
    starred: bool = False
    beside: Mapping[str, str] = field(default_factory=dict)
    receipt: Receipt | None = None
    age_us: int = 0

    @property
    def proven(self) -> bool:
        """Whether the remote is known to hold the recording itself."""
        return bool(proving([self.receipt] if self.receipt else [], digest=self.digest, size_bytes=self.size_bytes))

    @property
    def lacking(self) -> tuple[str, ...]:
        """The smaller files of which the remote is not known to hold just these bytes."""
        held = self.receipt.beside if self.receipt is not None and self.proven else {}
        return tuple(name for name, digest in sorted(self.beside.items()) if held.get(name) != digest)


@dataclass(frozen=True, slots=True)
class Order:
    """An erase order that the remote has not obeyed; ``started`` as in the recording's manifest."""

    recording: str
    started: str | None


@dataclass(frozen=True, slots=True)
class Erase:
    """Have the remote erase a recording."""

    order: Order


@dataclass(frozen=True, slots=True)
class Send:
    """Send a recording: all of it, or only ``files`` beside it, where it is there already."""

    standing: Standing
    whole: bool
    files: tuple[str, ...]

    @property
    def size_bytes(self) -> int:
        """How much that is; the small files count as nothing."""
        return self.standing.size_bytes if self.whole else 0


Step: TypeAlias = Erase | Send


def due(standing: Iterable[Standing], orders: Iterable[Order], *, window: str | None) -> tuple[Step, ...]:
    """All that has to be done, in the order in which it is done. ``window``: the recording whose window is open."""
    erasing = tuple(Erase(order) for order in sorted(orders, key=lambda order: order.recording))
    ordered = {step.order.recording for step in erasing}
    sending = [_send(one) for one in standing if _may_leave(one, window) and one.recording not in ordered]
    return (*erasing, *sorted((one for one in sending if one is not None), key=_rank))


def _may_leave(one: Standing, window: str | None) -> bool:
    return not one.is_open and not one.is_going and one.digest is not None and one.recording != window


def _send(one: Standing) -> Send | None:
    if not one.proven:
        return Send(one, whole=True, files=tuple(sorted(one.beside)))
    return Send(one, whole=False, files=one.lacking) if one.lacking else None


def _rank(step: Send) -> tuple[bool, bool, int, str]:
    one = step.standing
    spoiled = one.receipt is not None and not one.proven
    return spoiled, not (one.sound_only or one.starred), step.size_bytes, one.recording


def smallest(steps: Iterable[Step]) -> Step | None:
    """With what to find out whether a remote that was full has room again: erasing makes some, else the smallest."""
    return min(steps, key=lambda step: -1 if isinstance(step, Erase) else step.size_bytes, default=None)
