"""The same with many boxes: side by side, so that one that is slow holds up nobody; or first one, then the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from device.errors import SottoError
from provisioning.fleet.calling import Target

MOST_AT_A_TIME: Final = 32
_Told = TypeVar("_Told")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[_Told]):
    """What came of one box: what it told, or what went wrong."""

    box: Target
    told: _Told | None = None
    problem: SottoError | None = None


def with_each(
    boxes: Sequence[Target], do: Callable[[Target], _Told], *, at_a_time: int = MOST_AT_A_TIME
) -> Iterator[Outcome[_Told]]:
    """What came of each, as they are ready. Whoever stops looking waits for those that are under way, and no others."""

    def one(box: Target) -> Outcome[_Told]:
        try:
            return Outcome(box, told=do(box))
        except SottoError as problem:
            return Outcome(box, problem=problem)

    with ThreadPoolExecutor(max(1, min(at_a_time, len(boxes)))) as pool:
        under_way = [pool.submit(one, box) for box in boxes]
        try:
            for ready in as_completed(under_way):
                yield ready.result()
        finally:
            for left in under_way:
                left.cancel()


def one_first(boxes: Sequence[Target], do: Callable[[Target], _Told], *, at_a_time: int) -> Iterator[Outcome[_Told]]:
    """The first alone; the others only where all was well with it, and no more once it was not with another."""
    begun, size = 0, 1
    while begun < len(boxes):
        failed = False
        for outcome in with_each(boxes[begun : begun + size], do, at_a_time=size):
            failed = failed or outcome.problem is not None
            yield outcome
        begun, size = begun + size, max(1, at_a_time)
        if failed:
            return
