"""Lived time: how long a box has been there, counted so that no clock that is set can make anything look older. Pure.

The rules of retention count days, and a box has no clock that can be believed for days: it has no battery, and anybody
may set it. So it counts by itself. While it runs, the monotonic clock counts. The time switched off in between counts
where the wall clock was trusted before and after and says that it was at most 96 h: a night, a long weekend. All else
counts as nothing: a longer time, a jump back, a clock nobody vouches for, and any time switched off after a boot in
which the trusted clock itself jumped. What errs errs towards younger, and younger means kept.

So whatever the wall clock does, lived time runs ahead of the time that the box really ran by at most 96 h for each time
that it was switched on. Losing what was counted makes everything younger: the file begins anew, and what it does not
know is as old as its first sight of it. A damaged file does not verify, and is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from device.shapes import Shape, rule

LIVED_KIND: Final = "lived time"
HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US
MOST_OFF_US: Final = 96 * HOUR_US
# More than a time server corrects at once, far less than anybody sets a clock by.
_STEADY_US: Final = 60_000_000

Count = Annotated[int, rule(ge=0)]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the clocks say at one moment. ``wall_us``: microseconds since 1970, if that is to be believed."""

    boot: str
    monotonic_us: int
    wall_us: int
    trusted: bool


class Anchor(Shape):
    """The last moment at which the wall clock could be believed, in both times."""

    boot: str
    lived_us: Count
    wall_us: int


class Lived(Shape):
    """What has been counted so far, and when things of the store were first seen in that count.

    ``boots``: how far lived time was ahead of the monotonic time of a boot, for those that recordings come from.
    ``verified``: when a copy at the remote was first seen to be verified.
    """

    boot: str
    began_us: Count = 0  # lived time at the start of this boot
    monotonic_us: Count
    lived_us: Count
    anchor: Anchor | None = None
    jumped: bool = False  # in this boot: its wall clock is not believed any more
    boots: Mapping[str, int] = {}
    seen: Mapping[str, Count] = {}
    verified: Mapping[str, Count] = {}


def step(lived: Lived | None, now: Reading) -> Lived:
    """Count on to this moment; begin where nothing was counted."""
    if lived is None:
        anchor = Anchor(boot=now.boot, lived_us=0, wall_us=now.wall_us) if now.trusted else None
        begun = {now.boot: -now.monotonic_us}
        return Lived(boot=now.boot, monotonic_us=now.monotonic_us, lived_us=0, anchor=anchor, boots=begun)
    same = lived.boot == now.boot
    # No boot takes no time: what was seen in this one is told from what was seen at the end of the last.
    ran_us = max(0, now.monotonic_us - lived.monotonic_us) if same else max(1, now.monotonic_us)
    counted = {
        "boot": now.boot,
        "began_us": lived.began_us if same else lived.lived_us,
        "monotonic_us": now.monotonic_us,
        "lived_us": lived.lived_us + ran_us,
        "jumped": same and lived.jumped,
    }
    counted_on = _believe(lived.model_copy(update=counted), now)
    boots = {**lived.boots, now.boot: counted_on.lived_us - now.monotonic_us}
    return counted_on.model_copy(update={"boots": boots})


def _believe(lived: Lived, now: Reading) -> Lived:
    """Count what was switched off, and take the wall clock down, where it can be believed."""
    if not now.trusted or lived.jumped:
        return lived
    if (last := lived.anchor) is not None:
        off_us = now.wall_us - last.wall_us - (lived.lived_us - last.lived_us)
        if last.boot == now.boot and abs(off_us) > _STEADY_US:
            return lived.model_copy(update={"jumped": True, "anchor": None})
        if last.boot != now.boot and 0 < off_us <= MOST_OFF_US:
            lived = _switched_off(lived, off_us)
    anchor = Anchor(boot=now.boot, lived_us=lived.lived_us, wall_us=now.wall_us)
    return lived.model_copy(update={"anchor": anchor})


def _switched_off(lived: Lived, off_us: int) -> Lived:
    """Count a time before this boot, which is known only now: what was seen in this boot is no older for it."""

    def after(moments: Mapping[str, int]) -> dict[str, int]:
        return {name: at_us + off_us if at_us > lived.began_us else at_us for name, at_us in moments.items()}

    update = {"lived_us": lived.lived_us + off_us, "began_us": lived.began_us + off_us}
    return lived.model_copy(update={**update, "seen": after(lived.seen), "verified": after(lived.verified)})


def look_at(lived: Lived, *, boots: Mapping[str, str], verified: Iterable[str]) -> Lived:
    """Note what is in the store now: each recording with the boot it was made in, and those with a verified copy.

    What is gone, or not verified any more, is forgotten.
    """
    now_us, wanted = lived.lived_us, {*boots.values(), lived.boot}
    looked = {
        "boots": {boot: ahead_us for boot, ahead_us in lived.boots.items() if boot in wanted},
        "seen": {recording_id: lived.seen.get(recording_id, now_us) for recording_id in boots},
        "verified": {recording_id: lived.verified.get(recording_id, now_us) for recording_id in verified},
    }
    return lived.model_copy(update=looked)


def age_us(lived: Lived, recording_id: str, *, boot: str, started_monotonic_us: int) -> int:
    """How long ago a recording began; where its boot is not known: how long ago it was first seen."""
    ahead_us = lived.boots.get(boot)
    if ahead_us is None:
        return lived.lived_us - lived.seen.get(recording_id, lived.lived_us)
    return max(0, lived.lived_us - (started_monotonic_us + ahead_us))


def verified_for_us(lived: Lived, recording_id: str) -> int:
    """How long a copy of it has been known to be verified."""
    return lived.lived_us - lived.verified.get(recording_id, lived.lived_us)
